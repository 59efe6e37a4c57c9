import type { Role } from '../../../api/release.ts';
import type { RolloutStage, RolloutState, RolloutWindow } from '../../../api/rollout.ts';
import type { ImageKind } from '../../../core/model/artifact.ts';
import type { SigningLogEntry } from '../../../core/model/signing-log.ts';
import type {
  Actor,
  Failure,
  HistoryLimits,
  ProjectRecord,
  ReleaseName,
  ReleaseRecord,
} from '../../storage/records.ts';

/** Change to the server's data, with its type, actor, time and details. */
export type DomainEvent =
  | ReleaseEvent
  | RolloutChange
  | DeviceEvent
  | ProjectEvent
  | ApprovalEvent
  | TokenEvent
  | WebhookChange
  | RecordedSignatures
  | AccessEvent;

/** Actor for changes that result from a device request. */
export const theDevice: Actor = 'device';
/** Actor for changes that clients of the MQTT broker request. */
export const theBroker: Actor = 'mqtt';
/** Actor for changes made by the server itself. */
export const theServer: Actor = 'server';

interface Common {
  readonly project: string;
  readonly actor: Actor;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface PublishedRelease extends Common, ReleaseName {
  readonly type: 'release.published';
  readonly purpose: ReleaseRecord['purpose'];
  /** Channel that serves the release immediately; undefined for drafts and reference builds. */
  readonly channel: string | undefined;
  /** SHA-256 of the image. */
  readonly image: string;
}

interface PromotedReleases extends Common {
  readonly type: 'release.promoted';
  readonly channel: string;
  readonly releases: readonly ReleaseName[];
  /** Second person, who has approved the promotion; undefined if no approval was required. */
  readonly approvedBy?: Actor | undefined;
}

interface YankedReleases extends Common {
  readonly type: 'release.yanked';
  readonly reason: string;
  readonly releases: readonly ReleaseName[];
}

interface ChangedNotes extends Common {
  readonly type: 'release.notes-changed';
  readonly version: string;
  /** Length of the new notes in UTF-16 code units; 0 if they were removed. */
  readonly length: number;
}

type ReleaseEvent = PublishedRelease | PromotedReleases | YankedReleases | ChangedNotes;

interface RolloutFacts extends Common {
  /** Rollout ID. */
  readonly rollout: number;
  readonly version: string;
  readonly channel: string;
}

interface StartedRollout extends RolloutFacts {
  readonly type: 'rollout.started';
  readonly stages: readonly RolloutStage[];
  readonly window: RolloutWindow | undefined;
  readonly perHour: number | undefined;
  /** Second person, who has approved the start; undefined if no approval was required. */
  readonly approvedBy?: Actor | undefined;
}

/** Change to a rollout after its start. */
export interface RolloutStepEvent extends RolloutFacts {
  readonly type:
    | 'rollout.stage-opened'
    | 'rollout.paused'
    | 'rollout.resumed'
    | 'rollout.halted'
    | 'rollout.aborted'
    | 'rollout.rolled-back'
    | 'rollout.completed'
    | 'rollout.stalled'
    | 'rollout.progressed';
  readonly state: RolloutState;
  readonly openStages: number;
  readonly reason: string | undefined;
}

type RolloutChange = StartedRollout | RolloutStepEvent;

interface DeviceFacts extends Common {
  readonly mac: string;
}

/**
 * Change to a device record without a more specific event, such as a completed download. This event only triggers a page refresh. Unlike
 * other events, it may be emitted before the change is durable.
 */
interface SeenAgain extends DeviceFacts {
  readonly type: 'device.seen';
}

interface ChangedDevice extends DeviceFacts {
  readonly type: 'device.first-seen' | 'device.removed' | 'device.credentials-created' | 'device.credentials-revoked';
}

interface UpdatedDevice extends DeviceFacts {
  readonly type: 'device.updated';
  readonly version: string;
  readonly kind: ImageKind;
}

interface FailedDevice extends DeviceFacts {
  readonly type: 'device.failed';
  readonly version: string;
  readonly kind: ImageKind;
  readonly how: Failure;
  /** Code with which the guard of the device rejected the update. */
  readonly rejection?: number | undefined;
}

interface BlockedDevice extends DeviceFacts {
  readonly type: 'device.blocked';
  /** Version that the blocked update would have installed. */
  readonly version: string | undefined;
  readonly kind: ImageKind;
  /** Artifact that the fewest rules block. */
  readonly artifact: string | undefined;
  /** Preflight rules that block this artifact. */
  readonly rules: readonly string[];
}

/** Device settings, without the password. */
interface EditedDevice extends DeviceFacts {
  readonly type: 'device.edited' | 'device.enrolled';
  readonly enrolled: boolean;
  readonly name: string | undefined;
  readonly board: string | undefined;
  readonly channel: string | undefined;
  readonly group: string | undefined;
  readonly labels: readonly string[] | undefined;
  readonly pin: string | undefined;
  readonly atomicFs: boolean | undefined;
  /** Preflight rules that do not block updates of the device. */
  readonly allow: readonly string[] | undefined;
  readonly user: string | undefined;
}

interface RetriedDevice extends DeviceFacts {
  readonly type: 'device.retried';
  /** Versions whose failed attempts were cleared. */
  readonly versions: readonly string[];
}

interface RequestedInstall extends DeviceFacts {
  readonly type: 'device.install-requested';
  readonly version: string;
}

export type DeviceEvent =
  | SeenAgain
  | ChangedDevice
  | UpdatedDevice
  | FailedDevice
  | BlockedDevice
  | EditedDevice
  | RetriedDevice
  | RequestedInstall;

interface ProjectEvent
  extends Common,
    Pick<ProjectRecord, 'access' | 'aliases' | 'confirmWithinMs' | 'mostSends' | 'stalledAfterMs' | 'approval'> {
  readonly type: 'project.created' | 'project.changed';
  readonly publisherRules: readonly string[];
  readonly history: HistoryLimits;
  /** Key fingerprints. */
  readonly keys: readonly string[];
  /** User name that devices must send along with the password. */
  readonly user: string | undefined;
}

/** Request of a change that a second person must approve, or the decision. */
export interface ApprovalEvent extends Common {
  readonly type: 'approval.requested' | 'approval.granted' | 'approval.declined';
  /** ID of the request. */
  readonly approval: string;
  readonly change: 'rollout' | 'promotion';
  readonly version: string;
  readonly channel: string;
  /** Undefined for the request itself, whose actor it is. */
  readonly requestedBy?: Actor | undefined;
}

interface TokenEvent extends Omit<Common, 'project'> {
  readonly type: 'token.created' | 'token.revoked';
  /** Only project that the token is valid for; undefined for all projects. */
  readonly project: string | undefined;
  readonly id: string;
  readonly roles: readonly Role[];
  readonly channels: readonly string[];
  readonly name: string;
}

/** Entries of a signing log that a client has sent. The log is the first detail, because the audit log is searched for it. */
interface RecordedSignatures extends Common {
  readonly type: 'signatures.recorded';
  /** Name of the signing log. */
  readonly log: string;
  readonly entries: readonly SigningLogEntry[];
}

interface RefusedAccess extends Omit<Common, 'project'> {
  readonly type: 'access.refused';
  readonly project: undefined;
  readonly address: string;
  /** Requests with a missing, unknown or revoked token. */
  readonly tokens: number;
  readonly logins: number;
  /** Requests with a valid token that does not permit them. */
  readonly roles: number;
}

interface ExportedBackup extends Omit<Common, 'project'> {
  readonly type: 'backup.exported';
  readonly project: undefined;
}

interface WebhookChange extends Omit<Common, 'project'> {
  readonly type: 'webhook.added' | 'webhook.removed' | 'webhook.redelivered';
  /** Only project whose events the webhook receives; undefined for all projects. */
  readonly project: string | undefined;
  /** Webhook ID. */
  readonly webhook: number;
  /** Scheme, host and port of the URL, which is secret otherwise. */
  readonly origin: string;
  readonly events: readonly string[];
  readonly format: string;
  readonly allowPrivate: boolean;
}

type AccessEvent = RefusedAccess | ExportedBackup;
