import { join } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';
import { AccessFailures } from './auth/access-failures.ts';
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
import { ClockSkew } from './services/clock-skew.ts';
import { DeviceRecords } from './services/devices/device-records.ts';
import { LastSeen } from './services/devices/last-seen.ts';
import { NewDevices } from './services/devices/new-devices.ts';
import { NotEnrolledDevices } from './services/devices/not-enrolled.ts';
import { DomainEvents } from './services/events/domain-events.ts';
import { readFleetCounts } from './services/fleet-counts.ts';
import { Health } from './services/health.ts';
import { loadMqtt } from './services/mqtt/load-mqtt.ts';
import { MqttPublisher } from './services/mqtt/publisher.ts';
import { Outage } from './services/outage.ts';
import { Refusals } from './services/refusals.ts';
import { Catalog } from './services/releases/catalog.ts';
import { Uploads } from './services/releases/uploads.ts';
import { Verifier } from './services/releases/verifier.ts';
import { Rollouts } from './services/rollouts/rollouts.ts';
import { ServedClock } from './services/rollouts/service-clock.ts';
import { Deliveries } from './services/webhooks/deliveries.ts';
import type { BlobStore } from './storage/blob-store.ts';
import { blobsCheckedLater } from './storage/blobs/blobs-checked-later.ts';
import { blobsOutageIn, dataError } from './storage/data-error.ts';
import { identifyBlobs, requireWhole } from './storage/data-identity.ts';
import { openBlobs } from './storage/open-blobs.ts';
import { openStore } from './storage/open-store.ts';
import type { OpeningRules } from './storage/sql/sqlite/open-sqlite.ts';
import type { Store } from './storage/store.ts';

