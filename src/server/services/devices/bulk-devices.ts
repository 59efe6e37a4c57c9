import { setImmediate } from 'node:timers/promises';
import { defaultChannel } from '../../../api/release.ts';
import { mostLabels } from '../../../api/release-admin.ts';
import type { Actor, DeviceRecord, SeenDevice } from '../../storage/records.ts';
import type { DeviceFilter } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { changedAtOnce, isRetryable } from './device-sets.ts';
import { changedSettings, type SharedSettings } from './device-settings.ts';
import { previewIn } from './preview.ts';
import { withoutFailures } from './retry-device.ts';

/** Devices that a person has selected one by one, or all devices that match a filter. */
export type BulkTarget = { readonly macs: readonly string[] } | { readonly filter: DeviceFilter };

/** Action on several devices. */
export type BulkAction =
  | { readonly kind: 'retry' | 'remove' }
  | { readonly kind: 'change'; readonly change: SharedSettings }
  | { readonly kind: 'label'; readonly add?: string | undefined; readonly remove?: string | undefined };

type Parts = Pick<ServiceParts, 'records' | 'rollouts' | 'clock' | 'catalog' | 'store'>;

interface Bulk {
  readonly project: string;
  readonly macs: readonly string[];
  readonly action: BulkAction;
  readonly by: Actor;
}

export interface BulkOutcome {
  /** Number of devices that were changed. */
  readonly changed: number;
  /** Number of devices whose retry has to wait for the results of the devices that were retried first. */
  readonly waiting: number;
}

/** Number of devices outside of rollouts that may be retried before their results decide. */
export const retriedAtOnce = 100;
/** The limits of a rollout without limits of its own; see `rolloutHalt` in `src/api/rollout.ts`. */
const retryHalt = { failurePercent: 10, minimumSample: 10 } as const;
/** Deciding for one device takes about 0.1 ms of CPU. */
const mostPreviewed = 10_000;

/** Returns the MACs of the devices that are meant. */
export async function macsOfTarget(
  { records }: Parts,
  project: string,
  target: BulkTarget,
): Promise<readonly string[]> {
  if ('filter' in target) return records.macs(project, target.filter);
  const found = await records.findAll(project, target.macs);
  return target.macs.filter((mac) => found?.has(mac));
}

/**
 * Acts on several devices, 250 in each transaction, and writes an audit entry for each changed device.
 *
 * @throws DomainError conflict if too many of the devices that were retried last have failed again
 */
export async function actOnDevices(parts: Parts, bulk: Bulk): Promise<BulkOutcome> {
  const { project, macs, action, by } = bulk;
  if (action.kind === 'retry') return retryPaced(parts, bulk);
  let changed = 0;
  if (action.kind === 'remove') {
    for (const mac of macs) if (await parts.records.remove(project, mac, by)) changed++;
    return { changed, waiting: 0 };
  }
  const change = (record: DeviceRecord | undefined) => record && afterAction(record, action);
  for (let at = 0; at < macs.length; at += changedAtOnce) {
    const some = macs.slice(at, at + changedAtOnce);
    changed += (await parts.records.changeAll(project, some, change, { by, action: 'edit' })).changed.length;
    await setImmediate();
  }
  return { changed, waiting: 0 };
}

/** Returns a record after an action that changes its settings; the same object if nothing changes. */
function afterAction(record: DeviceRecord, action: BulkAction): DeviceRecord {
  if (action.kind === 'change') return changedSettings(record, action.change);
  if (action.kind !== 'label') return record;
  const { add, remove } = action;
  if (add !== undefined && (record.labels?.length ?? 0) >= mostLabels) return record;
  const labels = (record.labels ?? []).filter((label) => label !== remove);
  return changedSettings(record, { labels: add === undefined ? labels : [...labels, add] });
}

/**
 * Retries devices. A rollout in progress decides about its devices: they wait for their stage, and its limits halt it. Other devices have no
 * such limits, so at most 100 of them are retried until their results are known.
 */
