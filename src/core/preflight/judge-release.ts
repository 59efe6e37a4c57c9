import { type Complaint, judge } from './judge.ts';
import type { Release } from './release.ts';

export interface ReleaseQuestion {
  /** About to be offered to devices that nobody sees yet. */
  readonly publishing?: boolean | undefined;
  /** Names of rules that may not stand in the way. */
  readonly allow?: ReadonlySet<string> | undefined;
}

/** What the rules say of a release by itself, whatever the device. */
export interface ReleaseVerdict {
  /** Of every artifact: nothing of the release is fit to be sent. */
  readonly refused: readonly Complaint[];
  /** Everything else, also what is refused in some artifacts only: the planner sends others. */
  readonly warnings: readonly Complaint[];
}

/** Asks the rules that need no device. Each complaint is named once, however many artifacts it is about. */
export function judgeRelease(
  release: Release,
  { publishing = false, allow = new Set() }: ReleaseQuestion = {},
): ReleaseVerdict {
  const complaints = release.artifacts.map((artifact) => judge({ release, artifact, facts: undefined, publishing }));
  const isRefusedByAll = ({ rule, severity }: Complaint): boolean =>
    severity === 'refuse' &&
    !allow.has(rule) &&
    complaints.every((found) => found.some((other) => other.rule === rule && other.severity === 'refuse'));
  const all = [
    ...new Map(complaints.flat().map((complaint) => [complaint.rule + complaint.message, complaint])).values(),
  ];
  return {
    refused: all.filter(isRefusedByAll),
    warnings: all
      .filter((complaint) => !isRefusedByAll(complaint))
      .map((complaint) => ({ ...complaint, severity: 'warn' })),
  };
}
