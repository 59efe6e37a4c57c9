import * as v from 'valibot';
import { printable } from '../core/model/fields.ts';
import type { RuleId } from '../core/preflight/registry.ts';
import { approvalModes } from './approvals.ts';
import { firmwareVersion, resourceName, roles } from './release.ts';

/** Request bodies that `ota-hooks server` sends, except for releases. */

const hourMs = 3_600_000;
const label = v.pipe(
  v.string('must be text'),
  v.nonEmpty('must not be empty'),
  v.maxLength(64, 'must be at most 64 characters'),
  printable,
);

export const credentialUser = v.pipe(
  v.string(),
  v.regex(/^[^:]{1,64}$/, 'must be 1 to 64 characters without a colon'),
  printable,
);
/** User name and password that devices must send, or null to require none. The server stores only a hash and never returns the password. */
const credential = v.nullable(
  v.strictObject({
    user: credentialUser,
    password: v.pipe(v.string(), v.minLength(8, 'must be at least 8 characters'), v.maxLength(128)),
  }),
);

const aliasPath = v.pipe(
  v.string('must be text'),
  v.regex(/^\/[!-"$-.0->@-~][!-"$->@-~]{0,199}$/, 'must be a path such as /esp/update/arduino.php, without ? and #'),
  v.check((path) => !isServerPath(path), 'is a path of the server itself'),
);

/** Returns whether the server itself uses a path. */
export function isServerPath(path: string): boolean {
  return /^\/($|(api|update|files|healthz|readyz|metrics|login|logout|events|assets|audit|projects|tokens|webhooks)(\/|$))/.test(
    routed(path),
  );
}

/**
 * Returns the path that the server's router compares: without dot segments and backslashes, and decoded. As in the router, an escape
 * that is not valid UTF-8 is left unchanged, and paths are case-sensitive.
 */
function routed(path: string): string {
  const url = `http://localhost${path}`;
  // The check of the syntax has reported a path that makes the URL invalid, such as `:x`.
  if (!URL.canParse(url)) return path;
  const { pathname } = new URL(url);
  return pathname.replace(/(%[0-9a-f]{2})+/gi, decodedOrSame).replace(/\/+/g, '/');
}

function decodedOrSame(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A hundred years. */
export const mostHistoryDays = 36_500;
const limitText = `must be a number of days from 1 to ${mostHistoryDays}`;
/** Number of days for which history is kept. */
export const historyDays = v.pipe(
  v.number(limitText),
  v.integer(limitText),
  v.minValue(1, limitText),
  v.maxValue(mostHistoryDays, limitText),
);

/** Changes to a project. An absent key leaves the value unchanged. */
export const projectRequestSchema = v.strictObject({
  /** Enrollment policy. `open`: any device may update. `closed`: only enrolled devices may update. */
  access: v.optional(v.picklist(['open', 'closed'], 'must be open or closed')),
  /** Public keys of the project in PEM format. An empty array means an unsigned project. */
  publicKeys: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(4096))), v.maxLength(8))),
  aliases: v.optional(
    v.pipe(v.array(v.strictObject({ path: aliasPath, channel: v.optional(resourceName, 'stable') })), v.maxLength(32)),
  ),
  credential: v.optional(credential),
  /** Time limit in milliseconds after a download. Within this time, the device must check in with the new build. */
  confirmWithinMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1000), v.maxValue(90 * 24 * hourMs))),
  mostSends: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20))),
  /** Time in milliseconds after which a rollout counts as stalled if no device was updated. The soak time is added. */
  stalledAfterMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1000), v.maxValue(90 * 24 * hourMs))),
  /** Rules that tokens with the role `publish` may overrule; [] for none. */
  publisherRules: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(64))), v.maxLength(64))),
  /** Whether a second person must approve the start of rollouts and promotions. */
  approval: v.optional(v.picklist(approvalModes, `must be ${approvalModes.join(' or ')}`)),
  /** Number of days for which the server keeps history; null to keep it for ever. */
  history: v.optional(
    v.strictObject({
      /** Reports and times of check-ins, and all addresses. */
      checkInDays: v.optional(v.nullable(historyDays)),
      attemptDays: v.optional(v.nullable(historyDays)),
      auditDays: v.optional(v.nullable(historyDays)),
    }),
  ),
});
export type ProjectRequest = v.InferInput<typeof projectRequestSchema>;

