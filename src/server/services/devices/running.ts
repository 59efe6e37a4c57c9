import { sketchAreaByHeaders } from '../../../core/firmware/flash-layout.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { factsOfBuild } from '../../../core/preflight/running.ts';
import type { DeviceRecord, Recognized, ReleaseRecord, RunningRecord } from '../../storage/records.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import type { DeviceReport } from './report.ts';

/**
 * What runs on a device. md5: exactly this build, which may have been published under several names. version: the sketch says so, which
 * tells nothing of its core or its key (people rebuild without a new number). unknown: neither.
 */
export type Running =
  | { readonly by: 'md5'; readonly builds: readonly [Recognized, ...Recognized[]] }
  | { readonly by: 'version'; readonly version: string }
  | { readonly by: 'unknown' };

/** The best name for a build comes first: of the project that is asked, offered rather than only known, the best proven, the newest. */
export function whatRuns(project: string, report: DeviceReport, recognized: readonly Recognized[]): Running {
  const [first, ...others] = [...recognized].sort(
    ({ release: a }, { release: b }) =>
      Number(b.project === project) - Number(a.project === project) ||
      proof(b) - proof(a) ||
      Number(b.purpose === 'serve') - Number(a.purpose === 'serve') ||
      b.id - a.id,
  );
  if (first !== undefined) return { by: 'md5', builds: [first, ...others] };
  return report.version === undefined ? { by: 'unknown' } : { by: 'version', version: report.version };
}

/** Equal bytes: what was proven of one of them holds for all. */
function proof({ manifest }: ReleaseRecord): number {
  return manifest.enforcement === 'unproven' ? 0 : 1;
}

export function isRunning(running: Running, releaseId: number): boolean {
  return running.by === 'md5' && running.builds.some(({ release }) => release.id === releaseId);
}

/** What is stored of it; undefined for what is not known. Since when: as before, while it is the same. */
export function runningRecord(
  running: Running,
  before: RunningRecord | undefined,
  { servedMs }: ServiceTime,
): RunningRecord | undefined {
  switch (running.by) {
    case 'md5': {
      const { id, version } = running.builds[0].release;
      if (before?.by === 'md5' && before.releaseId === id && before.sinceMs !== undefined) return before;
      return { by: 'md5', version, releaseId: id, sinceMs: servedMs };
    }
    case 'version':
      return { by: 'version', version: running.version };
    case 'unknown':
      return undefined;
  }
}

/** All that is known of a device: what it says, what its build tells, what somebody entered. What it says of its sizes goes first. */
export function deviceFacts(report: DeviceReport, running: Running, record: DeviceRecord): DeviceFacts {
  const [build] = running.by === 'md5' ? running.builds : [];
  const built: DeviceFacts =
    build === undefined ? {} : { ...factsOfBuild(build.release.manifest), flashMode: build.flashMode };
  const fsStart = report.facts.fsStart ?? built.fsStart;
  return {
    ...built,
    ...present(report.facts),
    fsStart,
    fsEnd: filesystemEnd(report, built, fsStart),
    board: record.board ?? built.board,
    atomicFs: record.atomicFs,
  };
}

/** The layout that the build was linked for, or the only one of the core's with this start. */
function filesystemEnd(report: DeviceReport, built: DeviceFacts, fsStart: number | undefined): number | undefined {
  if (built.fsEnd !== undefined && built.fsStart === fsStart) return built.fsEnd;
  const { freeSpaceBytes, facts } = report;
  const { sketchSizeBytes, chipSizeBytes } = facts;
  if (freeSpaceBytes === undefined || sketchSizeBytes === undefined || chipSizeBytes === undefined) return undefined;
  if (built.core === undefined) return undefined;
  const area = sketchAreaByHeaders({ freeSpaceBytes, sketchSizeBytes, chipSizeBytes }, built.core);
  const ends = new Set(area?.candidates.map(({ fsEnd }) => fsEnd));
  const [only] = ends;
  return ends.size === 1 ? only : undefined;
}

/** A fact that the request does not tell must not hide one that the build does. */
function present(facts: DeviceFacts): DeviceFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** The board that it is of, as far as somebody or its build says. */
export function boardOf(running: Running, record: DeviceRecord): string | undefined {
  if (record.board !== undefined) return record.board;
  const release: ReleaseRecord | undefined = running.by === 'md5' ? running.builds[0].release : undefined;
  return release === undefined || release.board === '' ? undefined : release.board;
}
