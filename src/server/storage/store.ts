import type { UploadState } from '../../api/release.ts';
import type {
  Actor,
  AuditEntry,
  DeviceRecord,
  Offer,
  ProjectRecord,
  Recognized,
  ReleaseName,
  ReleaseRecord,
  RolloutRecord,
  SeenDevice,
  StoredReport,
  TokenRecord,
} from './records.ts';
import type { Standing } from './standing.ts';

/**
 * Everything that a server keeps. What any of these promises tells was written for good before it was fulfilled; only `touch`,
 * `setServedMs` and the samples of a rollout may be lost in a crash before that. `test/server/store-contract.ts` is what a store has to do.
 */
export interface Store {
  readonly catalog: CatalogStore;
  readonly devices: DeviceStore;
  readonly rollouts: RolloutStore;
  readonly tokens: TokenStore;
  readonly audit: AuditStore;
  readonly blobs: BlobStore;
  /** How long servers have run on this data, in milliseconds. */
  servedMs(): Promise<number>;
  setServedMs(servedMs: number): Promise<void>;
  /** All of it but the blobs, as lines that `restore` reads. */
  dump(): AsyncIterable<DumpLine>;
  /** Into an empty store, all of it or nothing. */
  restore(lines: AsyncIterable<DumpLine>): Promise<void>;
  close(): Promise<void>;
}

/** A row of a table, with values that JSON can hold. */
export interface DumpLine {
  readonly table: string;
  readonly row: Readonly<Record<string, string | number | null>>;
}

export interface Publication {
  readonly release: Omit<ReleaseRecord, 'id' | 'yanked'>;
  /** Where it is offered at once; undefined for builds that are held back or only recognized. */
  readonly channel: string | undefined;
  /** The project, when it is new or changes with it. */
  readonly project: ProjectRecord | undefined;
  readonly by: Actor;
}

/** version-taken: there is one with this name and other bytes. */
export interface PublicationResult {
  readonly outcome: 'published' | 'promoted' | 'unchanged' | 'version-taken';
  readonly release: ReleaseRecord;
}

