import type { Step } from '../../../core/preflight/choice.ts';
import type { BlockingFinding } from '../../../core/preflight/explanation.ts';
import type { Release } from '../../../core/preflight/release.ts';
import type { PreflightFinding } from '../../../core/preflight/run-rules.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { DeviceUpdateResult } from '../../../delivery/update-device.ts';
import { describeVerdict } from '../../../delivery/verdict.ts';
import type { DocumentOf } from '../../output/documents/registry.ts';
import { table } from '../../output/table.ts';
import type { TextBlock } from '../../output/text-block.ts';
import type { ReleaseToSend } from '../../shared/updates/release.ts';
import { hintOf, secondsText } from '../../shared/updates/result-text.ts';

/**
 * Result of a run for one device. `earlier`: an earlier run updated the device. `held`: the update was not started, because a canary
 * failed or preflight blocked a different device.
 */
export type DeviceEnd = { readonly target: Target } & (
  | { readonly outcome: 'updated' | 'failed'; readonly step: Step<Release>; readonly result: DeviceUpdateResult }
  | { readonly outcome: 'blocked'; readonly blockedBy: readonly BlockingFinding[] }
  | { readonly outcome: 'notStarted' | 'alreadyUpdated' }
);

/** Returns the JSON output of `upload`. */
export function uploadReport(release: ReleaseToSend, ends: readonly DeviceEnd[]): DocumentOf<'upload'> {
  const { path, kind, imageSha256, manifest } = release;
  const count = (outcome: DeviceEnd['outcome']) => ends.filter((end) => end.outcome === outcome).length;
  return {
    release: {
      path,
      kind,
      imageSha256,
      project: manifest?.project ?? null,
      version: manifest?.version ?? null,
      board: manifest?.board ?? null,
    },
    devices: ends.map(deviceDocument),
    totals: {
      updated: count('updated'),
      failed: count('failed'),
      blocked: count('blocked'),
      notStarted: count('notStarted'),
      alreadyUpdated: count('alreadyUpdated'),
    },
  };
}

function deviceDocument(end: DeviceEnd): DocumentOf<'upload'>['devices'][number] {
  const { name, host, port, method } = end.target;
  const target = { name, host, port, method };
  switch (end.outcome) {
    case 'updated':
    case 'failed': {
      const { artifact, warnings } = end.step;
      const { verdict, confirmation, durationMs } = end.result;
      return {
        ...target,
        outcome: end.outcome,
        artifact: artifact.file,
        sizeBytes: artifact.sizeBytes,
        verdict,
        message: describeVerdict(verdict).text,
        hint: hintOf(end) ?? null,
        confirmation: confirmation ?? null,
        warnings: warnings.map(ruleDocument),
        durationMs,
      };
    }
    case 'blocked':
      return {
        ...target,
        outcome: end.outcome,
        blockedBy: end.blockedBy.map((finding) => ({
          ...ruleDocument(finding),
          fixes: [...finding.fixes],
          artifact: finding.artifact,
        })),
      };
    case 'notStarted':
    case 'alreadyUpdated':
      return { ...target, outcome: end.outcome };
  }
}

function ruleDocument({ rule, message, fix }: PreflightFinding) {
  return { rule, message, fix };
}

/** Formats the results as a table. Returns undefined for fewer than two devices. */
export function summaryOf(ends: readonly DeviceEnd[]): TextBlock | undefined {
  if (ends.length < 2) return undefined;
  return table([['device', 'address', 'sent', 'took', 'outcome'], ...ends.map(rowOf)]);
}

function rowOf(end: DeviceEnd): string[] {
  const { name, host, port } = end.target;
  const place = [name, `${host}:${port}`];
  switch (end.outcome) {
    case 'updated':
    case 'failed': {
      const { artifact } = end.step;
      const sent = `${artifact.file} ${Math.ceil(artifact.sizeBytes / 1024)} KB`;
      const { verdict, confirmation, durationMs } = end.result;
      return [...place, sent, secondsText(durationMs), `${end.outcome}: ${confirmation?.kind ?? verdict.kind}`];
    }
    case 'blocked':
      return [...place, '-', '-', `blocked: ${[...new Set(end.blockedBy.map(({ rule }) => rule))].join(', ')}`];
    case 'notStarted':
      return [...place, '-', '-', 'not started'];
    case 'alreadyUpdated':
      return [...place, '-', '-', 'updated by an earlier run'];
  }
}
