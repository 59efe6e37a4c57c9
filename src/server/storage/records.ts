import type { Role } from '../../api/release.ts';
import type { RolloutGate, RolloutHalt, RolloutStage, RolloutState } from '../../api/rollout.ts';
import type { RolloutTally } from '../../api/rollout-info.ts';
import type { FlashMode, ImageKind } from '../../core/model/artifact.ts';
import type { Manifest } from '../../core/model/manifest.ts';

/** Author of a change in the audit log: the id of a token, or the server itself. */
export type Actor = string;

/** Password as it is stored: hashed by scrypt with its own salt. */
export interface Credential {
  readonly user: string;
  /** Encoded as base64url. */
  readonly salt: string;
  readonly hash: string;
}

/** Key whose signatures a project's releases may carry. */
export interface ProjectKey {
  /** SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly fingerprint: string;
  readonly pem: string;
}

interface ProjectSettings {
  /** open: any device is served. closed: only enrolled devices. */
  readonly access: 'open' | 'closed';
  /** Empty for a project whose firmware is not signed. */
  readonly keys: readonly ProjectKey[];
  /** Other device paths than /update/PROJECT, such as the one in the documentation of the core. */
  readonly aliases: readonly { readonly path: string; readonly channel: string }[];
  /** Credential that devices must send unless they have one of their own. */
  readonly credential?: Credential | undefined;
  /** Time from a download to the first request with the new build, counted while the server runs. */
  readonly confirmWithinMs: number;
  /** Downloads that do not lead to a running build before the device counts as failed. */
  readonly mostSends: number;
}

export interface ProjectRecord extends ProjectSettings {
  readonly name: string;
  readonly createdAt: number;
}

/** Name of a release within its project. The bytes of a named release never change. */
export interface ReleaseName {
  readonly version: string;
  readonly kind: ImageKind;
  /** Empty if the manifest names none. */
  readonly board: string;
}

export interface ReleaseRecord extends ReleaseName {
  readonly id: number;
  readonly project: string;
  readonly purpose: 'serve' | 'reference';
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** Reason for yanking the release; undefined if it is available. */
  readonly yanked?: string | undefined;
  /** Manifest without the sketch MD5s, which the store keeps in its own index. */
  readonly manifest: Manifest;
}

/** Current release of a channel for one kind of image and one board. */
export interface CurrentRelease {
  readonly project: string;
  readonly channel: string;
  readonly release: ReleaseRecord;
}

/** Build identified by a sketch MD5, and the flash mode in the flash header for which the MD5 holds. */
export interface Recognized {
  readonly release: ReleaseRecord;
  readonly flashMode: FlashMode;
}

/**
 * Delivery of a release to a device. sent: a download started. received: the download completed, and the device closed the connection
 * cleanly. running: the device came back with the release. failed: it did not, and is not sent the release again before a retry.
 */
export interface Attempt {
  readonly releaseId: number;
  readonly version: string;
  readonly kind: ImageKind;
  readonly state: 'sent' | 'received' | 'running' | 'failed';
  readonly sends: number;
  /** Complete downloads. */
  readonly receipts: number;
  /** Milliseconds since 1970, for display. */
  readonly lastSentAt: number;
  /** Time at which the device should be back, on the clock of `ServiceTime.servedMs`. */
  readonly dueMs: number;
  readonly failure?: Failure | undefined;
}

/**
 * Reason for a failed attempt. not-confirmed: no request since the download started. not-installed: complete download, but the device is
 * back with another build. interrupted: the device is back, and no download was complete.
 */
export type Failure = 'not-confirmed' | 'not-installed' | 'interrupted';

/** Last decision about a device and its reason; stored when it changes. */
export interface DecisionRecord {
  readonly action: 'send' | 'up-to-date' | 'none';
  readonly code: string;
  /** Explanation for display. */
  readonly text: string;
  /** Version of the release that the decision is about. */
  readonly version?: string | undefined;
  readonly at: number;
}

/** Data that a device reported. */
export interface StoredReport {
  readonly sketchMd5?: string | undefined;
  readonly version?: string | undefined;
  readonly sdkVersion?: string | undefined;
  readonly chipSizeBytes?: number | undefined;
  readonly sketchSizeBytes?: number | undefined;
  readonly freeSpaceBytes?: number | undefined;
}

/** Build that runs on a device, as far as it was recognized. */
export interface RunningRecord {
  readonly by: 'md5' | 'version';
  readonly version: string;
  readonly releaseId?: number | undefined;
  /** Time at which the device was first seen running it, on the clock of `ServiceTime.servedMs`. */
  readonly sinceMs?: number | undefined;
}

export interface DeviceRecord {
  readonly project: string;
  /** Twelve capital hex digits with colons, as devices send it. */
  readonly mac: string;
  /** Number of times the record was saved; 0 if never. Saving an old copy is a conflict. */
  readonly revision: number;
  /** Whether the device was enrolled by a person, not only seen in requests. */
  readonly enrolled: boolean;
  readonly name?: string | undefined;
  readonly board?: string | undefined;
  /** Channel that replaces the one in the request URL. */
  readonly channel?: string | undefined;
  /** Channel from the last request URL. */
  readonly askedChannel?: string | undefined;
  /** Group of devices that rollouts treat alike. */
  readonly group?: string | undefined;
  /** Only version that the device gets, regardless of its channel and rollouts. */
  readonly pin?: string | undefined;
  readonly atomicFs?: boolean | undefined;
  readonly credential?: Credential | undefined;
  readonly firstSeenAt?: number | undefined;
  /** The device came back with an update, so it is probably a real device. */
  readonly proven?: boolean | undefined;
  readonly running?: RunningRecord | undefined;
  readonly decisions: { readonly [Kind in ImageKind]?: DecisionRecord | undefined };
  /** Latest attempts, one for each release. */
  readonly attempts: readonly Attempt[];
}

/** Delivery of a release to the devices of a channel, stage by stage. */
export interface RolloutRecord {
  readonly id: number;
  readonly project: string;
  readonly channel: string;
  readonly version: string;
  /** Releases of the version, for each kind and board. */
  readonly releaseIds: readonly number[];
  /** Current releases of the channel at the start; devices that may not get the new one yet stay on these. */
  readonly previousIds: readonly number[];
  /** Stages, with canaries resolved to MACs. */
  readonly stages: readonly RolloutStage[];
  readonly gate: RolloutGate;
  readonly halt: RolloutHalt;
  readonly state: RolloutState;
  readonly reason?: string | undefined;
  /** Number of open stages, counted from the first. */
  readonly openStages: number;
  /** Known failures that do not halt the rollout again. */
  readonly accepted: { readonly failed: number; readonly notConfirmed: number };
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly startedBy: Actor;
  readonly endedAt?: number | undefined;
  readonly history: readonly RolloutEvent[];
  readonly samples: readonly RolloutSample[];
  /** Final tally of each stage, stored when another rollout follows. */
  readonly endTallies?: readonly RolloutTally[] | undefined;
}

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

/** Device record with the data of its last check-in, which may be lost in a crash. */
export interface SeenDevice {
  readonly record: DeviceRecord;
  readonly lastSeenAt?: number | undefined;
  readonly report?: StoredReport | undefined;
}

export interface TokenRecord {
  /** Public part of a token. */
  readonly id: string;
  /** SHA-256 of the secret part, in hex. */
  readonly hash: string;
  readonly role: Role;
  /** Only project that the token is valid for; undefined for all. */
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