export interface CatalogStore {
  projects(): Promise<readonly ProjectRecord[]>;
  saveProject(project: ProjectRecord, by: Actor): Promise<void>;
  /** In one step: the project, the release, the MD5s by which it is recognized, and what the channel offers. */
  publish(publication: Publication): Promise<PublicationResult>;
  /** The newest first. Ids grow with time. */
  releases(
    project: string,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly ReleaseRecord[]>;
  /** All that serve by these names and are not yanked are offered from now on; their ids were taken from `releases`. */
  offer(project: string, channel: string, releaseIds: readonly number[], by: Actor): Promise<void>;
  /** They are neither offered nor sent any more. */
  yank(project: string, releaseIds: readonly number[], reason: string, by: Actor): Promise<void>;
  /** What all channels of a project offer. */
  offers(project: string): Promise<readonly Offer[]>;
  /** What a channel has ever offered and is not yanked, the newest first. */
  offeredBefore(project: string, channel: string, most: number): Promise<readonly ReleaseRecord[]>;
  /** The builds that report themselves by this MD5 of 32 lower-case hex digits; few, since they are equal byte for byte. */
  recognize(sketchMd5: string): Promise<readonly Recognized[]>;
  find(project: string, name: ReleaseName): Promise<ReleaseRecord | undefined>;
  /** All kinds and boards of a version that serve and are not yanked. */
  withVersion(project: string, version: string): Promise<readonly ReleaseRecord[]>;
  /** Those that exist, yanked ones too. */
  byIds(ids: readonly number[]): Promise<readonly ReleaseRecord[]>;
  /** Whether a release needs this blob. */
  isReferenced(sha256: string): Promise<boolean>;
}

/** Where a list goes on, and how long it may become. Of `after` and `before` only one is given; before: the last ones before it. */
export interface Page {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Which devices of a project are meant; all that is given must fit. */
export interface DeviceFilter {
  /** Part of a MAC, with or without its colons, or of a name. */
  readonly text?: string | undefined;
  readonly standing?: Standing | undefined;
  /** That it runs, as far as it was recognized. */
  readonly runs?: string | undefined;
  readonly group?: string | undefined;
}

/** How many devices of a project have all of this in common. */
export interface DeviceCount {
  readonly standing: Standing;
  readonly runs?: string | undefined;
  readonly group?: string | undefined;
  readonly devices: number;
}

export interface Touch {
  readonly project: string;
  readonly mac: string;
  readonly at: number;
  readonly report: StoredReport;
}

/** What is done to a device: it is changed, may be sent again what it failed with, or has failed since it was not heard of in time. */
export type DeviceAction = 'device.change' | 'device.retry' | 'device.overdue';

export interface DeviceStore {
  get(project: string, mac: string): Promise<SeenDevice | undefined>;
  /**
   * Writes a record whose revision is that of the stored one (0: there is none yet), and counts it up. A device that is new must find
   * room among `mostDevices`; one that nobody named and that never took an update makes way for it.
   *
   * @param by where somebody changed it, for the audit log
   * @param action what was done then
   */
  save(
    record: DeviceRecord,
    options: { mostDevices: number; by?: Actor | undefined; action?: DeviceAction | undefined },
  ): Promise<'saved' | 'conflict' | 'full'>;
  /** Remembers when devices were last seen, and what they said. */
  touch(touches: readonly Touch[]): Promise<void>;
  /** In the order of their MACs. */
  list(project: string, page: Page, filter?: DeviceFilter): Promise<readonly SeenDevice[]>;
  /** Those with an attempt that was due before. */
  overdue(servedMs: number, limit: number): Promise<readonly DeviceRecord[]>;
  remove(project: string, mac: string, by: Actor): Promise<boolean>;
  count(project: string): Promise<number>;
  /** How the devices of a project stand; in no order. Looks at each of them. */
  tally(project: string): Promise<readonly DeviceCount[]>;
}

/** What is noted in the audit log with a change. */
export interface Note {
  readonly by: Actor;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface RolloutStore {
  /** @returns undefined when one is under way on the channel */
  create(rollout: Omit<RolloutRecord, 'id'>, note: Note): Promise<RolloutRecord | undefined>;
  /**
   * In one step with what the channel offers from then on, where that changes.
   *
   * @param note undefined: only its samples changed, which may be lost in a crash
   */
  save(
    rollout: RolloutRecord,
    change: undefined | { readonly note: Note; readonly offer?: readonly number[] },
  ): Promise<void>;
  /** The newest first. */
  ofProject(project: string, limit: number): Promise<readonly RolloutRecord[]>;
  find(project: string, id: number): Promise<RolloutRecord | undefined>;
  /** Those under way (active, paused, halted), and of each channel the newest one. */
  current(): Promise<readonly RolloutRecord[]>;
}

export interface TokenStore {
  create(token: TokenRecord, by: Actor): Promise<void>;
  find(id: string): Promise<TokenRecord | undefined>;
  list(): Promise<readonly TokenRecord[]>;
  revoke(id: string, by: Actor): Promise<boolean>;
}

export interface AuditStore {
  /** The newest first. */
  list(page: { readonly before?: number | undefined; readonly limit: number }): Promise<readonly AuditEntry[]>;
  /** What was done to a device, the newest first. */
  ofDevice(project: string, mac: string, limit: number): Promise<readonly AuditEntry[]>;
}

/** Bytes by their SHA-256. */
export interface BlobStore {
  state(sha256: string): Promise<UploadState>;
  /**
   * Adds to a blob. Many pieces may come, from where `state` says that the last one stopped.
   *
   * @returns digest-mismatch: all of it was there, was something else, and is gone. offset: the piece does not go there
   */
  append(sha256: string, piece: UploadPiece): Promise<UploadState | 'digest-mismatch' | 'offset'>;
  /** @returns undefined where there is no such blob, or its bytes are not what they were */
  read(sha256: string): Promise<Uint8Array | undefined>;
  /** File of a complete blob, for a reader in another thread. */
  path(sha256: string): string;
  remove(sha256: string): Promise<void>;
  /** Complete blobs and begun uploads that were last written to before; `complete` tells them apart. */
  olderThan(at: number): Promise<readonly UploadState[]>;
  /** Bytes of all uploads that were begun. */
  pendingBytes(): Promise<number>;
  /** Where a web server in front finds a blob below the folder of blobs; undefined where it can't. */
  location(sha256: string): string | undefined;
}

export interface UploadPiece {
  readonly offset: number;
  readonly totalBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}
