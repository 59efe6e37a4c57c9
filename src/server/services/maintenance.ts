import { sealData } from '../storage/data-identity.ts';
import type { DeviceRecord } from '../storage/records.ts';
import { overdue } from './devices/attempts.ts';
import { theServer } from './events/domain-event.ts';
import type { ServiceParts } from './parts.ts';

const minuteMs = 60_000;
const sweepEveryMs = 10_000;
const rolloutsEveryMs = 1000;
const flushEveryMs = minuteMs;
/** Time that changes stay in memory before they are written. After an update, most devices check in again sooner. */
const waitsMs = minuteMs;
/** Interval for which rejected requests from an address share an audit entry. */
const refusalsEveryMs = minuteMs;
const cleanEveryMs = 60 * minuteMs;
/** Time limit for publishing an upload. After this time, the upload is removed. */
const orphanAgeMs = 24 * 60 * minuteMs;
const sweptAtOnce = 100;

/** Runs periodic maintenance until it is stopped. */
export function startMaintenance(parts: ServiceParts): { stop(): Promise<void> } {
  const running = new Set<Promise<void>>();
  const every = (ms: number, work: (parts: ServiceParts) => Promise<void>) =>
    setInterval(() => {
      const run = work(parts)
        .catch((error: unknown) => parts.log.error({ err: error }, 'Maintenance failed'))
        .finally(() => running.delete(run));
      running.add(run);
    }, ms).unref();
  const timers = [
    every(rolloutsEveryMs, ({ rollouts }) => rollouts.maintain()),
    every(sweepEveryMs, failOverdueDevices),
    every(flushEveryMs, async (all) => {
      await saveWaiting(all, Date.now() - waitsMs);
      await sealData(all);
    }),
    every(refusalsEveryMs, ({ refusals }) => refusals.flush()),
    every(cleanEveryMs, (all) => removeOrphans(all)),
  ];
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running);
      // This data may be lost in a crash, so a full disk must not prevent the server from stopping.
      const notSaved = (error: unknown) => parts.log.error({ err: error }, 'Last check-ins not saved');
      await saveWaiting(parts).catch(notSaved);
      await parts.refusals.flush().catch(notSaved);
    },
  };
}

/** Fails attempts of devices that started to download an update and did not check in again in time. */
export async function failOverdueDevices({ store, records, clock, log }: ServiceParts): Promise<void> {
  for (;;) {
    const now = clock.now();
    const found = await store.devices.overdue(now.servedMs, sweptAtOnce);
    for (const { project, mac } of found) {
      const fail = (record: DeviceRecord | undefined) =>
        record && { ...record, attempts: overdue(record.attempts, now) };
      await records.change(project, mac, fail, { by: theServer });
      log.warn({ project, mac }, 'Device did not confirm an update in time');
    }
    if (found.length < sweptAtOnce) return;
  }
}

/** Writes data that is only in memory. Records changed after `latest` stay in memory. */
export async function saveWaiting(
  { records, lastSeen, store, clock }: ServiceParts,
  latest = Number.POSITIVE_INFINITY,
): Promise<void> {
  await records.flush(latest);
  await lastSeen.flush();
  await store.setServedMs(clock.now().servedMs);
}

/**
 * Removes unfinished uploads, and blobs that were uploaded but not published, if they were last written before `at`. A blob whose upload is
 * not recorded is kept: a record that refers to the blob may have been lost.
 */
export async function removeOrphans(
  { store, blobs, log }: Pick<ServiceParts, 'store' | 'blobs' | 'log'>,
  at = Date.now() - orphanAgeMs,
): Promise<void> {
  for (const sha256 of await store.uploads.before(at)) {
    const wasRemoved = await store.uploads.removeUnpublished(sha256, at, () => blobs.remove(sha256));
    if (wasRemoved) log.info({ sha256, complete: true }, 'Removed an upload that was not published');
  }
  for (const { sha256, complete, uploader } of await blobs.olderThan(at)) {
    if (complete) continue;
    await blobs.remove(sha256, uploader);
    log.info({ sha256, complete }, 'Removed an upload that was not published');
  }
  await store.uploads.removeBefore(at);
}
