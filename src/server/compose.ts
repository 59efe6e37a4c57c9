import { join } from 'node:path';
import AsyncLock from 'async-lock';
import { CredentialChecker } from './auth/credentials.ts';
import { TokenBuckets } from './auth/token-buckets.ts';
import { ArtifactBytes } from './http/device/artifact-bytes.ts';
import { Downloads, defaultStallMs } from './http/device/downloads.ts';
import { countEvents } from './observability/count-events.ts';
import { newCounters } from './observability/counters.ts';
import { limitRepeats } from './observability/log-repeats.ts';
import { makeMetrics } from './observability/metrics.ts';
import { defaultLimits, type ServerLimits, type ServerOptions } from './options.ts';
import type { ServerParts } from './parts.ts';
import { CachedResponses } from './services/devices/cached-responses.ts';
import { DeviceRecords } from './services/devices/device-records.ts';
import { LastSeen } from './services/devices/last-seen.ts';
import { NewDevices } from './services/devices/new-devices.ts';
import { NotEnrolledDevices } from './services/devices/not-enrolled.ts';
import { DomainEvents } from './services/events/domain-events.ts';
import { Health } from './services/health.ts';
import { Refusals } from './services/refusals.ts';
import { Catalog } from './services/releases/catalog.ts';
import { Uploads } from './services/releases/uploads.ts';
import { Verifier } from './services/releases/verifier.ts';
import { Rollouts } from './services/rollouts/rollouts.ts';
import { serviceClock } from './services/rollouts/service-clock.ts';
import type { BlobStore } from './storage/blob-store.ts';
import { dataError } from './storage/data-error.ts';
import { identifyBlobs, requireWhole } from './storage/data-identity.ts';
import { openBlobs } from './storage/open-blobs.ts';
import { openStore } from './storage/open-store.ts';
import type { Store } from './storage/store.ts';

/** Records and blobs of one server. */
export interface ServerData {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Data folder, and the URLs of data that is not in it. */
export type DataPlace = Pick<ServerOptions, 'data' | 'storeUrl' | 'blobsUrl' | 'env'>;

/**
 * Opens the server's records and blobs, in the folder `data` unless URLs are set. A database that is missing or older than the blobs is
 * an error: otherwise, the server would start without data or accept revoked tokens.
 *
 * @param holder description of this process in one line, shown to any other process that tries to open the same data
 * @throws OtaError STORAGE_URL_UNKNOWN, and errors from the store
 */
export async function openData(
  { data, storeUrl, blobsUrl, env }: DataPlace,
  holder: string,
  { acceptsLoss = false }: { readonly acceptsLoss?: boolean } = {},
): Promise<ServerData> {
  try {
    const blobs = await openBlobs(blobsUrl ?? `file:${data}`, { env });
    const mayCreate = acceptsLoss || (await identifyBlobs(blobs)).areUnused;
    const store = await openStore(storeUrl ?? `sqlite:${join(data, 'ota.db')}`, holder, { mayCreate, acceptsLoss });
    try {
      if (!acceptsLoss) await requireWhole({ store, blobs }, data);
      return { store, blobs };
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    throw dataError(data, error);
  }
}

/**
 * Opens stores without comparing them, for a copy. Stores that do not exist are created if possible.
 *
 * @throws OtaError STORAGE_URL_UNKNOWN, and errors from the stores
 */
export async function openStores(
  {
    storeUrl,
    blobsUrl,
    env,
  }: Required<Pick<ServerOptions, 'env'>> & { readonly storeUrl: string; readonly blobsUrl: string },
  holder: string,
): Promise<ServerData> {
  const blobs = await openBlobs(blobsUrl, { env });
  return { store: await openStore(storeUrl, holder), blobs };
}

/**
 * Opens the data of a stopped server for one task, and closes it afterwards.
 *
 * @throws OtaError SERVER_DATA_UNREADABLE, and errors from `openData`
 */
export async function useData<Result>(
  { holder, acceptsLoss = false, ...place }: DataPlace & { readonly holder: string; readonly acceptsLoss?: boolean },
  work: (opened: ServerData) => Promise<Result>,
): Promise<Result> {
  const { data } = place;
  const opened = await openData(place, holder, { acceptsLoss });
  try {
    return await work(opened);
  } catch (error) {
    throw dataError(data, error);
  } finally {
    await opened.store.close();
  }
}

/** Creates the parts of a server without starting to listen. */
export async function makeParts(
  { store, blobs }: ServerData,
  options: Omit<ServerOptions, 'data' | 'storeUrl' | 'blobsUrl' | 'host' | 'port' | 'trustedProxies'> &
    Partial<Pick<ServerParts, 'authority' | 'isTrustedProxy'>>,
  stopping: AbortSignal,
): Promise<ServerParts> {
  const log = limitRepeats(options.log);
  const limits: ServerLimits = { ...defaultLimits, ...options.limits };
  const counters = newCounters();
  const downloads = new Downloads(limits.mostDownloads, options.stallMs ?? defaultStallMs);
  const lastSeen = new LastSeen(store.devices);
  const quick = new CachedResponses();
  const events = new DomainEvents(log);
  countEvents(events, counters);
  const catalog = await Catalog.open(store);
  const clock = serviceClock(await store.servedMs());
  const records = new DeviceRecords(store.devices, { lastSeen, quick, events }, limits.mostDevices);
  const rollouts = await Rollouts.open({ store, catalog, clock, events, log });
  records.listen(rollouts);
  const notEnrolled = new NotEnrolledDevices();
  records.listen(notEnrolled);
  // Count the devices now, so that the first page view does not have to wait for the count of a large fleet.
  for (const { project } of catalog.views()) await store.devices.tally(project.name);
  return {
    store,
    blobs,
    catalog,
    rollouts,
    records,
    lastSeen,
    quick,
    bytes: new ArtifactBytes(blobs),
    downloads,
    credentials: new CredentialChecker(),
    failures: new TokenBuckets(limits.failuresPerAddress, limits.failuresPerSecond),
    newDevices: new NewDevices(limits.newDevicesPerNetwork),
    notEnrolled,
    isTrustedProxy: options.isTrustedProxy ?? (() => false),
    accelPath: options.accelPath,
    clock,
    counters,
    log,
    health: new Health({ store, blobs, catalog, clock }),
    publishing: new AsyncLock({ maxPending: Number.POSITIVE_INFINITY }),
    verifier: options.verifier ?? new Verifier(limits),
    openMetrics: options.openMetrics ?? false,
    metrics: makeMetrics(counters, downloads),
    events,
    uploads: new Uploads(
      { store, blobs },
      { bytes: limits.unpublishedBytesPerToken, files: limits.unpublishedFilesPerToken },
    ),
    refusals: new Refusals({ store, events, log: options.log }),
    authority: options.authority,
    stopping,
  };
}