async function retryPaced(parts: Parts, { project, macs, by }: Bulk): Promise<BulkOutcome> {
  const { records, rollouts, clock } = parts;
  const at = clock.now().wallMs;
  const before = await retriedBefore(parts, project);
  const finished = before.updated + before.failed;
  if (finished >= retryHalt.minimumSample && before.failed * 100 >= finished * retryHalt.failurePercent) {
    throw new DomainError(
      'conflict',
      `${before.failed} of the ${finished} devices that were retried last have failed again`,
      'Find the cause on the page of one of these devices, then retry single devices on their pages.',
    );
  }
  let room = Math.max(0, retriedAtOnce - before.unfinished);
  let changed = 0;
  let waiting = 0;
  for (let start = 0; start < macs.length; start += changedAtOnce) {
    const some = macs.slice(start, start + changedAtOnce);
    // A transaction that is repeated must decide in the same way.
    const free = new Set<string>();
    const held = new Set<string>();
    const retry = (record: DeviceRecord | undefined) => {
      if (record === undefined || !isRetryable(record)) return record;
      if (rollouts.ofDevice(record) === undefined && !free.has(record.mac)) {
        if (free.size >= room) {
          held.add(record.mac);
          return record;
        }
        free.add(record.mac);
      }
      return withoutFailures(record, at);
    };
    changed += (await records.changeAll(project, some, retry, { by, action: 'retry' })).changed.length;
    room -= free.size;
    waiting += held.size;
    await setImmediate();
  }
  await rollouts.lowerAccepted(project);
  return { changed, waiting };
}

/** Returns the results of the devices outside of rollouts that were retried last. */
async function retriedBefore({ store, records, rollouts }: Parts, project: string) {
  const entries = await store.audit.list({ limit: retriedAtOnce, project, action: 'device.retried' });
  const macs = new Set(entries.flatMap(({ detail }) => (typeof detail['mac'] === 'string' ? [detail['mac']] : [])));
  const found = await records.findAll(project, [...macs]);
  const counts = { updated: 0, failed: 0, unfinished: 0 };
  for (const record of found?.values() ?? []) {
    if (rollouts.ofDevice(record) !== undefined) continue;
    const codes = [record.decisions.sketch?.code, record.decisions.filesystem?.code];
    if (isRetryable(record)) counts.failed++;
    else if (codes.includes('retry') || record.attempts.some(({ state }) => state === 'sent' || state === 'received')) {
      counts.unfinished++;
    } else counts.updated++;
  }
  return counts;
}

/** Decisions about the next update checks of devices, as a change would make them. */
export interface BulkPreview {
  readonly devices: number;
  readonly send: number;
  readonly upToDate: number;
  /** Numbers of devices without an update, by the code of the decision, the most devices first. */
  readonly none: readonly (readonly [code: string, devices: number])[];
}

/** Previews what a change of settings means for the next update checks. Decides for the first 10,000 devices. */
export async function previewChange(
  { records, catalog, clock }: Parts,
  project: string,
  target: BulkTarget,
  change: SharedSettings,
): Promise<BulkPreview> {
  const view = catalog.view(project);
  const none = new Map<string, number>();
  const counts = { devices: 0, send: 0, upToDate: 0 };
  const now = clock.now();
  const count = async ({ record, ...seen }: SeenDevice) => {
    if (view === undefined) return;
    const after = changedSettings(record, change);
    const channel = after.channel ?? after.requestedChannels?.[0] ?? defaultChannel;
    const { action, code } = await previewIn(view, { record: after, ...seen }, { channel, now });
    counts.devices++;
    if (action === 'send') counts.send++;
    else if (action === 'up-to-date') counts.upToDate++;
    else none.set(code, (none.get(code) ?? 0) + 1);
  };
  if ('macs' in target) {
    for (const mac of target.macs) {
      const seen = await records.show(project, mac);
      if (seen !== undefined) await count(seen);
    }
  } else {
    for (let after: string | undefined; counts.devices < mostPreviewed; ) {
      const page = await records.list(project, { after, limit: changedAtOnce }, target.filter);
      for (const seen of page) await count(seen);
      after = page.at(-1)?.record.mac;
      if (page.length < changedAtOnce) break;
      await setImmediate();
    }
  }
  return { ...counts, none: [...none].sort(([, a], [, b]) => b - a) };
}
