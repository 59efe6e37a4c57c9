import { setTimeout } from 'node:timers/promises';
import { webhookEvents } from '../../api/webhooks.ts';
import { sealData } from '../storage/data-identity.ts';
import type { DeviceRecord } from '../storage/records.ts';
import { StoreUnavailableError } from '../storage/store-unavailable.ts';
import { overdue } from './devices/attempts.ts';
import { theServer } from './events/domain-event.ts';
import { HistoryCleaner } from './history.ts';
import type { ServiceParts } from './parts.ts';
import { advanceEveryMs } from './rollouts/service-clock.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const sweepEveryMs = 10 * secondMs;
/** Last-seen times are exact to a minute: they are written at this interval, and the write may take some time. */
const flushEveryMs = 30 * secondMs;
const cleanEveryMs = 60 * minuteMs;
/** Time limit for publishing an upload. After this time, the upload is removed. */
const orphanAgeMs = 24 * 60 * minuteMs;
/** Time after its last check-in for which a device without a project is listed. */
const notEnrolledAgeMs = 7 * 24 * 60 * minuteMs;
const sweptAtOnce = 100;
/** Age from which the numbers of devices by version are removed. */
const sampleAgeMs = 90 * 24 * 60 * minuteMs;
/** Limits of the log of webhook deliveries. */
const deliveryAgeMs = 30 * 24 * 60 * minuteMs;
const mostDeliveries = 1000;

/** Runs periodic maintenance until it is stopped: some of it in every process, and the rest only in the process that leads. */
export function startMaintenance(parts: ServiceParts): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const every = repeaterOf(parts, stopping.signal);
  const ofProcess = [
    every(secondMs, pollStore),
    every(secondMs, pollBlobs),
    every(flushEveryMs, ({ lastSeen }) => lastSeen.flush()),
    every(secondMs, async ({ notEnrolled }) => void (await notEnrolled.update())),
    every(minuteMs, ({ skew }) => skew.compare()),
    // Rejected requests from an address share an audit entry within this interval.
    every(minuteMs, ({ refusals }) => refusals.flush()),
  ];
  const lead = parts.store.lead((signal) => leadMaintenance(parts, signal));
  return {
    async stop() {
      stopping.abort();
      await lead.stop();
      await Promise.all(ofProcess);
      // This data may be lost in a crash, so an unavailable database or a full disk must not prevent the server from stopping.
      const notSaved = (error: unknown) => parts.log.error({ err: error }, 'Last check-ins not saved');
      await parts.lastSeen.flush().catch(notSaved);
      await parts.refusals.flush().catch(notSaved);
    },
  };
}

/** Maintenance of the data that all processes share. Nothing is wrong if two processes do it at the same time. */
async function leadMaintenance(parts: ServiceParts, signal: AbortSignal): Promise<void> {
  const every = repeaterOf(parts, signal);
  const advance = () => parts.clock.advance();
  const deliver = () => parts.deliveries.start(signal);
  const history = new HistoryCleaner(parts);
  const unfollow = parts.events.follow(async ({ type }) => {
    // Events of devices are many. They wait for the next second.
    if (webhookEvents.some((event) => event === type) && !type.startsWith('device.')) await attempt(parts, deliver);
  });
  await attempt(parts, advance);
  await Promise.all([
    parts.mqtt?.lead(signal),
    every(advanceEveryMs, advance),
    every(secondMs, ({ rollouts }) => rollouts.maintain()),
    every(secondMs, deliver),
    every(sweepEveryMs, failOverdueDevices),
    every(minuteMs, sealData),
    every(minuteMs, ({ store }) => store.counts.removeEmpty()),
    every(cleanEveryMs, clean),
    every(cleanEveryMs, ({ store }) => store.charts.takeSample(Date.now(), Date.now() - sampleAgeMs)),
    every(secondMs, () => history.step(Date.now())),
  ]);
  unfollow();
  await parts.deliveries.idle();
  await attempt(parts, advance);
}

type Work = (parts: ServiceParts) => Promise<void>;

/** Returns a function that does work again and again, with a pause before each time, until the signal aborts. */
function repeaterOf(parts: ServiceParts, signal: AbortSignal): (ms: number, work: Work) => Promise<void> {
  return async (ms, work) => {
    while (!signal.aborted) {
      // The pause rejects when the signal aborts.
      await setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await attempt(parts, work);
    }
  };
}

async function attempt(parts: ServiceParts, work: Work): Promise<void> {
  try {
    await work(parts);
  } catch (error) {
    if (!parts.outage.note(error)) parts.log.error({ err: error }, 'Maintenance failed');
  }
}

/** Reads the changes that other processes have made. */
async function pollStore({ catalog, clock, outage }: ServiceParts): Promise<void> {
  await catalog.update();
  await clock.update();
  outage.end('database');
}

/** Notices the end of an outage of the bucket. The other work does not wait for a bucket that does not respond. */
async function pollBlobs({ blobs, outage, checkBlobs }: ServiceParts): Promise<void> {
  if (!outage.isOngoing('bucket')) return;
  await checkBlobs();
  await blobs.seals();
  outage.end('bucket');
}

async function clean(parts: ServiceParts): Promise<void> {
  const { store } = parts;
  await removeOrphans(parts);
  await store.sessions.removeEnded(Date.now());
  await store.failures.removeFull();
  await store.notEnrolled.removeBefore(Date.now() - notEnrolledAgeMs);
  await store.webhooks.removeOld({ before: Date.now() - deliveryAgeMs, most: mostDeliveries });
}

/** Fails attempts of devices that started to download an update and did not check in again in time. */
export async function failOverdueDevices({ store, records, clock, log }: ServiceParts): Promise<void> {
  for (;;) {
    const now = clock.now();
    const found = await store.devices.overdue(now.servedMs, sweptAtOnce);
    let changed = 0;
    for (const { project, mac } of found) {
      const fail = (record: DeviceRecord | undefined) =>
        record && { ...record, attempts: overdue(record.attempts, now) };
      try {
        await records.change(project, mac, fail, { by: theServer });
        changed++;
        log.warn({ project, mac }, 'Device did not confirm an update in time');
      } catch (err) {
        // A failure does not prevent the work for the other devices.
        if (err instanceof StoreUnavailableError) throw err;
        log.error({ err, project, mac }, 'Overdue attempt not ended');
      }
    }
    if (found.length < sweptAtOnce || changed === 0) return;
  }
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
