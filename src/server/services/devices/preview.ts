import { newRecord } from '../../storage/device-record.ts';
import type { SeenDevice, StoredReport } from '../../storage/records.ts';
import type { ServiceParts } from '../parts.ts';
import type { ProjectView } from '../releases/project-view.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import { type Decision, decide, type Releases } from './decide.ts';
import { type DeviceReport, readReport } from './report.ts';
import { whatRuns } from './running.ts';

type Parts = Pick<ServiceParts, 'catalog' | 'records' | 'clock'>;

const nothing: Releases = { current: [], intermediateReleases: [] };

/**
 * Decides what a device would be sent at its next update check for a sketch, from its last report, without changing anything. If the device
 * has never checked in, all facts about it are unknown.
 *
 * @param channel channel in the URL of the update check
 * @returns undefined if the project does not exist
 */
export async function previewDecision(
  { catalog, records, clock }: Parts,
  { project, mac, channel }: { readonly project: string; readonly mac: string; readonly channel: string },
): Promise<Decision | undefined> {
  const view = catalog.view(project);
  if (view === undefined) return undefined;
  const seen = (await records.show(project, mac)) ?? { record: newRecord(project, mac) };
  return previewIn(view, seen, { channel, now: clock.now() });
}

/** Decides in the same way for a device that was already read. */
export async function previewIn(
  view: ProjectView,
  { record, report: stored = {} }: SeenDevice,
  { channel, now }: { readonly channel: string; readonly now: ServiceTime },
): Promise<Decision> {
  const report = reportOf(stored);
  const { sketchMd5 } = report;
  const recognized = sketchMd5 === undefined ? [] : await view.recognize(sketchMd5);
  const releases = view.channels.get(record.channel ?? channel) ?? nothing;
  const current = record.pin === undefined ? undefined : await view.withVersion(record.pin);
  const { decision } = decide({
    mode: 'sketch',
    channel,
    report,
    running: whatRuns(report, recognized, record),
    record,
    releases: current === undefined ? releases : { ...releases, current, rollout: undefined },
    retryPolicy: view.project,
    now,
    from: { authenticated: false },
    hasNewestSecret: false,
  });
  return decision;
}

function reportOf({ sketchMd5, version, sdkVersion, ...sizes }: StoredReport): DeviceReport {
  return readReport({
    'x-esp8266-sketch-md5': sketchMd5,
    'x-esp8266-version': version,
    'x-esp8266-sdk-version': sdkVersion,
    'x-esp8266-free-space': sizes.freeSpaceBytes?.toString(),
    'x-esp8266-sketch-size': sizes.sketchSizeBytes?.toString(),
    'x-esp8266-chip-size': sizes.chipSizeBytes?.toString(),
  });
}
