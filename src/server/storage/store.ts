import type { DeviceStatus } from '../../api/admin-info.ts';
import type { ImageStatus } from '../../api/release-info.ts';
import type { RolloutState } from '../../api/rollout.ts';
import type { Manifest } from '../../core/model/manifest.ts';
import type { UploadAmount } from './blob-store.ts';
import type {
  AuditEntry,
  CurrentRelease,
  DeliveryRecord,
  DeviceRecord,
  NotEnrolledDevice,
  ProjectRecord,
  Recognized,
  ReleaseName,
  ReleaseRecord,
  RolloutMember,
  RolloutRecord,
  SeenDevice,
  StoredReport,
  TokenRecord,
  WebhookRecord,
} from './records.ts';

/**
 * The server's records. A promise resolves only after its data is durable: it survives a crash and a power failure. In SQLite, a power
 * failure may lose the changes that resulted from device requests within the last seconds. Several processes may use the same records at the same time if
 * the engine is PostgreSQL. `test/server/storage/store-contract.ts` defines the required behavior of a store.
 *
 * @throws StoreUnavailableError from every method while the database cannot be reached
 */
export interface Store {
  readonly catalog: CatalogStore;
  readonly devices: DeviceStore;
  readonly rollouts: RolloutStore;
  readonly counts: CountStore;
  readonly charts: ChartStore;
  readonly tokens: TokenStore;
  readonly uploads: UploadStore;
  readonly webhooks: WebhookStore;
  readonly audit: AuditStore;
  readonly sessions: SessionStore;
  readonly failures: FailureStore;
  readonly notEnrolled: NotEnrolledStore;
  readonly notices: Notices;
  /** Returns the identity of the data; undefined if the store has never been sealed. */
  identity(): Promise<DataIdentity | undefined>;
  /**
   * Changes the identity, one process after the other, and writes it and all earlier commits to the database file, so that they survive the
   * loss of the journal.
   *
   * @param next returns the new identity; receives undefined if the store has never been sealed
   */
  seal(next: (before: DataIdentity | undefined) => DataIdentity): Promise<DataIdentity>;
  /** Returns the total time for which servers have run with this data, in milliseconds. */
  servedMs(): Promise<number>;
  /** Adds to the total time for which servers have run with this data, and returns the new total. */
  advanceServedMs(byMs: number): Promise<number>;
  /** Returns the time of the database's clock, in milliseconds since 1970. */
  wallMs(): Promise<number>;
  /** Resolves if records can be written now. */
  ping(): Promise<void>;
  /** Returns whether the database is still in its place. False if its file was removed or replaced while this process uses it. */
  isInPlace(): Promise<boolean>;
  /**
   * Calls `work` whenever this process starts to lead: exactly one of the processes that use the records leads at a time. `signal` aborts
   * when the process no longer leads. A process may notice late that it no longer leads, so the work must be safe if two processes do it.
   *
   * @returns an object that ends the lead; `stop` resolves when `work` has ended
   */
  lead(work: (signal: AbortSignal) => Promise<void>): Lead;
  /** Yields all data except the identity as lines that `restore` accepts. */
  dump(): AsyncIterable<DumpLine>;
  /** Restores the lines into an empty store: all of them or none. */
  restore(lines: Iterable<DumpLine> | AsyncIterable<DumpLine>): Promise<void>;
  close(): Promise<void>;
}

export interface Lead {
  stop(): Promise<void>;
}

/** Messages to the other processes that use the same records. Messages may be lost, so a reader must also poll. */
export interface Notices {
  /** Sends a text to the other processes, not to this one. A text longer than 7,000 bytes is dropped. */
  send(text: string): void;
  /** Adds a listener for the texts of other processes, and returns a function that removes it. */
  subscribe(listener: (text: string) => void): () => void;
}

/** Identity of the records and the blobs of one server, by which a lost or older database is detected. */
export interface DataIdentity {
  readonly id: string;
  /** Number of times the data was sealed. */
  readonly seals: number;
}

/** Table row, with values that JSON can represent. */
export interface DumpLine {
  readonly table: string;
  readonly row: Readonly<Record<string, string | number | null>>;
}

