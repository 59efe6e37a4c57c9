import type { Role } from '../../../api/release.ts';
import type { RolloutStage, RolloutState } from '../../../api/rollout.ts';
import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Actor, Failure, ProjectRecord, ReleaseName, ReleaseRecord } from '../../storage/records.ts';

/** Change of a server's data: what changed, who changed it, when, and the facts of the case. */
export type DomainEvent = ReleaseEvent | RolloutChange | DeviceEvent | ProjectEvent | TokenEvent;

/** Actor of the changes that follow from a device request. */
export const theDevice: Actor = 'device';
/** Actor of the changes that the server makes by itself. */
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
}

interface YankedReleases extends Common {
  readonly type: 'release.yanked';
  readonly reason: string;
  readonly releases: readonly ReleaseName[];
}

type ReleaseEvent = PublishedRelease | PromotedReleases | YankedReleases;

interface RolloutFacts extends Common {
  /** Id of the rollout. */
  readonly rollout: number;
  readonly version: string;
  readonly channel: string;
}

interface StartedRollout extends RolloutFacts {
  readonly type: 'rollout.started';
  readonly stages: readonly RolloutStage[];
}

/** Step of a rollout after its start. */
export interface RolloutStepEvent extends RolloutFacts {
  readonly type:
    | 'rollout.stage-opened'
    | 'rollout.paused'
    | 'rollout.resumed'
    | 'rollout.halted'
    | 'rollout.aborted'
    | 'rollout.rolled-back'
    | 'rollout.completed';
  readonly state: RolloutState;
  readonly openStages: number;
  readonly reason: string | undefined;
}

type RolloutChange = StartedRollout | RolloutStepEvent;

interface DeviceFacts extends Common {
  readonly mac: string;
}

/**
 * A record changed in another way, for example because a download is complete. This event only refreshes pages; unlike the others it may be
 * emitted before the change is durable.
 */
interface SeenAgain extends DeviceFacts {
  readonly type: 'device.seen';
}

interface ChangedDevice extends DeviceFacts {
  readonly type: 'device.first-seen' | 'device.removed';
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
}

interface BlockedDevice extends DeviceFacts {
  readonly type: 'device.blocked';
  /** Version that the device would have got. */
  readonly version: string | undefined;
  readonly kind: ImageKind;
  /** Preflight rules that block the update. */
  readonly rules: readonly string[];
}

/** Settings of a device, without its password. */
interface EditedDevice extends DeviceFacts {
  readonly type: 'device.edited' | 'device.enrolled';
  readonly enrolled: boolean;
  readonly name: string | undefined;
  readonly board: string | undefined;
  readonly channel: string | undefined;
  readonly group: string | undefined;
  readonly pin: string | undefined;
  readonly atomicFs: boolean | undefined;
  readonly user: string | undefined;
}

interface RetriedDevice extends DeviceFacts {
  readonly type: 'device.retried';
  /** Versions whose failed attempts were cleared. */
  readonly versions: readonly string[];
}

export type DeviceEvent =
  | SeenAgain
  | ChangedDevice
  | UpdatedDevice
  | FailedDevice
  | BlockedDevice
  | EditedDevice
  | RetriedDevice;

interface ProjectEvent extends Common, Pick<ProjectRecord, 'access' | 'aliases' | 'confirmWithinMs' | 'mostSends'> {
  readonly type: 'project.created' | 'project.changed';
  /** Fingerprints of the keys. */
  readonly keys: readonly string[];
  /** User of the password that devices must send. */
  readonly user: string | undefined;
}

interface TokenEvent extends Omit<Common, 'project'> {
  readonly type: 'token.created' | 'token.revoked';
  /** Only project that the token is valid for; undefined for all. */
  readonly project: string | undefined;
  readonly id: string;
  readonly role: Role;
  readonly name: string;
}
