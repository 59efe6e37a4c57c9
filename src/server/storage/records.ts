import type { Role } from '../../api/release.ts';
import type { RolloutGate, RolloutHalt, RolloutStage, RolloutState } from '../../api/rollout.ts';
import type { RolloutTally } from '../../api/rollout-info.ts';
import type { FlashMode, ImageKind } from '../../core/model/artifact.ts';
import type { Manifest } from '../../core/model/manifest.ts';

/** Who changes something, for the audit log: the id of a token, or what the server did by itself. */
export type Actor = string;

/** A password as it is stored: scrypt, with a salt of its own. */
export interface Credential {
  readonly user: string;
  /** base64url */
  readonly salt: string;
  readonly hash: string;
}

/** A key whose signatures a project's releases may carry. */
export interface ProjectKey {
  /** SHA-256 of its DER SubjectPublicKeyInfo. */
  readonly fingerprint: string;
  readonly pem: string;
}

interface ProjectSettings {
  /** open: any device is answered. closed: only those that are enrolled. */
  readonly access: 'open' | 'closed';
  /** Empty for a project whose firmware is not signed. */
  readonly keys: readonly ProjectKey[];
  /** Other paths than /update/PROJECT that its devices ask, such as the one that the core's documentation names. */
  readonly aliases: readonly { readonly path: string; readonly channel: string }[];
  /** That every device has to give, but those that have one of their own. */
  readonly credential?: Credential | undefined;
  /** How long a device may take from a download to its first request with the new build; time in which the server runs. */
  readonly confirmWithinMs: number;
  /** After so many downloads that did not end in a running build the device counts as failed. */
  readonly mostSends: number;
}

export interface ProjectRecord extends ProjectSettings {
  readonly name: string;
  readonly createdAt: number;
}

/** What names a release besides its project: its bytes never change. */
export interface ReleaseName {
  readonly version: string;
  readonly kind: ImageKind;
  /** Empty where the manifest names none. */
  readonly board: string;
}

export interface ReleaseRecord extends ReleaseName {
  readonly id: number;
  readonly project: string;
  readonly purpose: 'serve' | 'reference';
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** Why it is not offered to anybody any more. */
  readonly yanked?: string | undefined;
  /** Without its sketch MD5s, which the store looks up by itself. */
  readonly manifest: Manifest;
}

/** What a channel offers for one kind of image and one board. */
export interface Offer {
  readonly project: string;
  readonly channel: string;
  readonly release: ReleaseRecord;
}

/** A build that an MD5 names, and the flash mode that is in the device's flash when it is this one. */
export interface Recognized {
  readonly release: ReleaseRecord;
  readonly flashMode: FlashMode;
}

/**
 * How far a device has come with a release. sent: a download began. received: it ended, and the device closed the connection in order.
 * running: it came back with it. failed: it did not, and is not sent the release again until somebody says so.
 */
export interface Attempt {
  readonly releaseId: number;
  readonly version: string;
  readonly kind: ImageKind;
  readonly state: 'sent' | 'received' | 'running' | 'failed';
  readonly sends: number;
  /** Downloads that ended in order. */
  readonly receipts: number;
  /** Milliseconds since 1970, for people. */
  readonly lastSentAt: number;
  /** Of the server's own clock (`ServiceTime.servedMs`): until then the device should be back. */
  readonly dueMs: number;
  readonly failure?: Failure | undefined;
}

/**
 * vanished: took all of it and was not heard of since. silent: took part of it and was not heard of since. not-running: is back, after it
 * took all of it, with another build. interrupted: is back, and never took all of it.
 */
export type Failure = 'vanished' | 'silent' | 'not-running' | 'interrupted';

/** What was answered to a device, and why; stored when it changes. */
export interface DecisionRecord {
  readonly action: 'send' | 'current' | 'refuse';
  readonly code: string;
  /** For people. */
  readonly text: string;
  /** Of the release that it is about. */
  readonly version?: string | undefined;
  readonly at: number;
}

