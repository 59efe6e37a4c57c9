import type { ReleaseFinding } from './release-info.ts';

/** Blob that a release references and the server does not have. */
interface MissingBlob {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Error response of the API. `code` is for programs and never changes. */
export interface ApiProblem {
  readonly error: {
    readonly code: ApiProblemCode;
    readonly message: string;
    /** What to do about the error. */
    readonly hint: string;
    /** Only for `blobs-missing`: the blobs to upload. */
    readonly missing?: readonly MissingBlob[];
    /** Only for `upload-offset`: number of bytes that the server has. */
    readonly offset?: number;
    /** Only for `refused`: the preflight findings that block the release. */
    readonly refused?: readonly ReleaseFinding[];
    /** Only for `invalid` and `not-as-described`: one text per error. */
    readonly problems?: readonly string[];
  };
}

/** HTTP status, cause and fix of each error code; docs/errors.md is generated from this table. */
export const apiProblems = {
  'bad-request': {
    status: 400,
    when: 'The body is no JSON or broke off, or a header of an upload is not a number of bytes.',
    whatToDo: 'Send it again, whole; an upload goes on where it stopped.',
  },
  'not-authorized': {
    status: 401,
    when: 'There is no token, or the server does not know it (any more).',
    whatToDo: 'Give the token in the environment; an admin makes a new one with `ota-hooks server tokens create`.',
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
    when: 'The release names artifacts that the server does not have; they are listed in `missing`.',
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
    when: 'The body, or the artifact, is larger than the server takes.',
    whatToDo: 'Artifacts go to /uploads; none is larger than the largest flash.',
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
    when: 'The artifacts are not what the manifest says; `problems` lists the differences.',
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
  'verification-limit': {
    status: 422,
    when: 'Reading the artifacts again takes the server more time or memory than it spends on one build; nothing was published.',
    whatToDo: 'Pack the build again with `ota-hooks pack`, and publish it once more when the server is less busy.',
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
