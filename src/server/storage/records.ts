import type * as v from 'valibot';
import type { NotEnrolledInfo } from '../../api/admin-info.ts';
import type { ApprovalMode } from '../../api/approvals.ts';
import type { LockOutRule, ReleasePart, Role } from '../../api/release.ts';
import type { DeviceRule } from '../../api/release-admin.ts';
import type {
  RolloutGate,
  RolloutHalt,
  RolloutStage,
  RolloutState,
  RolloutWindow,
  rolloutRequestSchema,
} from '../../api/rollout.ts';
import type { RolloutTally } from '../../api/rollout-info.ts';
import type { DeliveryState, WebhookEvent, WebhookFormat } from '../../api/webhooks.ts';
import type { FlashMode, ImageKind } from '../../core/model/artifact.ts';
import type { Manifest } from '../../core/model/manifest.ts';
import type { PreflightFix } from '../../core/model/preflight-fix.ts';

/** Author of a change in the audit log: a token ID, a person (`personId`), or the server itself. */
export type Actor = string;

/** Password as stored: hashed with scrypt and its own salt. */
export interface Credential {
  readonly user: string;
  /** Salt, encoded as base64url. */
  readonly salt: string;
  readonly hash: string;
}

/**
 * Secret of a device, stored as SHA-256 in lower-case hex. A secret has at least 128 random bits, so a slow, salted hash would protect
 * nothing more: the bits cannot be guessed.
 */
export interface DeviceSecret {
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Time at which the device first sent the secret; undefined if it has not sent the secret yet. */
  readonly usedAt?: number | undefined;
}

/** Secrets with which a device authenticates. Two secrets are valid until the device has used the newest one. */
export interface DeviceSecrets {
  /**
   * True if requests without a valid secret are rejected. The value is true once the device has used a secret, even after its secrets are
   * revoked.
   */
  readonly required: boolean;
  readonly newest?: DeviceSecret | undefined;
  readonly previous?: DeviceSecret | undefined;
}

/** Source of a device's report. */
export interface ReportSource {
  /** Client address; the network for IPv6. Undefined after the project's limit for addresses (`HistoryLimits`). */
  readonly address?: string | undefined;
  /** Time of the request, in milliseconds since 1970. Undefined in records of earlier versions. */
  readonly at?: number | undefined;
  /** True if the request contained the device's secret or password, or the project's password. */
  readonly authenticated: boolean;
}

