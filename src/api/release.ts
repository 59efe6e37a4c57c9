import * as v from 'valibot';
import { type DeepReadonly, printable, sha256, sizeBytes } from '../core/model/fields.ts';
import { printableParagraphs } from '../core/model/unprintable.ts';
import type { RuleId } from '../core/preflight/registry.ts';

/**
 * Root path of the API: JSON over HTTP, with `Authorization: Bearer TOKEN`. `src/server/http/api/operations/` declares the operations, and
 * the server describes them at `/api/openapi.json` and `/api`. The table in `src/server/auth/permissions.ts` defines which roles permit
 * each action. A token may be limited to one project.
 *
 * To publish, POST the release. If the response is 409 `blobs-missing`, PATCH each blob that it lists, in any number of pieces, starting at
 * the offset that GET returns; then POST again. Each step may be repeated: publishing the same release twice returns `unchanged`.
 *
 * Every non-2xx response contains an `ApiProblem` (api-problems.ts). Every response has the header `Ota-Api-Version`.
 */
export const apiRoot = '/api/v1';

/** API version in `apiRoot`, in ServerInfo and in a header of every response. Clients reject newer API versions. */
export const apiVersion = 1;
export const apiVersionHeader = 'Ota-Api-Version';

const nameRule = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Name of a project or channel, as used in URLs and in the sketch. */
export const resourceName = v.pipe(
  v.string('must be text'),
  v.regex(nameRule, 'must be 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit'),
);

/** Firmware version. Devices send the version in the x-ESP8266-version header, so only header-safe characters are allowed. */
export const firmwareVersion = v.pipe(
  v.string('must be text'),
  v.regex(/^[!-?A-~][!-~]{0,63}$/, 'must be 1 to 64 visible ASCII characters without spaces, and not begin with @'),
  v.examples(['1.0.0']),
);

/** Reason for the audit log, shown to administrators. */
export const reasonText = v.pipe(v.string('must be text'), v.maxLength(200), printable);
/** Maximum length of release notes, in UTF-16 code units. */
export const mostNotesLength = 16_384;
/** Release notes in Markdown, with any line breaks. */
export const releaseNotesText = v.pipe(
  v.string('must be text'),
  v.maxLength(mostNotesLength, `must have at most ${mostNotesLength} characters`),
  v.regex(printableParagraphs, 'must not contain control characters or text direction marks'),
);
const imageKind = v.picklist(['sketch', 'filesystem'], 'must be sketch or filesystem');

/** Default channel of devices and requests. */
export const defaultChannel = 'stable';

/** Maximum size of a manifest. A manifest with 112 sketch MD5s is about 15 KB long. */
const mostManifestBytes = 256 * 1024;

/** Value for `allow` that is not a preflight rule: permits an image that contains a private key, such as the device's own TLS key. */
export const privateKeyRule = 'private-key-inside';

export const releaseRequestSchema = v.strictObject({
  version: firmwareVersion,
  /** Channel to which the release is promoted. Ignored for reference builds. */
  channel: v.optional(resourceName, defaultChannel),
  /** True to publish a draft. No channel serves a draft until the release is promoted or rolled out. */
  draft: v.optional(v.boolean(), false),
  /**
   * Purpose of the release. `reference`: an earlier build that devices still run. The server recognizes a reference build but never sends
   * it.
   */
  purpose: v.optional(v.picklist(['serve', 'reference'], 'must be serve or reference'), 'serve'),
  /** Text of the manifest file beside the artifacts. */
  manifest: v.pipe(v.string('must be the text of a manifest'), v.maxLength(mostManifestBytes)),
  /** Notes for all images of the version, in Markdown; absent to leave them unchanged. */
  notes: v.optional(releaseNotesText),
  /** Names of rules that do not block the release. */
  allow: v.optional(v.pipe(v.array(v.string()), v.maxLength(64)), []),
});
/** Request body as sent by a client. Fields with a default are optional. */
export type ReleaseRequest = v.InferInput<typeof releaseRequestSchema>;

export const uploadStateSchema = v.strictObject({
  sha256,
  /** Number of bytes received by the server. */
  offset: sizeBytes,
  /** True if all bytes have arrived and match the digest. */
  complete: v.boolean(),
});
export type UploadState = Readonly<v.InferOutput<typeof uploadStateSchema>>;

/** Maximum size of a blob: the largest flash chip plus a signature. */
export const mostBlobBytes = 16 * 1024 * 1024 + 1024;

/** SHA-256 digest in the path of an upload. */
export const blobDigest = sha256;

const releasePart = v.strictObject({
  /** Kind of image. If absent, the part includes both kinds. */
  kind: v.optional(imageKind),
  /** Name of a board, or an empty text for images without a board. If absent, the part includes all boards. */
  board: v.optional(v.pipe(v.string('must be text'), v.maxLength(64), printable)),
});
/** Images of a release, selected by kind and board. */
export type ReleasePart = DeepReadonly<v.InferOutput<typeof releasePart>>;

const selection = {
  version: firmwareVersion,
  /** Parts of the release, each of which must include an image. If absent, the request applies to all images of the version. */
  parts: v.optional(v.pipe(v.array(releasePart), v.minLength(1, 'must not be empty'), v.maxLength(256))),
};

/** Rules that can be allowed for a promotion or a rollout: the other rules concern the build, and are allowed when it is published. */
export const lockOutRuleNames = [
  'lockout-product',
  'lockout-key',
  'lockout-security-version',
] as const satisfies readonly RuleId[];
export type LockOutRule = (typeof lockOutRuleNames)[number];

/** Names of rules that do not block the promotion or the rollout. */
export const allowedLockOuts = v.optional(
  v.pipe(
    v.array(v.picklist(lockOutRuleNames, `must be ${lockOutRuleNames.join(', ')}`)),
    v.maxLength(lockOutRuleNames.length, 'must name each rule once'),
  ),
);
export const channelRequestSchema = v.strictObject({ ...selection, allow: allowedLockOuts });

export const yankRequestSchema = v.strictObject({
  ...selection,
  reason: v.optional(reasonText),
});

export const notesRequestSchema = v.strictObject({
  version: firmwareVersion,
  /** New notes in Markdown; an empty text removes them. */
  notes: releaseNotesText,
});

/** Token roles. `src/server/auth/permissions.ts` defines which actions each role permits. */
export const roles = ['read', 'publish', 'operate', 'admin'] as const;
export type Role = (typeof roles)[number];

export const serverInfoSchema = v.strictObject({
  name: v.literal('ota-hooks'),
  version: v.string(),
  api: v.literal(apiVersion),
  /** Roles of the token. */
  roles: v.array(v.picklist(roles)),
  /** Channels to which a token with only the role `publish` may promote releases. */
  channels: v.array(v.string()),
});
