import { judge, type PreflightFinding } from './judge.ts';
import type { Release } from './release.ts';

export interface ReleaseQuestion {
  /** Whether the release is about to be published to devices that are not yet known. */
  readonly publishing?: boolean | undefined;
  /** Names of rules that must not block the release. */
  readonly allow?: ReadonlySet<string> | undefined;
}

/** Findings about a release that do not depend on a device. */
export interface ReleaseVerdict {
  /** Errors from rules that block every artifact, so that no part of the release can be sent. */
  readonly blockedBy: readonly PreflightFinding[];
  /** All other findings, including errors that affect only some artifacts: the planner can send the others. */
  readonly warnings: readonly PreflightFinding[];
}

/** Runs the rules without a device. Each finding is returned once, even if it applies to several artifacts. */
export function judgeRelease(
  release: Release,
  { publishing = false, allow = new Set() }: ReleaseQuestion = {},
): ReleaseVerdict {
  const findings = release.artifacts.map((artifact) => judge({ release, artifact, facts: undefined, publishing }));
  const blocksAll = ({ rule, severity }: PreflightFinding): boolean =>
    severity === 'error' &&
    !allow.has(rule) &&
    findings.every((found) => found.some((other) => other.rule === rule && other.severity === 'error'));
  const all = [...new Map(findings.flat().map((finding) => [finding.rule + finding.message, finding])).values()];
  return {
    blockedBy: all.filter(blocksAll),
    warnings: all.filter((finding) => !blocksAll(finding)).map((finding) => ({ ...finding, severity: 'warning' })),
  };
}