/** Records and blobs of one server. */
export interface ServerData {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Data of a server that may have started while its bucket could not be reached. */
export interface ServedData extends ServerData {
  /** Reason why the bucket could not be reached; undefined if the data was checked. */
  readonly unreachable: unknown;
  /** Checks what could not be checked at the start. @throws BlobsUnavailableError, and errors from `openData` */
  check(): Promise<void>;
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
  { acceptsLoss = false, onUpgrade }: Omit<OpeningRules, 'mayCreate'> = {},
): Promise<ServerData> {
  try {
    const blobs = await openBlobs(blobsUrl ?? `file:${data}`, { env });
    const mayCreate = acceptsLoss || (await identifyBlobs(blobs)).areUnused;
    const store = await openStore(storeUrl ?? `sqlite:${join(data, 'ota.db')}`, holder, {
      mayCreate,
      acceptsLoss,
      onUpgrade,
    });
    try {
      if (!acceptsLoss) await requireWhole({ store, blobs }, storeUrl === undefined ? data : undefined);
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
 * Opens the data of a server. If the bucket of a known database cannot be reached, the blobs are unavailable until `check` succeeds: the
 * server responds to update checks without them.
 *
 * @throws OtaError errors from `openData`
 */
export async function openServedData(
  place: DataPlace,
  holder: string,
  rules: Omit<OpeningRules, 'mayCreate'>,
): Promise<ServedData> {
  try {
    return { ...(await openData(place, holder, rules)), unreachable: undefined, check: async () => undefined };
  } catch (error) {
    if (rules.acceptsLoss === true || blobsOutageIn(error) === undefined) throw error;
    return openWithoutBlobs(place, holder, { unreachable: error, onUpgrade: rules.onUpgrade });
  }
}

interface WithoutBlobs extends Pick<OpeningRules, 'onUpgrade'> {
  /** Error to throw if the database is new: whether it belongs to the blobs is not known. */
  readonly unreachable: unknown;
}

async function openWithoutBlobs(
  place: DataPlace,
  holder: string,
  { unreachable, onUpgrade }: WithoutBlobs,
): Promise<ServedData> {
  const { data, storeUrl, blobsUrl, env } = place;
  const stored = await openBlobs(blobsUrl ?? `file:${data}`, { env, isCheckedLater: true });
  const url = storeUrl ?? `sqlite:${join(data, 'ota.db')}`;
  const store = await openStore(url, holder, { mayCreate: false, onUpgrade }).catch((error: unknown) => {
    const isMissing = error instanceof OtaError && error.code === 'SERVER_DATABASE_LOST';
    throw isMissing ? unreachable : dataError(data, error);
  });
  if ((await store.identity().catch(() => undefined)) === undefined) {
    await store.close();
    throw unreachable;
  }
  const { blobs, check } = blobsCheckedLater(stored, async () => {
    try {
      await stored.check();
      await requireWhole({ store, blobs: stored }, storeUrl === undefined ? data : undefined);
    } catch (error) {
      throw blobsOutageIn(error) ?? dataError(data, error);
    }
  });
  return { store, blobs, unreachable, check };
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

/**
 * Creates the parts of a server without starting to listen.
 *
 * @throws OtaError MQTT_MISSING
 */
export async function makeParts(
  { store, blobs, check = async () => undefined }: ServerData & Partial<Pick<ServedData, 'check'>>,
  options: Omit<ServerOptions, 'data' | 'storeUrl' | 'blobsUrl' | 'host' | 'port' | 'trustedProxies'> &
    Partial<Pick<ServerParts, 'authority' | 'isTrustedProxy'>>,
  stopping: AbortSignal,
): Promise<ServerParts> {
  const log = limitRepeats(options.log);
  const limits: ServerLimits = { ...defaultLimits, ...options.limits };
  const counters = newCounters();
  const downloads = new Downloads(limits.mostDownloads, options.stallMs ?? defaultStallMs);
  const lastSeen = new LastSeen(store.devices);
  const events = new DomainEvents(log, store.notices);
  countEvents(events, counters);
  const clock = await ServedClock.open(store);
  const catalog = await Catalog.open(store, clock);
  const rollouts = new Rollouts({ store, catalog, clock, events, log });
  await rollouts.haltAll();
  const { mostDevices, failuresPerAddress, failuresPerSecond } = limits;
  const records = new DeviceRecords({ store: store.devices, catalog, rollouts, lastSeen, events, mostDevices });
  const notEnrolled = new NotEnrolledDevices(store.notEnrolled);
  const outage = new Outage(log);
  events.follow(async ({ type, mac }) => {
    if (type === 'device.enrolled' && mac !== undefined) notEnrolled.remove(mac);
    // The poll reads the change if the database is unavailable now.
    if (!type.startsWith('device.')) await catalog.update().catch((error: unknown) => outage.note(error));
  });
  const { mqtt: settings } = options;
  const published = { store, catalog, records, clock, events, outage, log };
  const failures = new TokenBuckets(failuresPerAddress, failuresPerSecond);
  const skew = new ClockSkew(store, log);
  // The load of the server can be observed while the database is unavailable.
  const fleet = (project?: string) =>
    readFleetCounts({ store, catalog }, project).catch((error: unknown) => {
      if (outage.note(error)) return [];
      throw error;
    });
  const webhooks = () =>
    store.webhooks.pending().catch((error: unknown) => {
      if (outage.note(error)) return new Map();
      throw error;
    });
  return {
    store,
    blobs,
    catalog,
    rollouts,
    records,
    lastSeen,
    bytes: new ArtifactBytes(blobs),
    downloads,
    credentials: new CredentialChecker(),
    failures,
    accessFailures: new AccessFailures(store.failures, failures, {
      burst: failuresPerAddress,
      perSecond: failuresPerSecond,
    }),
    newDevices: new NewDevices(limits.newDevicesPerNetwork),
    notEnrolled,
    isTrustedProxy: options.isTrustedProxy ?? (() => false),
    accelPath: options.accelPath,
    clock,
    skew,
    outage,
    deliveries: new Deliveries({ store, log, outage }),
    mqtt: settings && new MqttPublisher({ ...published, settings, mqtt: await loadMqtt() }),
    checkBlobs: check,
    counters,
    log,
    health: new Health({ store, blobs, catalog, skew, outage, log }),
    verifier: options.verifier ?? new Verifier(limits),
    openMetrics: options.openMetrics ?? false,
    basePath: options.basePath ?? '',
    authHeader: options.authHeader?.toLowerCase(),
    metrics: makeMetrics({ counters, downloads, fleet, webhooks, outage }),
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
