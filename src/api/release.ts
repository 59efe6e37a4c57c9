import * as v from 'valibot';
import { sha256 } from '../core/model/fields.ts';

/**
 * What publish and the server say to each other: JSON over HTTP below `/api/v1`, with `Authorization: Bearer TOKEN`. Roles contain each
 * other: read < publish < admin. A token may be bound to one project.
 *
 *     GET    /server                                   read     ServerInfo
 *     GET    /uploads/{sha256}                         publish  UploadState; offset 0 where nothing has arrived yet
 *     PATCH  /uploads/{sha256}                         publish  the bytes from Upload-Offset on, as application/octet-stream, with the
 *                                                               headers Upload-Offset and Upload-Length; answers UploadState. Another
 *                                                               offset than the server has: 409 `upload-offset` with `offset`. Other
 *                                                               bytes than the digest says: 422 `digest-mismatch`, all is dropped
 *     POST   /projects/{project}/releases              publish  ReleaseRequest; answers ReleaseAnswer, 201 when it is new
 *     GET    /projects/{project}/releases?before&limit  read     { releases: ReleaseInfo[], next? }, the newest first
 *     POST   /projects/{project}/releases/yank     publish  { version, kind?, board?, reason? }; answers { releases: ReleaseInfo[] } that were yanked
 *     PUT    /projects/{project}/channels/{channel}    publish  { version, kind?, board? } is offered; answers { releases: ReleaseInfo[] }
 *     GET    /projects                                 read     { projects: ProjectInfo[] }
 *     GET, PUT /projects/{project}                     read, admin   ProjectRequest; answers ProjectInfo
 *     GET    /projects/{project}/devices?after&limit   read     { devices: DeviceInfo[], next? }
 *     GET, PUT, DELETE /projects/{project}/devices/{mac}        read, admin   DeviceRequest; answers DeviceInfo
 *     POST   /projects/{project}/devices/{mac}/retry   publish  a device that failed may be sent the release again; answers DeviceInfo
 *     POST   /projects/{project}/devices/import        admin    the table of the update script in the core's documentation
 *     /projects/{project}/rollouts                     see `rollout.ts`
 *     GET, POST /tokens, DELETE /tokens/{id}           admin    { role, project?, name? }; answers TokenInfo, with `token` once
 *     GET    /audit?before&limit                       admin    { entries: AuditEntry[], next? }
 *     GET    /export                                   admin    lines of JSON, to be read by `ota-hooks server restore`
 *
 * To publish: POST the release; 409 `blobs-missing` names what the server does not have; PATCH each of them (any number of pieces, from
 * where GET says that it stopped); POST again. Each step may be repeated: the same release twice is `unchanged`.
 *
 * Anything but 2xx carries an `ApiProblem` (api-problems.ts).
 */
export const apiRoot = '/api/v1';

const nameRule = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Of a project or a channel: it stands in URLs, and in the sketch. */
export const resourceName = v.pipe(
  v.string('must be text'),
  v.regex(nameRule, 'must be 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit'),
);

/** Of a firmware: what the device sends back as x-ESP8266-version, so nothing that a header cannot carry. */
export const firmwareVersion = v.pipe(
  v.string('must be text'),
  v.regex(/^[!-?A-~][!-~]{0,63}$/, 'must be 1 to 64 visible ASCII characters without spaces, and not begin with @'),
);

const board = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'), v.maxLength(64));
const imageKind = v.picklist(['sketch', 'filesystem'], 'must be sketch or filesystem');

/** The channel of whoever names none. */
export const defaultChannel = 'stable';

/** The longest manifest that is taken; one with its 112 sketch MD5s has about 15 KB. */
const mostManifestBytes = 256 * 1024;

/** A rule besides those of preflight, for `allow`: a device does not mind a private key in its sketch, its owner may. */
export const privateKeyRule = 'private-key-inside';

export const releaseRequestSchema = v.strictObject({
  version: firmwareVersion,
  /** Where it is offered from now on; of no meaning for `known`. */
  channel: v.optional(resourceName, defaultChannel),
  /** Offered on no channel, whatever `channel` says: it waits for a rollout, or until somebody offers it. */
  draft: v.optional(v.boolean(), false),
  /** known: a build of the past that devices still run. It is recognized, and never sent. */
  purpose: v.optional(v.picklist(['serve', 'reference'], 'must be serve or reference'), 'serve'),
  /** The text of the manifest, as it stands beside the artifacts. */
  manifest: v.pipe(v.string('must be the text of a manifest'), v.maxLength(mostManifestBytes)),
  /** Names of rules that may not stand in the way. */
  allow: v.optional(v.pipe(v.array(v.string()), v.maxLength(64)), []),
});
/** As a client writes it: what has a default may be left out. */
export type ReleaseRequest = v.InferInput<typeof releaseRequestSchema>;

export interface UploadState {
  readonly sha256: string;
  /** Bytes that the server has. */
  readonly offset: number;
  /** All of them are there, and they are what the digest says. */
  readonly complete: boolean;
}

/** The largest blob that is taken: the largest flash, and a signature. */
export const mostBlobBytes = 16 * 1024 * 1024 + 1024;

/** What stands in the path of an upload. */
export const blobDigest = sha256;

const selection = {
  version: firmwareVersion,
  /** Without it, both. */
  kind: v.optional(imageKind),
  /** Without it, every board. */
  board: v.optional(board),
};
export const channelRequestSchema = v.strictObject(selection);

export const yankRequestSchema = v.strictObject({
  ...selection,
  reason: v.optional(v.pipe(v.string(), v.maxLength(200))),
});

export interface ServerInfo {
  readonly name: 'ota-hooks';
  readonly version: string;
  readonly api: 1;
  readonly role: Role;
}

export const roles = ['read', 'publish', 'admin'] as const;
export type Role = (typeof roles)[number];