export interface NewRelease {
  readonly release: Omit<ReleaseRecord, 'id' | 'yanked'>;
  /** Channel that serves the release immediately; undefined for drafts and reference builds. */
  readonly channel: string | undefined;
  /** True if the manifest states facts about running devices even while no channel serves the release; see `Recognized.isTrusted`. */
  readonly isTrusted: boolean;
  /** Project record, if the project is new or has changed. */
  readonly project: ProjectRecord | undefined;
  /** Revision on which the publication is based; see `CatalogStore.saveProject`. */
  readonly projectRevision?: number | undefined;
  /** Returns the audit entries for the change; not called if nothing changes. */
  readonly audit: (outcome: 'published' | 'promoted') => readonly NewAuditEntry[];
}

/** Result of a publication. version-taken: a release with this name and different bytes exists. */
export interface PublicationResult {
  readonly outcome: 'published' | 'promoted' | 'unchanged' | 'version-taken';
  readonly release: ReleaseRecord;
}

/** All images of a version, sorted by board; reference builds are last. */
export interface ReleaseVersion {
  readonly version: string;
  readonly images: readonly ReleaseRecord[];
}

/** Filter for versions; all conditions must match. */
export interface VersionFilter {
  readonly version?: string | undefined;
  /** Status of at least one image of the version. */
  readonly status?: ImageStatus | undefined;
}

type ReleaseList = readonly ReleaseRecord[];
type AuditReleases = (releases: ReleaseList) => NewAuditEntry;

/**
 * Project with its revision. Every change to the project's settings, releases, promotions and rollouts increments the revision in the same
 * transaction; only rollout samples and device records do not.
 */
export interface StoredProject {
  readonly project: ProjectRecord;
  readonly revision: number;
}

