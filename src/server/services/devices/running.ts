import { sketchAreaByHeaders } from '../../../core/firmware/flash-layout.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { factsOfBuild } from '../../../core/preflight/running.ts';
import type { DeviceRecord, Recognized, ReleaseRecord, ReportSource, RunningRecord } from '../../storage/records.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import type { DeviceReport } from './report.ts';

/**
 * Build that runs on a device.
 *
 * - md5: recognized by its sketch MD5. Several releases may contain this build.
 * - version: identified only by the version that the sketch reports. The core and the key are unknown, because people rebuild without
 *   changing the version.
 * - unknown: not identified.
 */
export type Running =
  | { readonly by: 'md5'; readonly builds: readonly [Recognized, ...Recognized[]] }
  | { readonly by: 'version'; readonly version: string }
  | { readonly by: 'unknown' };

/**
 * Returns which build runs on a device: a trusted build, or one that this device was sent. Matches are sorted: first builds that the device
 * was sent, then builds with proven enforcement, then releases before reference builds, then the newest.
 *
 * @param recognized builds of the device's project
 */
export function whatRuns(
  report: DeviceReport,
  recognized: readonly Recognized[],
  { attempts }: Pick<DeviceRecord, 'attempts'>,
): Running {
  const wasSent = ({ id }: ReleaseRecord) => attempts.some(({ releaseId }) => releaseId === id);
  const known = recognized.filter(({ release, isTrusted }) => isTrusted || wasSent(release));
  const [first, ...others] = known.sort(
    ({ release: a }, { release: b }) =>
      Number(wasSent(b)) - Number(wasSent(a)) ||
      proof(b) - proof(a) ||
      Number(b.purpose === 'serve') - Number(a.purpose === 'serve') ||
      b.id - a.id,
  );
  if (first !== undefined) return { by: 'md5', builds: [first, ...others] };
  return report.version === undefined ? { by: 'unknown' } : { by: 'version', version: report.version };
}

/**
 * Ranks proven enforcement above unproven enforcement. The bytes of all matches are identical, so the proof for one release applies to all
 * of them.
 */
function proof({ manifest }: ReleaseRecord): number {
  return manifest.enforcement === 'unproven' ? 0 : 1;
}

export function isRunning(running: Running, releaseId: number): boolean {
  return running.by === 'md5' && running.builds.some(({ release }) => release.id === releaseId);
}

/** Returns the record to store; undefined if the build is unknown. `sinceMs` is kept as long as the build stays the same. */
export function runningRecord(
  running: Running,
  before: RunningRecord | undefined,
  { servedMs }: ServiceTime,
  from: ReportSource,
): RunningRecord | undefined {
  switch (running.by) {
    case 'md5': {
      const { id, version } = running.builds[0].release;
      if (before?.by === 'md5' && before.releaseId === id && before.sinceMs !== undefined) {
        return from.authenticated && before.from?.authenticated !== true ? { ...before, from } : before;
      }
      return { by: 'md5', version, releaseId: id, sinceMs: servedMs, from };
    }
    case 'version':
      return { by: 'version', version: running.version };
    case 'unknown':
      return undefined;
  }
}

/**
 * Combines the facts that the device reported, the facts derived from its build, and the facts entered manually. Reported facts
 * override the facts of the build.
 */
export function factsOfRunning(report: DeviceReport, running: Running, record: DeviceRecord): DeviceFacts {
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

/** Returns the end of the filesystem, from the layout of the build or from the core's only layout with this start address. */
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

/** Removes undefined facts, because they would hide facts from the build. */
function present(facts: DeviceFacts): DeviceFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** Returns a device's board: the board entered manually, or the board in the release of its build. */
export function boardOf(running: Running, record: DeviceRecord): string | undefined {
  return record.board ?? boardOfBuild(running);
}

/** Returns the board in the release of a device's build; undefined if it is unknown. */
export function boardOfBuild(running: Running): string | undefined {
  const release: ReleaseRecord | undefined = running.by === 'md5' ? running.builds[0].release : undefined;
  return release === undefined || release.board === '' ? undefined : release.board;
}
