import type { Release } from './release.ts';
import { type PreflightFinding, runRules } from './run-rules.ts';

export interface ReleaseCheckOptions {
  /** True if the release is being published. The devices that will install it are then not known. */
  readonly publishing?: boolean | undefined;
  /** Sketch that devices run now. The release must not lock these devices out. */
  readonly previous?: Release | undefined;
  /** Names of rules that do not block the release. */
  readonly allow?: ReadonlySet<string> | undefined;
}

/** Findings about a release that do not depend on a device. */
export interface ReleaseVerdict {
  /** Errors of rules that block every artifact. No part of the release can be sent. */
  readonly blockedBy: readonly PreflightFinding[];
  /** All other findings, including errors that block only some artifacts. The planner can send the other artifacts. */
  readonly warnings: readonly PreflightFinding[];
}

/** Runs the rules without a device. A finding for several artifacts is returned only once. */
export function checkRelease(
  release: Release,
  { publishing = false, previous, allow = new Set() }: ReleaseCheckOptions = {},
): ReleaseVerdict {
  const findings = release.artifacts.map((artifact) =>
    runRules({ release, artifact, facts: undefined, publishing, previous }),
  );
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