export interface CatalogStore {
  projects(): Promise<readonly StoredProject[]>;
  project(name: string): Promise<StoredProject | undefined>;
  /** Returns the revisions of all projects by name. */
  revisions(): Promise<ReadonlyMap<string, number>>;
  /**
   * Writes the settings of a project.
   *
   * @param projectRevision revision on which the change is based, 0 if the project must not exist yet; undefined if the change does not
   *   depend on the stored project
   * @throws StaleProjectError
   */
  saveProject(project: ProjectRecord, audit: NewAuditEntry, projectRevision?: number): Promise<void>;
  /**
   * Writes the project, the release, its sketch MD5s and the channel's current release in one transaction.
   *
   * @throws StaleProjectError
   */
  publish(publication: NewRelease): Promise<PublicationResult>;
  /** Returns releases, newest first. IDs increase over time. */
  releases(
    project: string,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly ReleaseRecord[]>;
  /**
   * Returns releases with the images of each version, newest first: a version is as old as its first image. A page has about 1,000 images at
   * most.
   *
   * @returns the page, and the value of `before` for the next page; undefined if there is none
   */
  versions(
    project: string,
    page: { readonly before?: number | undefined; readonly limit: number },
    filter?: VersionFilter,
  ): Promise<{ readonly versions: readonly ReleaseVersion[]; readonly next: number | undefined }>;
  /**
   * Promotes releases on a channel; skips reference builds and yanked releases.
   *
   * @param audit returns the audit entry for the releases that are promoted; not called if there are none
   * @param projectRevision revision on which the promotion is based; see `saveProject`
   * @returns the promoted releases
   * @throws StaleProjectError
   */
  promote(
    project: string,
    channel: string,
    releaseIds: readonly number[],
    audit: AuditReleases,
    projectRevision?: number,
  ): Promise<ReleaseList>;
  /**
   * Makes releases unavailable on all channels; skips releases that are already yanked.
   *
   * @param audit returns the audit entry for the releases that are yanked; not called if there are none
   * @param projectRevision revision on which the selection is based; see `saveProject`
   * @returns the yanked releases, as they were before
   * @throws StaleProjectError
   */
  yank(
    project: string,
    releaseIds: readonly number[],
    reason: string,
    audit: AuditReleases,
    projectRevision?: number,
  ): Promise<ReleaseList>;
  /** Returns the notes of these versions; versions without notes are absent. */
  notes(project: string, versions: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Writes the notes of a version; an empty text removes them. Other processes need no new view of the project.
   *
   * @param before notes on which the change is based
   * @returns false if the notes have changed since then; nothing is written then
   */
  saveNotes(
    project: string,
    change: { readonly version: string; readonly before: string; readonly notes: string },
    audit: NewAuditEntry,
  ): Promise<boolean>;
  /** Returns the newest image of another version that was published before this one, for the same kind and board. */
  previous(release: ReleaseRecord): Promise<ReleaseRecord | undefined>;
  /** Returns the current releases on all of a project's channels. */
  currentReleases(project: string): Promise<readonly CurrentRelease[]>;
  /** Returns the releases that a channel has ever served and that are not yanked, most recently promoted first. */
  promotedBefore(project: string, channel: string, most: number): Promise<readonly ReleaseRecord[]>;
  /** Returns the hops that a channel has ever served and that are not yanked, most recently promoted first. */
  hops(project: string, channel: string): Promise<readonly ReleaseRecord[]>;
  /** Returns when the release was last promoted on any channel, in milliseconds since 1970; undefined if it never was. */
  lastPromotedAt(releaseId: number): Promise<number | undefined>;
  /**
   * Returns the project's builds with this sketch MD5 (32 lower-case hex digits). Few builds share an MD5, because their bytes must be
   * identical. Builds of other projects are not returned: their publishers must not influence this project, and their versions are not
   * disclosed.
   */
  recognize(project: string, sketchMd5: string): Promise<readonly Recognized[]>;
  /**
   * Returns the project's releases with the same bytes: those that share an artifact or a sketch MD5 with the manifest. This includes
   * reference builds and yanked releases.
   */
  withSameBytes(project: string, manifest: Manifest): Promise<readonly ReleaseRecord[]>;
  find(project: string, name: ReleaseName): Promise<ReleaseRecord | undefined>;
  /** Returns all releases of this version, for every kind and board, except reference builds and yanked releases. */
  withVersion(project: string, version: string): Promise<readonly ReleaseRecord[]>;
  /** Returns all images of this version that devices could be sent, also yanked ones. Reference builds are not included. */
  imagesOf(project: string, version: string): Promise<readonly ReleaseRecord[]>;
  /** Returns the releases with these IDs, including yanked ones; unknown IDs are skipped. */
  byIds(ids: readonly number[]): Promise<readonly ReleaseRecord[]>;
  /** Returns whether any release, or any release of this project, needs the blob. */
  isReferenced(sha256: string, project?: string | undefined): Promise<boolean>;
}

/**
 * Start and maximum length of a list page. At most one of `after` and `before` is set. `before` selects the last entries before this
 * position.
 */
export interface RecordPage {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Filter for a project's devices; all conditions must match. */
export interface DeviceFilter {
  /** Part of a name, or of a MAC with or without colons. */
  readonly text?: string | undefined;
  readonly status?: DeviceStatus | undefined;
  /** Version that the device runs, if it was recognized. */
  readonly runs?: string | undefined;
  readonly group?: string | undefined;
  /** Exact display name. */
  readonly name?: string | undefined;
  readonly label?: string | undefined;
  /** Board that a person has set, or that a build of the device has shown. */
  readonly board?: string | undefined;
  /** IDs of releases, one of which the device runs. */
  readonly releases?: readonly number[] | undefined;
  /** Channel whose releases the device is sent. */
  readonly channel?: string | undefined;
  /** Only devices that were not seen since this time, in milliseconds since 1970. */
  readonly notSeenSince?: number | undefined;
  readonly members?: MemberFilter | undefined;
}

/** Orders of a list of devices. */
export const deviceOrders = ['mac', 'name', 'status', 'version', 'seen'] as const;

/** Page of a sorted list of devices. Devices with the same value, and those without a value, are in the order of their MACs. */
export interface SortedPage {
  readonly by: (typeof deviceOrders)[number];
  readonly isDescending: boolean;
  /** Number of devices before the page. */
  readonly offset: number;
  readonly limit: number;
}

/** Members of a rollout. */
export interface MemberFilter {
  /** Rollout ID. */
  readonly rollout: number;
  /** Stages and kinds of the members, each pair once. */
  readonly parts: readonly Pick<RolloutCount, 'stage' | 'kind'>[];
  /** True for the devices as they were when the final numbers were stored, instead of the devices as they are now. */
  readonly isFinal: boolean;
}

/** Member of a rollout when its final numbers were stored. */
export interface FinalMember extends Pick<RolloutMember, 'stage' | 'kind'> {
  readonly mac: string;
}

/** Number of devices in a project that share these values. */
export interface DeviceCount {
  readonly status: DeviceStatus;
  readonly runs?: string | undefined;
  readonly group?: string | undefined;
  readonly devices: number;
}

/** Number of devices with a status. */
export interface StatusCount {
  readonly status: DeviceStatus;
  readonly devices: number;
}

/** Number of devices that run a release. */
export interface VersionCount {
  readonly version: string;
  readonly devices: number;
}

/** Number of devices that the same rules block. */
export interface BlockerCount {
  /** IDs of preflight rules, or the code of the decision if no rule is involved. */
  readonly blockers: readonly string[];
  readonly devices: number;
}

export interface Touch {
  readonly project: string;
  readonly mac: string;
  readonly at: number;
  readonly report: StoredReport;
}

/** Data for a device's request. The record and the revision were read at the same moment. */
interface DeviceCheck {
  readonly record: DeviceRecord | undefined;
  /** Revision of the project. */
  readonly revision: number;
}

/** Records of several devices, read at the same moment as the revision of their project. */
interface DevicesCheck {
  /** Records by MAC. Devices without a record are absent. */
  readonly records: ReadonlyMap<string, DeviceRecord>;
  /** Revision of the project. */
  readonly revision: number;
}

/** Change to one of several devices that are saved together. */
export interface BulkDeviceChange {
  readonly record: DeviceRecord;
  /** Contributions to the newest rollout on each channel, where before and after differ. */
  readonly members: readonly MemberChange[];
  readonly audit: readonly NewAuditEntry[];
}

/** Limits of a rollout on the sends that begin with a change to a device. */
export interface LimitedSend {
  /** Rollout ID. */
  readonly rollout: number;
  /** Maximum number of sends within an hour; undefined without a limit. */
  readonly perHour: number | undefined;
  /** Returns whether the rollout may send at this time of the database's clock, in milliseconds since 1970. */
  readonly isOpenAt: (wallMs: number) => boolean;
}

/** Change of a device's contribution to the counts of a rollout. */
export interface MemberChange {
  /** Rollout ID. */
  readonly rollout: number;
  readonly before: RolloutMember | undefined;
  readonly after: RolloutMember | undefined;
}

/** State on which a change to a device is based, and its effect on the counts. */
interface DeviceChangeBasis {
  /** Revision of the project on which the change is based; undefined if the change does not depend on the project. */
  readonly projectRevision?: number | undefined;
  /** Contributions to the newest rollout on each channel, where before and after differ. */
  readonly members?: readonly MemberChange[] | undefined;
}

export interface SaveOptions extends DeviceChangeBasis {
  /** Maximum number of devices that are neither enrolled nor have credentials. */
  readonly mostDevices: number;
  /** Audit entries for the change; none for changes that result from device requests. */
  readonly audit?: readonly NewAuditEntry[] | undefined;
  /** Events for webhooks that have no audit entry. */
  readonly queued?: readonly NewAuditEntry[] | undefined;
  /** Limits on the send that this change begins. If they do not permit it, the result is `stale`. */
  readonly send?: LimitedSend | undefined;
}

export interface RemoveOptions extends DeviceChangeBasis {
  /** Revision of the device record on which `members` is based; undefined if `members` is not set. */
  readonly revision?: number | undefined;
  /** Undefined if the server removes a device that it has not seen for a long time. */
  readonly audit: NewAuditEntry | undefined;
}

export interface DeviceStore {
  /**
   * Reads a device and the revision of its project in one statement.
   *
   * @returns undefined if the project does not exist
   */
  check(project: string, mac: string): Promise<DeviceCheck | undefined>;
  get(project: string, mac: string): Promise<SeenDevice | undefined>;
  /**
   * Writes a record if its revision matches the stored one (0 if none is stored yet), and increments the revision. A new device must fit
   * within `mostDevices`. To make room for a new device, the store removes devices that have never run an update, devices not seen for a
   * month, and other devices if they exceed half of the limit.
   *
   * @returns conflict: the device has changed. stale: the project has changed. full: there is no room for a new device. In these three cases,
   *   nothing is written.
   */
  save(record: DeviceRecord, options: SaveOptions): Promise<'saved' | 'conflict' | 'full' | 'stale'>;
  /** Reads devices and the revision of their project in one statement. Returns undefined if the project does not exist. */
  checkAll(project: string, macs: readonly string[]): Promise<DevicesCheck | undefined>;
  /**
   * Writes records as `save` does, in one transaction. New devices must be enrolled, so that they need no room within a limit.
   *
   * @param changes at most 1,000 devices
   * @param projectRevision revision of the project on which the changes are based
   * @returns the MACs of the written records; the others have changed meanwhile. stale: the project has changed, and nothing is written
   */
  saveAll(
    project: string,
    changes: readonly BulkDeviceChange[],
    projectRevision: number,
  ): Promise<ReadonlySet<string> | 'stale'>;
  /** Stores the times at which devices were last seen, and their reports. */
  touch(touches: readonly Touch[]): Promise<void>;
  /** Removes the reports and last-seen times of those devices that were last seen before `at`, in milliseconds since 1970. */
  forgetCheckIns(project: string, macs: readonly string[], at: number): Promise<void>;
  /** Returns devices, sorted by MAC. */
  list(project: string, page: RecordPage, filter?: DeviceFilter): Promise<readonly SeenDevice[]>;
  /** Returns the MACs of the devices that `list` returns. */
  macs(project: string, page: RecordPage, filter?: DeviceFilter): Promise<readonly string[]>;
  /** Returns devices in another order. Devices without the value that the list is sorted by are last. */
  sorted(project: string, page: SortedPage, filter?: DeviceFilter): Promise<readonly SeenDevice[]>;
  /** Returns the devices with these names, sorted by MAC. */
  named(project: string, names: readonly string[]): Promise<readonly DeviceRecord[]>;
  /** Returns devices with a pending attempt that was due before `servedMs`. */
  overdue(servedMs: number, limit: number): Promise<readonly DeviceRecord[]>;
  /**
   * Removes a device.
   *
   * @returns false if the device does not exist, stale if the project or the device has changed; in both cases nothing is written
   */
  remove(project: string, mac: string, options: RemoveOptions): Promise<boolean | 'stale'>;
  count(project: string): Promise<number>;
  /** Counts the devices that are sent a channel's releases: those on the channel that are not pinned to a version. */
  countOn(project: string, channel: string, options: { readonly onlyEnrolled: boolean }): Promise<number>;
  /** Counts a project's devices by state, version and group, in no particular order. */
  tally(project: string): Promise<readonly DeviceCount[]>;
  countStatuses(project: string): Promise<readonly StatusCount[]>;
  /** Counts the devices that run a release of the project, by version, the most devices first. */
  countVersions(project: string, limit: number): Promise<readonly VersionCount[]>;
  /** Counts the blocked devices by what blocks them, the most devices first. */
  countBlockers(project: string): Promise<readonly BlockerCount[]>;
}

/** Audit entry that is written in the same transaction as the change it records. */
export type NewAuditEntry = Omit<AuditEntry, 'id'>;

/** Rollout as its service creates it. */
export type NewRollout = Omit<RolloutRecord, 'id' | 'revision' | 'isCounted'>;

/** Number of devices in a stage with the same `RolloutMember.kind`. */
export interface RolloutCount {
  readonly stage: number;
  readonly kind: string;
  readonly devices: number;
}

/** Filter for a project's rollouts; all conditions must match. */
export interface RolloutFilter {
  readonly state?: RolloutState | undefined;
  readonly channel?: string | undefined;
}

export interface RolloutStore {
  /**
   * Creates a rollout. From now on, the manifests of its releases state facts (`Recognized.isTrusted`). Its devices are not counted yet; see
   * `countNext`.
   *
   * @param audit returns the audit entry for the new rollout
   * @param projectRevision revision on which the rollout is based; see `CatalogStore.saveProject`
   * @returns undefined if another rollout is in progress on the channel
   * @throws StaleProjectError
   */
  create(
    rollout: NewRollout,
    audit: (created: RolloutRecord) => NewAuditEntry,
    projectRevision?: number,
  ): Promise<RolloutRecord | undefined>;
  /**
   * Saves a rollout and, if they change, the current releases of its channel in one transaction, and increments its revision.
   *
   * @param change undefined if only samples or final numbers change; in that case, the revision of the project stays the same
   * @param finish returns the rollout with its final numbers. If it is set, the same transaction stores the devices of the rollout, and
   *   counts them.
   * @returns the rollout with its new revision; conflict if the revision differs from the stored one
   */
  save(
    rollout: RolloutRecord,
    change: undefined | { readonly audit: NewAuditEntry; readonly promote?: readonly number[] | undefined },
    finish?: (counts: readonly RolloutCount[]) => RolloutRecord,
  ): Promise<RolloutRecord | 'conflict'>;
  /** Returns rollouts, newest first. */
  ofProject(project: string, limit: number, filter?: RolloutFilter): Promise<readonly RolloutRecord[]>;
  find(project: string, id: number): Promise<RolloutRecord | undefined>;
  /** Returns the newest rollout on each channel, which includes all rollouts in progress (active, paused, halted). */
  current(project?: string): Promise<readonly RolloutRecord[]>;
  /** Returns how many sends of a rollout with a limit per hour began within the last hour. */
  sendsWithinHour(id: number): Promise<number>;
  /** Returns the counts of a rollout's devices. They are incomplete until `RolloutRecord.isCounted`. */
  counts(id: number): Promise<readonly RolloutCount[]>;
  /**
   * Counts the next devices of the rollout's project. Any process may continue the count, and no device counts twice. Also removes member
   * data of earlier rollouts on the channel, of which `soaked` and `addresses` then return nothing.
   *
   * @param most maximum number of devices to count
   * @param memberOf returns a device's contribution; undefined if the device is not a member
   */
  countNext(
    id: number,
    most: number,
    memberOf: (record: DeviceRecord) => RolloutMember | undefined,
  ): Promise<'more' | 'complete'>;
  /**
   * Counts, by stage, the members of these kinds whose `sinceMs` is `latestMs` or earlier. All members of these kinds must have a time or an
   * address.
   */
  soaked(
    id: number,
    kinds: readonly string[],
    latestMs: number,
  ): Promise<readonly { readonly stage: number; readonly devices: number }[]>;
  /**
   * Counts the members that have an address.
   *
   * @param kinds kinds of the members; undefined for all
   */
  addresses(id: number, kinds?: readonly string[]): Promise<MemberAddresses>;
  /** Returns whether the devices of a rollout that has ended are stored. */
  hasFinalMembers(id: number): Promise<boolean>;
  /** Returns a page of the devices that an ended rollout had, sorted by MAC, also those that have been removed since. */
  finalMembers(
    filter: Omit<MemberFilter, 'isFinal'>,
    page: Pick<RecordPage, 'after' | 'limit'>,
  ): Promise<readonly FinalMember[]>;
  /** Returns the members with these MACs that an ended rollout had, in no particular order. */
  finalMembersOf(filter: Omit<MemberFilter, 'isFinal'>, macs: readonly string[]): Promise<readonly FinalMember[]>;
  /**
   * Removes devices of the project's rollouts whose final numbers were stored before `at`, in milliseconds since 1970.
   *
   * @param most maximum number of devices to remove
   * @returns complete if there are no further devices to remove
   */
  forgetFinalMembers(project: string, at: number, most: number): Promise<'more' | 'complete'>;
}

/** Members of a rollout that have an address. */
interface MemberAddresses {
  readonly devices: number;
  /** Number of addresses. */
  readonly addresses: number;
  /** The five addresses with the most devices, and the numbers of these devices. */
  readonly most: readonly { readonly address: string; readonly devices: number }[];
}

/** Returns a device's contribution to the counts of a rollout; undefined if the rollout does not count the device. */
export type MemberOf = (rollout: RolloutRecord, record: DeviceRecord) => RolloutMember | undefined;

/** Counts of devices that every change to a device keeps up to date. */
export interface CountStore {
  /** Counts all devices, and compares the kept counts with them. Returns one message for each difference. */
  differences(memberOf: MemberOf): Promise<readonly string[]>;
  /** Replaces the kept counts of devices, and starts to count the devices of the newest rollouts again; see `RolloutStore.countNext`. */
  recount(): Promise<void>;
  /** Removes the counts of 0, of which devices that report ever new versions would leave any number. */
  removeEmpty(): Promise<void>;
}

/** Number of devices that ran a version at a time. */
export interface VersionSample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Undefined for all versions without a release, and for unrecognized builds. */
  readonly version: string | undefined;
  readonly devices: number;
}

/** Number of devices with the same board, running release and status. */
export interface BuildCount {
  readonly board: string | undefined;
  readonly releaseId: number | undefined;
  readonly status: DeviceStatus;
  readonly devices: number;
}

/** Numbers for charts. The samples are not part of a backup. */
export interface ChartStore {
  /** Stores the number of devices by version for every project, and removes samples from before `keepFrom`. */
  takeSample(at: number, keepFrom: number): Promise<void>;
  /** Returns samples, oldest first. */
  versionSamples(project: string, since: number): Promise<readonly VersionSample[]>;
  /** Counts all devices of a project. */
  byBuild(project: string): Promise<readonly BuildCount[]>;
  /**
   * Counts devices by the time at which they were last seen.
   *
   * @param times milliseconds since 1970, latest first
   * @returns the number of devices seen since each time and before the previous one, of those seen earlier, and of those never seen
   */
  lastSeen(project: string, times: readonly number[]): Promise<readonly number[]>;
}

/** Login session in the dashboard. */
export interface StoredSession {
  /** Hash of the session ID. */
  readonly key: string;
  /** Token ID. */
  readonly token: string;
  readonly formToken: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

export interface SessionStore {
  /** Adds a session. If there are too many, removes those that end first. */
  open(session: StoredSession, most: { readonly perToken: number; readonly total: number }): Promise<void>;
  /** Returns a session, even if it has ended. */
  find(key: string): Promise<StoredSession | undefined>;
  close(key: string): Promise<void>;
  /** Removes the sessions that ended before `at`, in milliseconds since 1970. */
  removeEnded(at: number): Promise<void>;
}

/** Rate limit: `burst` failures immediately, then `perSecond` failures per second. */
export interface FailureLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/** Limits on failed log-ins, by bucket name. The database's clock refills the buckets. */
export interface NotEnrolledStore {
  /** Returns the devices, latest check-in first. */
  list(): Promise<readonly NotEnrolledDevice[]>;
  /**
   * Adds or replaces the entries of the seen devices, and removes others. Then removes the oldest entries beyond the limits. Changes may be
   * lost in a power failure.
   */
  save(
    change: { readonly seen: readonly NotEnrolledDevice[]; readonly removed: readonly string[] },
    limits: { readonly most: number; readonly mostPerAddress: number },
  ): Promise<void>;
  /** Removes devices whose last check-in was before `at`, in milliseconds since 1970. */
  removeBefore(at: number): Promise<void>;
}

export interface FailureStore {
  /**
   * Counts a failure.
   *
   * @returns false if the limit was reached before
   */
  take(bucket: string, limit: FailureLimit): Promise<boolean>;
  /** Returns whether a further failure would stay within the limit. */
  hasAny(bucket: string, limit: FailureLimit): Promise<boolean>;
  /** Removes the data of buckets in which all failures are forgotten. */
  removeFull(): Promise<void>;
}

export interface TokenStore {
  create(token: TokenRecord, audit: NewAuditEntry): Promise<void>;
  /**
   * Creates a token if no token exists yet, and returns whether it was created.
   *
   * @param keep stores the token for its owner before the token becomes valid. Runs in one process at a time, and only if no token exists
   */
  createFirst(token: TokenRecord, audit: NewAuditEntry, keep: () => Promise<void>): Promise<boolean>;
  find(id: string): Promise<TokenRecord | undefined>;
  list(): Promise<readonly TokenRecord[]>;
  /**
   * Deletes a token, but not the last admin token that is valid for all projects, because no further admin token could be created. An audit
   * entry is written only if the token is deleted.
   */
  revoke(id: string, audit: NewAuditEntry): Promise<'revoked' | 'unknown' | 'last-admin'>;
}

/** Blob whose bytes a token sends or has sent. */
export interface SentBlob {
  /** Token ID. */
  readonly token: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly at: number;
}

export interface UploadStore {
  /**
   * Reserves room for an upload that begins or continues, in one transaction for all uploads of the token.
   *
   * @returns undefined if the upload fits. Otherwise, the total size and the number of the token's other uploads that no release needs
   */
  reserve(upload: SentBlob, most: UploadAmount): Promise<UploadAmount | undefined>;
  /** Removes the reservation of an upload that was discarded. */
  release(token: string, sha256: string): Promise<void>;
  /** Records that the token has sent all bytes of the blob. */
  add(sent: SentBlob): Promise<void>;
  /** Returns whether the token has sent all bytes of the blob. */
  has(token: string, sha256: string): Promise<boolean>;
  /** Returns the digests of complete blobs that were last sent before `at`, in milliseconds since 1970. */
  before(at: number): Promise<readonly string[]>;
  /**
   * Calls `remove` if every token last sent the blob before `at` and no release needs it, and then removes its records. No upload of the blob
   * can be reserved or added at the same time.
   *
   * @returns whether `remove` was called
   */
  removeUnpublished(sha256: string, at: number, remove: () => Promise<void>): Promise<boolean>;
  /** Removes the records of blobs that were sent before `at`. */
  removeBefore(at: number): Promise<void>;
}

interface PendingDeliveries {
  readonly events: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/**
 * Webhooks and the queue of their events. The transaction that writes an audit entry also queues the event for each webhook that receives it,
 * so that no event is lost and none is sent for a change that was not made.
 */
export interface WebhookStore {
  /**
   * Adds a webhook.
   *
   * @param most maximum number of webhooks
   * @param audit returns the audit entry for the new webhook
   * @returns undefined if there are too many webhooks
   */
  add(
    webhook: Omit<WebhookRecord, 'id'>,
    most: number,
    audit: (added: WebhookRecord) => NewAuditEntry,
  ): Promise<WebhookRecord | undefined>;
  list(): Promise<readonly WebhookRecord[]>;
  find(id: number): Promise<WebhookRecord | undefined>;
  /**
   * Removes a webhook with its deliveries.
   *
   * @returns false if the webhook does not exist
   */
  remove(id: number, audit: NewAuditEntry): Promise<boolean>;
  /** Returns the first pending delivery of each webhook, if it may be attempted at `at`, in milliseconds since 1970. */
  due(at: number): Promise<readonly DeliveryRecord[]>;
  /** Returns the first pending delivery of a webhook. */
  nextOf(webhook: number): Promise<DeliveryRecord | undefined>;
  /** Saves the result of an attempt, unless another process has saved this attempt. */
  saveAttempt(result: Pick<DeliveryRecord, 'id' | 'attempts' | 'state' | 'nextAt' | 'status' | 'error'>): Promise<void>;
  /** Returns the number of pending deliveries and the time at which the first of them was queued, by webhook ID. */
  pending(): Promise<ReadonlyMap<number, PendingDeliveries>>;
  /** Returns deliveries of a webhook, newest first. */
  deliveries(
    webhook: number,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<readonly DeliveryRecord[]>;
  /**
   * Queues the event of a delivery again.
   *
   * @returns undefined if the webhook has no such delivery
   */
  redeliver(webhook: number, delivery: number, at: number, audit: NewAuditEntry): Promise<DeliveryRecord | undefined>;
  /** Removes deliveries that were queued before `before`, and those of each webhook beyond the newest `most`. Keeps pending ones. */
  removeOld(limits: { readonly before: number; readonly most: number }): Promise<void>;
}

/** Filter for audit entries; all conditions must match. */
export interface AuditFilter {
  /** Token IDs, or the server itself. */
  readonly actors?: readonly string[] | undefined;
  /** Type of event, such as `device.retried`, or the part before the point, such as `device`. */
  readonly action?: string | undefined;
  readonly project?: string | undefined;
  /** Earliest time, in milliseconds since 1970. */
  readonly since?: number | undefined;
  /** Name of the signing log whose entries the detail contains, a UUID. */
  readonly signingLog?: string | undefined;
}

export interface AuditStore {
  /** Writes an entry that is not part of a change to the data. The entry may be lost if the server crashes within a second. */
  add(entry: NewAuditEntry): Promise<void>;
  /** Writes an entry that must not be lost, and returns its ID. */
  record(entry: NewAuditEntry): Promise<number>;
  /** Returns audit entries, newest first. */
  list(
    page: { readonly before?: number | undefined; readonly limit: number } & AuditFilter,
  ): Promise<readonly AuditEntry[]>;
  /** Returns a device's audit entries, newest first. */
  ofDevice(project: string, mac: string, limit: number): Promise<readonly AuditEntry[]>;
  /** Returns the entries after an ID, oldest first. */
  after(id: number, limit: number, filter?: AuditFilter): Promise<readonly AuditEntry[]>;
  /** Replaces the details of entries, and removes the entries with these IDs. */
  clean(changed: readonly Pick<AuditEntry, 'id' | 'detail'>[], removed: readonly number[]): Promise<void>;
}