/** What a device said of itself. */
export interface StoredReport {
  readonly sketchMd5?: string | undefined;
  readonly version?: string | undefined;
  readonly sdkVersion?: string | undefined;
  readonly chipSizeBytes?: number | undefined;
  readonly sketchSizeBytes?: number | undefined;
  readonly freeSpaceBytes?: number | undefined;
}

/** What runs on a device, as far as it was recognized. */
export interface RunningRecord {
  readonly by: 'md5' | 'version';
  readonly version: string;
  readonly releaseId?: number | undefined;
  /** Of the server's own clock (`ServiceTime.servedMs`): when it was first seen to run it. */
  readonly sinceMs?: number | undefined;
}

export interface DeviceRecord {
  readonly project: string;
  /** Twelve hex digits in capitals with colons, as the devices write them. */
  readonly mac: string;
  /** Counts the times that it was saved: whoever saves an old copy is told so. 0: never. */
  readonly revision: number;
  /** Named by somebody, not only seen. */
  readonly enrolled: boolean;
  readonly name?: string | undefined;
  readonly board?: string | undefined;
  /** In place of the one that the URL names. */
  readonly channel?: string | undefined;
  /** That its URL named last. */
  readonly askedChannel?: string | undefined;
  /** Devices that rollouts treat alike. */
  readonly group?: string | undefined;
  /** The only version that it gets, whatever channels and rollouts offer. */
  readonly pin?: string | undefined;
  readonly atomicFs?: boolean | undefined;
  readonly credential?: Credential | undefined;
  readonly firstSeenAt?: number | undefined;
  /** It took an update and came back with it: no made-up device, as far as one can tell. */
  readonly proven?: boolean | undefined;
  readonly running?: RunningRecord | undefined;
  readonly decisions: { readonly [Kind in ImageKind]?: DecisionRecord | undefined };
  /** The latest ones, one a release. */
  readonly attempts: readonly Attempt[];
}

/** A release on its way to the devices of a channel, stage by stage. */
export interface RolloutRecord {
  readonly id: number;
  readonly project: string;
  readonly channel: string;
  readonly version: string;
  /** The version, of each kind and board. */
  readonly releaseIds: readonly number[];
  /** What the channel offered when it began: who is not to get the new one yet stays with these. */
  readonly formerIds: readonly number[];
  /** Canaries by their MACs. */
  readonly stages: readonly RolloutStage[];
  readonly gate: RolloutGate;
  readonly halt: RolloutHalt;
  readonly state: RolloutState;
  readonly reason?: string | undefined;
  /** The first ones are open. */
  readonly openStages: number;
  /** Failures that somebody knows of and that do not halt it again. */
  readonly accepted: { readonly failed: number; readonly vanished: number };
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly startedBy: Actor;
  readonly endedAt?: number | undefined;
  readonly history: readonly RolloutEvent[];
  readonly samples: readonly RolloutSample[];
  /** Of each stage, of one that another has followed. */
  readonly endTallies?: readonly RolloutTally[] | undefined;
}

interface RolloutEvent {
  readonly at: number;
  /** Such as `stage 2 opened`. */
  readonly event: string;
  readonly by: Actor;
  readonly reason?: string | undefined;
}

/** How far the enrolled devices had come at a time. */
export interface RolloutSample {
  readonly at: number;
  readonly sent: number;
  readonly running: number;
  readonly failed: number;
  readonly openStages: number;
}

/** A device, with what may be lost in a crash. */
export interface SeenDevice {
  readonly record: DeviceRecord;
  readonly lastSeenAt?: number | undefined;
  readonly report?: StoredReport | undefined;
}

export interface TokenRecord {
  /** The part of a token that is no secret. */
  readonly id: string;
  /** SHA-256 of the other part, hex. */
  readonly hash: string;
  readonly role: Role;
  /** The only one that it is good for. */
  readonly project?: string | undefined;
  readonly name: string;
  readonly createdAt: number;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly actor: Actor;
  readonly action: string;
  readonly project?: string | undefined;
  readonly detail: Readonly<Record<string, unknown>>;
}
