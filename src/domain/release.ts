import * as v from 'valibot';
import { sha256 } from './fields.ts';

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
 *     POST   /projects/{project}/releases/withdraw     publish  { version, kind?, board?, reason? }; answers { releases: ReleaseInfo[] } that were withdrawn
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
 *     GET    /export                                   admin    lines of JSON, to be read by `ota-hooks server import`
 *
 * To publish: POST the release; 409 `blobs-missing` names what the server does not have; PATCH each of them (any number of pieces, from
 * where GET says that it stopped); POST again. Each step may be repeated: the same release twice is `unchanged`.
 *
 * Anything but 2xx carries {@link ApiProblem}.
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
  hold: v.optional(v.boolean(), false),
  /** known: a build of the past that devices still run. It is recognised, and never sent. */
  purpose: v.optional(v.picklist(['serve', 'known'], 'must be serve or known'), 'serve'),
  /** The text of the manifest, as it stands beside the artefacts. */
  manifest: v.pipe(v.string('must be the text of a manifest'), v.maxLength(mostManifestBytes)),
  /** Names of rules that may not stand in the way. */
  allow: v.optional(v.pipe(v.array(v.string()), v.maxLength(64)), []),
});
/** As a client writes it: what has a default may be left out. */
export type ReleaseRequest = v.InferInput<typeof releaseRequestSchema>;

/**
 * published: new. promoted: it was there, and is offered on this channel from now on. unchanged: all of it was there; `hold` takes it off no
 * channel that offers it already. To publish again
 * what a channel has offered before does not bring it back (a build that is repeated must not roll a fleet back): PUT the channel.
 */
export interface ReleaseAnswer {
  readonly outcome: 'published' | 'promoted' | 'unchanged';
  readonly release: ReleaseInfo;
  /** What the rules have to say, though they do not refuse it. */
  readonly warnings: readonly ReleaseComplaint[];
}

/** A rule of preflight speaks. */
export interface ReleaseComplaint {
  readonly rule: string;
  readonly message: string;
  readonly instead: string;
}

/** A project, a version, a kind and a board name one release; its bytes never change. */
export interface ReleaseInfo {
  readonly project: string;
  readonly version: string;
  readonly kind: 'sketch' | 'filesystem';
  readonly board?: string | undefined;
  readonly purpose: 'serve' | 'known';
  /** That offer it now. */
  readonly channels: readonly string[];
  readonly publishedAt: string;
  readonly withdrawn?: string | undefined;
  readonly image: { readonly sizeBytes: number; readonly sha256: string; readonly core?: string | undefined };
  readonly enforcement: 'elf' | 'declared' | 'unproven';
  readonly keyFingerprint?: string | undefined;
  readonly artefacts: readonly {
    readonly file: string;
    readonly encoding: string;
    readonly signature: string;
    readonly sizeBytes: number;
    readonly sha256: string;
  }[];
}

export interface UploadState {
  readonly sha256: string;
  /** Bytes that the server has. */
  readonly offset: number;
  /** All of them are there, and they are what the digest says. */
  readonly complete: boolean;
}