/** Default for `confirmWithinMs`: one day, because some devices check for updates only once a day. */
export const defaultConfirmWithinMs = 24 * hourMs;
export const defaultMostSends = 3;
/** Default for `stalledAfterMs`: one day, because some devices check for updates only once a day. */
export const defaultStalledAfterMs = 24 * hourMs;
/** Default for `history`. Audit entries are kept for ever. */
export const defaultHistory = { checkInDays: 30, attemptDays: 365, auditDays: undefined } as const;

/** Rules that can be allowed for one device. Their only risk is the loss of the files on this device. */
export const deviceRules = ['fs-moved'] as const satisfies readonly RuleId[];
export type DeviceRule = (typeof deviceRules)[number];

/** Maximum number of labels of a device. */
export const mostLabels = 16;

/** Labels of a device: names of sets that may overlap, unlike groups. */
export const deviceLabels = v.pipe(
  v.array(resourceName),
  v.maxLength(mostLabels, `must have at most ${mostLabels} entries`),
);

/** Changes to a device. An absent key leaves the value unchanged, and null removes it. */
export const deviceRequestSchema = v.strictObject({
  enrolled: v.optional(v.boolean()),
  name: v.optional(v.nullable(label)),
  board: v.optional(v.nullable(label)),
  /** Channel of the device. Overrides the channel in the device's request URL. */
  channel: v.optional(v.nullable(resourceName)),
  /** Group of the device. Rollout stages can select groups. */
  group: v.optional(v.nullable(resourceName)),
  /** Labels of the device. Replaces all labels. */
  labels: v.optional(v.nullable(deviceLabels)),
  /** Pinned version: the only version sent to the device, regardless of channels and rollouts. */
  pin: v.optional(v.nullable(firmwareVersion)),
  /** True if the sketch was built with ATOMIC_FS_UPDATE. */
  atomicFs: v.optional(v.nullable(v.boolean())),
  /** Preflight rules that do not block updates of this device. Replaces all such rules. */
  allow: v.optional(
    v.nullable(
      v.pipe(
        v.array(v.picklist(deviceRules, `must be ${deviceRules.join(' or ')}`)),
        v.maxLength(deviceRules.length, 'must name each rule once'),
      ),
    ),
  ),
  credential: v.optional(credential),
});
export type DeviceRequest = v.InferInput<typeof deviceRequestSchema>;

export const mac = v.pipe(
  v.string('must be text'),
  v.regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/, 'must be a MAC such as 18:FE:34:AA:BB:CC'),
  v.toUpperCase(),
  v.examples(['18:FE:34:AA:BB:CC']),
);

/** Devices whose next update the server previews, and the channel in the URL of their update checks. */
export const previewRequestSchema = v.strictObject({
  macs: v.pipe(v.array(mac), v.maxLength(10_000)),
  channel: v.optional(resourceName, 'stable'),
});

/** Name of a token that was created without one. */
export const defaultTokenName = 'unnamed';

/** Name of a person as a reverse proxy sends it, such as an e-mail address. A comma would join the names of two headers. */
export const personName = v.pipe(
  v.string('must be text'),
  v.regex(/^[^\s,](?:[^,]{0,62}[^\s,])?$/, 'must be a name of 1 to 64 characters without commas'),
  printable,
);

export const tokenRequestSchema = v.strictObject({
  roles: v.pipe(
    v.array(v.picklist(roles, `must be ${roles.join(', ')}`)),
    v.minLength(1, 'must contain at least one role'),
    v.maxLength(roles.length),
  ),
  /** Channels to which a token with only the role `publish` may promote releases. */
  channels: v.optional(v.pipe(v.array(resourceName), v.maxLength(100)), []),
  /** Project that the token is limited to. Absent for a token that is valid for all projects. */
  project: v.optional(resourceName),
  name: v.optional(label, defaultTokenName),
  /**
   * Name of a person that a reverse proxy authenticates (`serve --auth-header`). The person has these roles on the dashboard and receives no
   * token. Absent for a token.
   */
  person: v.optional(personName),
});
