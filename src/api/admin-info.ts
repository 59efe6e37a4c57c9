import * as v from 'valibot';
import { type DeepReadonly, sha256 } from '../core/model/fields.ts';
import { preflightFixSchema } from '../core/model/preflight-fix.ts';
import { approvalModes } from './approvals.ts';
import { roles } from './release.ts';
import { historyDays } from './release-admin.ts';
import { releaseFindingSchema } from './release-info.ts';
import { deviceRolloutSchema } from './rollout-info.ts';

/** Types of server responses about projects, devices, tokens and the audit log. */

const time = v.pipe(v.string(), v.isoTimestamp());
const kind = v.picklist(['sketch', 'filesystem']);

export const projectInfoSchema = v.strictObject({
  name: v.string(),
  access: v.picklist(['open', 'closed']),
  /** SHA-256 fingerprints of the public keys. */
  keys: v.array(sha256),
  aliases: v.array(v.strictObject({ path: v.string(), channel: v.string() })),
  /** User name that devices must authenticate with. Absent if no password is required. */
  user: v.optional(v.string()),
  confirmWithinMs: v.number(),
  mostSends: v.number(),
  stalledAfterMs: v.optional(v.number()),
  /** Rules that tokens with the role `publish` may overrule. */
  publisherRules: v.array(v.string()),
  /** Whether a second person must approve the start of rollouts and promotions. Absent from earlier servers. */
  approval: v.optional(v.picklist(approvalModes)),
  /** Number of days for which the server keeps history; null if it is kept for ever. Absent from earlier servers. */
  history: v.optional(
    v.strictObject({
      /** Reports and times of check-ins, and all addresses. */
      checkInDays: v.nullable(historyDays),
      attemptDays: v.nullable(historyDays),
      auditDays: v.nullable(historyDays),
    }),
  ),
  devices: v.number(),
  channels: v.array(v.strictObject({ channel: v.string(), kind, board: v.optional(v.string()), version: v.string() })),
});
export type ProjectInfo = DeepReadonly<v.InferOutput<typeof projectInfoSchema>>;

export const channelInfoSchema = v.strictObject({
  channel: v.string(),
  /** Number of devices that are sent the channel's releases. */
  devices: v.number(),
  /** True if the token of the request may promote new releases to the channel. */
  mayPromote: v.boolean(),
});

/** Preview of a device's next update check. The version and the file are present only if the check would send an update. */
export const devicePreviewSchema = v.strictObject({
  mac: v.string(),
  action: v.picklist(['send', 'up-to-date', 'none']),
  code: v.string(),
  text: v.string(),
  version: v.optional(v.string()),
  artifact: v.optional(v.string()),
});
export type DevicePreview = DeepReadonly<v.InferOutput<typeof devicePreviewSchema>>;
export const previewResponseSchema = v.strictObject({ devices: v.array(devicePreviewSchema) });

/** Device that sent an update check to an alias and is not enrolled in a project with this alias. */
export const notEnrolledInfoSchema = v.strictObject({
  mac: v.string(),
  /** Path of the update check. */
  path: v.string(),
  /** Projects with this alias. */
  projects: v.array(v.string()),
  /** Projects that have a record of the device. */
  knownIn: v.array(v.string()),
  /** Version that the device reports. */
  version: v.optional(v.string()),
  address: v.string(),
  lastSeenAt: time,
});
export type NotEnrolledInfo = DeepReadonly<v.InferOutput<typeof notEnrolledInfoSchema>>;

/**
 * Update state of a device, worst first.
 *
 * - failed: an update was sent, but the device does not run the update; the update is sent again after a retry
 * - blocked: preflight found the update unsafe for the device, or the device's board is unknown
 * - updating: an update was sent, but the device has not confirmed the update yet
 * - pending: an update will be sent later: at the next update check after a retry, after the wait that follows an interrupted download, or
 *   when the device's stage opens
 * - up-to-date: there is nothing to install
 * - unknown: the device has sent no update check, or its channel has no release for it
 */
export const deviceStatuses = ['failed', 'blocked', 'updating', 'pending', 'up-to-date', 'unknown'] as const;
export type DeviceStatus = (typeof deviceStatuses)[number];

/**
 * Returns the text for a device without the time of its last check-in: the device has sent no update check, or the server has removed the
 * time of an old one (`checkInDays` of the project).
 */
export function unknownLastSeen(firstSeenAt: string | number | undefined): 'never' | 'long ago' {
  return firstSeenAt === undefined ? 'never' : 'long ago';
}