/** Key with which a project's releases may be signed. */
export interface ProjectKey {
  /** SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly fingerprint: string;
  readonly pem: string;
}

/** Number of days for which a project keeps what happened; undefined to keep it for ever. */
export interface HistoryLimits {
  /** Reports and times of check-ins, and all addresses. */
  readonly checkInDays: number | undefined;
  readonly attemptDays: number | undefined;
  readonly auditDays: number | undefined;
}

interface ProjectSettings {
  /** open: any device is served. closed: only enrolled devices are served. */
  readonly access: 'open' | 'closed';
  /** Keys that may sign the project's releases. Empty for a project with unsigned firmware. */
  readonly keys: readonly ProjectKey[];
  /** Device paths other than /update/PROJECT, such as the path in the core documentation. */
  readonly aliases: readonly { readonly path: string; readonly channel: string }[];
  /** Credential that devices must send unless a device has its own. */
  readonly credential?: Credential | undefined;
  /** Maximum time from a download to the first request from the new build. Only time while the server runs counts. */
  readonly confirmWithinMs: number;
  /** Number of complete downloads after which an attempt fails if the device still does not run the build. */
  readonly mostSends: number;
  /** Time without progress after which a rollout counts as stalled; undefined for the default. */
  readonly stalledAfterMs?: number | undefined;
  /** Rules that tokens with the role `publish` may overrule; admins may overrule all rules. */
  readonly publisherRules?: readonly string[] | undefined;
  /** Undefined for the default limits. */
  readonly history?: HistoryLimits | undefined;
  /** Whether a second person must approve the start of rollouts and promotions; undefined for `none`. */
  readonly approval?: ApprovalMode | undefined;
}

/** Start of a rollout, or a promotion, that waits for the approval of a second person. */
export interface PendingApproval {
  /** Random ID. */
  readonly id: string;
  readonly version: string;
  readonly channel: string;
  /** Releases at the time of the request. */
  readonly releaseIds: readonly number[];
  /** Settings of the rollout; undefined for a promotion. */
  readonly rollout?: Omit<v.InferOutput<typeof rolloutRequestSchema>, 'version' | 'channel'> | undefined;
  /** Parts of the version that a promotion selects; undefined for all of them. */
  readonly parts?: readonly ReleasePart[] | undefined;
  /** Rules about lock-outs that do not block a promotion. */
  readonly allow?: readonly LockOutRule[] | undefined;
  readonly by: Actor;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ProjectRecord extends ProjectSettings {
  readonly name: string;
  readonly createdAt: number;
  /** Changes that wait for approval, oldest first; at most one for each channel. Undefined if there are none. */
  readonly approvals?: readonly PendingApproval[] | undefined;
}

/** Name of a release within its project. Once a release is published, its bytes never change. */
export interface ReleaseName {
  readonly version: string;
  readonly kind: ImageKind;
  /** Board name; empty if the manifest does not name a board. */
  readonly board: string;
}

export interface ReleaseRecord extends ReleaseName {
  readonly id: number;
  readonly project: string;
  readonly purpose: 'serve' | 'reference';
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** Reason why the release was yanked; undefined if the release is available. */
  readonly yanked?: string | undefined;
  /** Manifest without the sketch MD5s, which the store keeps in a separate index. */
  readonly manifest: Manifest;
}

/** A channel's current release for one image kind and one board. */
export interface CurrentRelease {
  readonly project: string;
  readonly channel: string;
  readonly release: ReleaseRecord;
}

/** Build identified by a sketch MD5. The MD5 applies to one flash mode in the flash header. */
export interface Recognized {
  readonly release: ReleaseRecord;
  readonly flashMode: FlashMode;
  /**
   * True if the manifest states facts about the devices that run this build: an admin published it, or it was ever promoted or rolled out.
   * A publisher's draft does not, because a publisher may not change which updates running devices receive.
   */
  readonly isTrusted: boolean;
}

/**
 * Delivery of a release to a device.
 *
 * - sent: a download started.
 * - received: the download completed, and the device closed the connection cleanly.
 * - interrupted: the download broke off, and the device checked in again. The release is sent again after a wait.
 * - running: the device checked in running the release.
 * - failed: the device did not run the release. The release is sent again after a retry, or once a day (`mayTryAgain`).
 */
export interface Attempt {
  readonly releaseId: number;
  readonly version: string;
  readonly kind: ImageKind;
  readonly state: 'sent' | 'received' | 'interrupted' | 'running' | 'failed';
  /** Number of started downloads. */
  readonly sends: number;
  /** Number of complete downloads. */
  readonly receipts: number;
  /** Number of downloads that broke off. They do not count against the limit. */
  readonly interruptions: number;
  /** Value of `sends` when a download last broke off. */
  readonly lastInterrupted?: number | undefined;
  /** Milliseconds since 1970, for display. */
  readonly lastSentAt: number;
  /** Time by which the device should check in again, on the `ServiceTime.servedMs` clock. */
  readonly dueMs: number;
  /** Time of the last download, on the `ServiceTime.servedMs` clock. */
  readonly sentMs: number;
  /** Source of the request for the last download. */
  readonly from?: ReportSource | undefined;
  readonly failure?: Failure | undefined;
  /** Code with which the guard of the device rejected the update; see `rejectionText`. */
  readonly rejection?: number | undefined;
}

/**
 * Reason why an attempt failed.
 *
 * - not-confirmed: the device sent no request after the download started.
 * - not-installed: the device checked in running a different build, or reported that its guard rejected the update.
 */
export type Failure = 'not-confirmed' | 'not-installed';

/** Explanation of a blocked update: the artifact that is the best candidate, and the rules that block it. */
export interface BlockedUpdate {
  /** File name; empty if the release has no artifact. */
  readonly artifact: string;
  readonly findings: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fixes: readonly PreflightFix[];
  }[];
}

/** Last decision about a device and its reason; stored whenever it changes. */
export interface DecisionRecord {
  readonly action: 'send' | 'up-to-date' | 'none';
  readonly code: string;
  /** Explanation for display. */
  readonly text: string;
  /** Version of the release that the decision applies to. */
  readonly version?: string | undefined;
  readonly blocked?: BlockedUpdate | undefined;
  readonly at: number;
  /** True if the decision follows from a request with credentials. */
  readonly authenticated?: boolean | undefined;
}

/** Rollout in progress that has no image for a device. */
export interface RolloutExclusion {
  /** Version of the rollout. */
  readonly version: string;
  /** board-unknown: the rollout has images for several boards. no-image: the rollout has no image for the board of the device. */
  readonly code: 'board-unknown' | 'no-image';
  /** Explanation for display. */
  readonly text: string;
  /** Board that a person had entered. The exclusion does not apply after the board has changed. */
  readonly setBoard?: string | undefined;
  /** False if the report that led to the exclusion contradicts earlier reports, and contained no credentials. */
  readonly isProven: boolean;
}

/** Data reported by a device. */
export interface StoredReport {
  readonly sketchMd5?: string | undefined;
  readonly version?: string | undefined;
  readonly sdkVersion?: string | undefined;
  readonly chipSizeBytes?: number | undefined;
  readonly sketchSizeBytes?: number | undefined;
  readonly freeSpaceBytes?: number | undefined;
}

/** Build that runs on a device, if it was recognized. */
export interface RunningRecord {
  readonly by: 'md5' | 'version';
  readonly version: string;
  readonly releaseId?: number | undefined;
  /** Time at which the device was first seen running the build, on the `ServiceTime.servedMs` clock. */
  readonly sinceMs?: number | undefined;
  /** Source of the first report of the build, or of the first authenticated one. */
  readonly from?: ReportSource | undefined;
}

/** Request of a person to send a release to a device once, before its rollout stage is open or in spite of an earlier failure. */
export interface InstallRequest {
  readonly version: string;
  /** Kinds of images that have not been decided yet. One update check decides each kind. */
  readonly kinds: readonly ImageKind[];
}

export interface DeviceRecord {
  readonly project: string;
  /** Twelve upper-case hex digits with colons, as sent by devices. */
  readonly mac: string;
  /** Number of times the record has been saved; 0 if never. Saving an outdated copy causes a conflict. */
  readonly revision: number;
  /** True if a person enrolled the device. Otherwise, the device was only seen in requests. */
  readonly enrolled: boolean;
  readonly name?: string | undefined;
  readonly board?: string | undefined;
  /** Channel that overrides the channel in the request URL. */
  readonly channel?: string | undefined;
  /**
   * Channels from request URLs. An enrolled device without credentials keeps all of them, because anyone can send a request with its MAC:
   * otherwise, such a request would remove the device from a rollout.
   */
  readonly requestedChannels?: readonly string[] | undefined;
  /** Group of devices that rollouts treat alike. */
  readonly group?: string | undefined;
  /** Names that people have given to sets of devices, sorted. Unlike its group, a device can have several. */
  readonly labels?: readonly string[] | undefined;
  /** Pinned version. The device is sent only this version, regardless of its channel and rollouts. */
  readonly pin?: string | undefined;
  readonly install?: InstallRequest | undefined;
  readonly atomicFs?: boolean | undefined;
  /** Preflight rules that do not block updates of this device. */
  readonly allow?: readonly DeviceRule[] | undefined;
  /** Password set by a person. */
  readonly credential?: Credential | undefined;
  /** Secrets created by `server devices credentials`. */
  readonly secrets?: DeviceSecrets | undefined;
  readonly firstSeenAt?: number | undefined;
  /** True if the device has checked in running an update, so it is probably a real device. */
  readonly proven?: boolean | undefined;
  readonly running?: RunningRecord | undefined;
  /** Board of the first build that was recognized, or of the last one in a request with credentials. */
  readonly shownBoard?: string | undefined;
  /** Why the rollout on the channel of the last request cannot update the device. */
  readonly exclusion?: RolloutExclusion | undefined;
  readonly decisions: { readonly [Kind in ImageKind]?: DecisionRecord | undefined };
  /** Latest attempts, one per release. */
  readonly attempts: readonly Attempt[];
}

/** Delivery of a release to the devices on a channel, stage by stage. */
export interface RolloutRecord {
  readonly id: number;
  /** Number of times that the rollout has been saved. Saving an outdated copy causes a conflict. */
  readonly revision: number;
  /** True if the kept counts include all devices of the project. */
  readonly isCounted: boolean;
  readonly project: string;
  readonly channel: string;
  readonly version: string;
  /** The version's releases, for each kind and board. */
  readonly releaseIds: readonly number[];
  /** The channel's current releases when the rollout started. Devices in closed stages stay on these releases. */
  readonly previousIds: readonly number[];
  /** Stages, with canaries resolved to MACs. */
  readonly stages: readonly RolloutStage[];
  readonly gate: RolloutGate;
  readonly halt: RolloutHalt;
  /** Daily window in which the release is sent; undefined to send it at any time. */
  readonly window?: RolloutWindow | undefined;
  /** Maximum number of sends within an hour; undefined without a limit. */
  readonly perHour?: number | undefined;
  readonly state: RolloutState;
  readonly reason?: string | undefined;
  /** Number of open stages, starting with the first. */
  readonly openStages: number;
  /** Accepted failures, which do not halt the rollout again. */
  readonly accepted: AcceptedFailures;
  /**
   * Number of times that the rollout was resumed after unproven failures halted it. It reduces the weight of unproven failures, so that
   * forged reports cannot halt the rollout again and again.
   */
  readonly unprovenResumes: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Time of the start on the `ServiceTime.servedMs` clock. */
  readonly startedMs: number;
  readonly startedBy: Actor;
  readonly endedAt?: number | undefined;
  /** Last progress: the largest number of updated devices, and the time at which it was reached. Starts again with each step. */
  readonly progress?: { readonly running: number; readonly servedMs: number } | undefined;
  /** Set while the rollout is active, but does not progress. `at` is in milliseconds since 1970. */
  readonly stalled?: { readonly at: number; readonly cause: string } | undefined;
  readonly history: readonly RolloutEvent[];
  readonly samples: readonly RolloutSample[];
  /** Final numbers; undefined until the rollout has ended and its devices are counted. */
  readonly result?: RolloutResult | undefined;
}

/** Numbers of the devices when the rollout ended. Later changes to the devices do not change them. */
interface RolloutResult {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Tally of each stage, with the fields that existed at that time. */
  readonly tallies: readonly Partial<RolloutTally>[];
  /** Reports without credentials, and the number of addresses that sent them; undefined if there were none. */
  readonly unproven?: { readonly devices: number; readonly addresses: number } | undefined;
  /** Number of devices by stage and `RolloutMember.kind`; undefined if the devices themselves were not stored. */
  readonly counts?: readonly (Pick<RolloutMember, 'stage' | 'kind'> & { readonly devices: number })[] | undefined;
}

/** Contribution of a device to the counts of a rollout. */
export interface RolloutMember {
  readonly stage: number;
  /** State of the device in words that only the rollout service uses. */
  readonly kind: string;
  /** Time since which the device has been in this state, on the `ServiceTime.servedMs` clock. */
  readonly sinceMs?: number | undefined;
  /** Address of a report without credentials. */
  readonly address?: string | undefined;
}

/** Failure counts. Unproven failures are also included in the other counts. */
type AcceptedFailures = Pick<RolloutTally, 'failed' | 'notConfirmed' | 'unprovenFailed' | 'unprovenNotConfirmed'>;

interface RolloutEvent {
  readonly at: number;
  /** Event such as `stage 2 opened`. */
  readonly event: string;
  readonly by: Actor;
  readonly reason?: string | undefined;
}

/** Progress of the enrolled devices at one time. */
export interface RolloutSample {
  readonly at: number;
  readonly updating: number;
  readonly running: number;
  readonly failed: number;
  readonly openStages: number;
}

/** Device record with the data from its last check-in, which may be lost in a crash. */
export interface SeenDevice {
  readonly record: DeviceRecord;
  readonly lastSeenAt?: number | undefined;
  readonly report?: StoredReport | undefined;
}

/** Device that sent an update check to an alias and was sent nothing, because no project was found for it. */
export interface NotEnrolledDevice extends Omit<NotEnrolledInfo, 'lastSeenAt'> {
  /** Milliseconds since 1970. */
  readonly lastSeenAt: number;
}

/** Access of the owner of a token, or of a person whom a reverse proxy logs in. */
export interface TokenRecord {
  /** Public part of the token, or the ID of a person (`personId`). */
  readonly id: string;
  /** SHA-256 of the secret part, in hex. Nothing has the hash of a person. */
  readonly hash: string;
  readonly roles: readonly Role[];
  /** Channels to which a token with only the role `publish` may promote releases. */
  readonly channels: readonly string[];
  /** Only project that the token is valid for; undefined for all projects. */
  readonly project?: string | undefined;
  readonly name: string;
  readonly createdAt: number;
}

/** Receiver of events. */
export interface WebhookRecord {
  readonly id: number;
  /** Secret: a chat URL authorizes everyone who knows it. */
  readonly url: string;
  /** Key for the signatures, as `whsec_` and base64. */
  readonly secret: string;
  readonly events: readonly WebhookEvent[];
  /** Only project whose events are sent; undefined for all projects. */
  readonly project?: string | undefined;
  readonly format: WebhookFormat;
  readonly allowPrivate: boolean;
  readonly createdAt: number;
}

/** Event for one webhook. */
export interface DeliveryRecord {
  /** Events of a webhook are sent in the order of their IDs. */
  readonly id: number;
  /** Webhook ID. */
  readonly webhook: number;
  /** Event ID, the same for all webhooks and redeliveries. */
  readonly eventId: string;
  readonly event: WebhookEvent;
  /** Event as JSON. */
  readonly payload: string;
  /** Time at which the event was queued, in milliseconds since 1970. */
  readonly at: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Time of the next attempt, in milliseconds since 1970. */
  readonly nextAt: number;
  /** HTTP status of the last response. */
  readonly status?: number | undefined;
  /** Reason why the last attempt failed. Does not contain the URL. */
  readonly error?: string | undefined;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly actor: Actor;
  readonly action: string;
  readonly project?: string | undefined;
  readonly detail: Readonly<Record<string, unknown>>;
}