/** A blob that a release names and the server does not have. */
interface MissingBlob {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
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

export const withdrawRequestSchema = v.strictObject({
  ...selection,
  reason: v.optional(v.pipe(v.string(), v.maxLength(200))),
});

/** Why a request was not done. `code` is for programs, and never changes. */
export interface ApiProblem {
  readonly error: {
    readonly code: ApiProblemCode;
    readonly message: string;
    /** What to do now. */
    readonly hint: string;
    /** blobs-missing */
    readonly missing?: readonly MissingBlob[];
    /** upload-offset */
    readonly offset?: number;
    /** refused */
    readonly refused?: readonly ReleaseComplaint[];
    /** invalid, not-as-described */
    readonly problems?: readonly string[];
  };
}

/** The status of each, when it is met, and what to do then: the page docs/errors.md is made of it. */
export const apiProblems = {
  'bad-request': {
    status: 400,
    when: 'The body is no JSON or broke off, or a header of an upload is not a number of bytes.',
    whatToDo: 'Send it again, whole; an upload goes on where it stopped.',
  },
  'not-authorised': {
    status: 401,
    when: 'There is no token, or the server does not know it (any more).',
    whatToDo: 'Give the token in the environment; an admin makes a new one with `ota-hooks server token create`.',
  },
  'role-missing': {
    status: 403,
    when: 'The token is for less than this, or for another project.',
    whatToDo: 'Use a token of the role that is named, for this project or for all of them.',
  },
  'not-found': {
    status: 404,
    when: 'There is no such project, release, device or token, or no such path.',
    whatToDo: 'Check the name; `ota-hooks server projects list` and its kin show what there is.',
  },
  'blobs-missing': {
    status: 409,
    when: 'The release names artefacts that the server does not have; they are listed in `missing`.',
    whatToDo: 'Upload them, then publish again; `ota-hooks publish` does both.',
  },
  'upload-offset': {
    status: 409,
    when: 'A piece of an upload does not begin where the server stands; it says where, in `offset`.',
    whatToDo: 'Go on from there; `ota-hooks publish` does.',
  },
  'version-taken': {
    status: 409,
    when: 'The version was published before, with other bytes. The bytes of a version never change.',
    whatToDo: 'Give the build a version of its own, and pack it again.',
  },
  conflict: {
    status: 409,
    when: 'The request contradicts what is there: an alias that leads to another project, or a device too many.',
    whatToDo: 'Change what is there first; the message names it.',
  },
  'too-large': {
    status: 413,
    when: 'The body, or the artefact, is larger than the server takes.',
    whatToDo: 'Artefacts go to /uploads; none is larger than the largest flash.',
  },
  invalid: {
    status: 422,
    when: 'The document was understood, and something in it is wrong; `problems` lists it.',
    whatToDo: 'Mend what is named.',
  },
  'digest-mismatch': {
    status: 422,
    when: 'The bytes of an upload are not those of its digest; all of them were dropped.',
    whatToDo: 'Upload the file again; if it fails again, it changed since it was packed.',
  },
  'private-key': {
    status: 422,
    when: 'There is a private key in the image, or in the place of a public one.',
    whatToDo: 'Keep it out of the build. If it is the key of the project and has left your machine, make a new pair.',
  },
  'not-as-described': {
    status: 422,
    when: 'The artefacts are not what the manifest says; `problems` lists the differences.',
    whatToDo: 'Pack the build again with `ota-hooks pack`.',
  },
  'wrong-key': {
    status: 422,
    when: 'The release is not signed, or not by the key of its project.',
    whatToDo: 'Sign it with the key of the project, or let an admin add the key to the project.',
  },
  refused: {
    status: 422,
    when: 'A rule of preflight objects: the update would brick, lock out or un-secure devices; `refused` lists why.',
    whatToDo: 'Do what stands beside the rule; past it leads only its name, `--allow RULE`.',
  },
  'too-many-requests': {
    status: 429,
    when: 'An address was refused too often, or too many uploads are unfinished.',
    whatToDo: 'Wait a minute, and give the right token; finish the uploads, or wait a day.',
  },
  'internal-error': {
    status: 500,
    when: 'A bug of the server; nothing was changed.',
    whatToDo: 'Look into the log of the server, and report it.',
  },
  'shutting-down': {
    status: 503,
    when: 'The server is being stopped.',
    whatToDo: 'Try again in a minute.',
  },
  'disk-full': {
    status: 507,
    when: 'The disk of the server is full; nothing was changed.',
    whatToDo: 'Free some space on it.',
  },
} as const;
export type ApiProblemCode = keyof typeof apiProblems;

export interface ServerInfo {
  readonly name: 'ota-hooks';
  readonly version: string;
  readonly api: 1;
  readonly role: Role;
}

export const roles = ['read', 'publish', 'admin'] as const;
export type Role = (typeof roles)[number];