/** States of an update attempt, and the words for them in commands and on the dashboard. */
export const attemptStateWords = {
  sent: 'downloading',
  received: 'downloaded',
  interrupted: 'interrupted',
  running: 'installed',
  failed: 'failed',
} as const;

/**
 * State of a device's secret, which `server devices credentials` creates.
 *
 * - none: the device has no secret
 * - unused: the device has not used its secret yet; its requests are served without one
 * - used: requests without the secret are rejected
 * - rotating: like used; the device has a new secret that it has not used yet, and the previous one is valid until then
 * - revoked: all requests are rejected until the device uses a new secret
 */
export const credentialStates = ['none', 'unused', 'used', 'rotating', 'revoked'] as const;
export type CredentialState = (typeof credentialStates)[number];

/**
 * Decision about the last update check. `send`: an update is sent. `up-to-date`: there is nothing to install. `none`: no update is sent,
 * for the reason in `code` and `text`.
 */
const decisionInfoSchema = v.strictObject({
  action: v.picklist(['send', 'up-to-date', 'none']),
  code: v.string(),
  text: v.string(),
  version: v.optional(v.string()),
  /** Set if preflight blocks the update: the artifact that the fewest rules block, and these rules. */
  blocked: v.optional(
    v.strictObject({
      artifact: v.string(),
      findings: v.array(v.strictObject({ ...releaseFindingSchema.entries, fixes: v.array(preflightFixSchema) })),
    }),
  ),
  at: time,
});
export type DecisionInfo = DeepReadonly<v.InferOutput<typeof decisionInfoSchema>>;

export const deviceInfoSchema = v.strictObject({
  project: v.string(),
  mac: v.string(),
  status: v.picklist(deviceStatuses),
  enrolled: v.boolean(),
  /** True if the device has run an update sent by this server. */
  proven: v.boolean(),
  name: v.optional(v.string()),
  board: v.optional(v.string()),
  channel: v.optional(v.string()),
  group: v.optional(v.string()),
  labels: v.optional(v.array(v.string())),
  pin: v.optional(v.string()),
  atomicFs: v.optional(v.boolean()),
  /** Preflight rules that do not block updates of the device. */
  allow: v.optional(v.array(v.string())),
  user: v.optional(v.string()),
  credentials: v.picklist(credentialStates),
  firstSeenAt: v.optional(time),
  /** Exact to a minute. */
  lastSeenAt: v.optional(time),
  /** Data reported by the device. */
  report: v.optional(v.record(v.string(), v.optional(v.union([v.string(), v.number()])))),
  running: v.optional(v.strictObject({ version: v.string(), by: v.picklist(['md5', 'version']) })),
  /** State of the device in the rollout of its channel. */
  rollout: v.optional(deviceRolloutSchema),
  /** Last update decisions for the sketch and for the filesystem, each with its reason. */
  sketch: v.optional(decisionInfoSchema),
  filesystem: v.optional(decisionInfoSchema),
  attempts: v.array(
    v.strictObject({
      version: v.string(),
      kind,
      state: v.picklist(['sent', 'received', 'interrupted', 'running', 'failed']),
      sends: v.number(),
      /** Number of completed downloads. */
      receipts: v.number(),
      /** Number of downloads that broke off. They do not count against the limit. */
      interruptions: v.number(),
      lastSentAt: time,
      failure: v.optional(v.string()),
      /** Code with which the guard of the device rejected the update (docs/keys.md). */
      rejection: v.optional(v.number()),
    }),
  ),
});
export type DeviceInfo = DeepReadonly<v.InferOutput<typeof deviceInfoSchema>>;

export const tokenInfoSchema = v.strictObject({
  id: v.string(),
  /** Name of a person that a reverse proxy authenticates. Absent for a token. */
  person: v.optional(v.string()),
  roles: v.array(v.picklist(roles)),
  /** Channels to which a token with only the role `publish` may promote releases. */
  channels: v.array(v.string()),
  project: v.optional(v.string()),
  name: v.string(),
  createdAt: time,
  /** The token itself. The server returns it only when the token is created. */
  token: v.optional(v.string()),
});
export type TokenInfo = DeepReadonly<v.InferOutput<typeof tokenInfoSchema>>;

export const auditInfoSchema = v.strictObject({
  id: v.number(),
  at: time,
  actor: v.string(),
  /** Name of the token that `actor` identifies; absent if it has none or was revoked. */
  actorName: v.optional(v.string()),
  action: v.string(),
  project: v.optional(v.string()),
  detail: v.record(v.string(), v.unknown()),
});
export type AuditInfo = DeepReadonly<v.InferOutput<typeof auditInfoSchema>>;
