import * as v from 'valibot';
import { type DeepReadonly, sha256, sizeBytes } from '../core/model/fields.ts';
import { releaseFindingSchema } from './release-info.ts';

/** HTTP status, cause and fix for each API error code. docs/errors.md is generated from this table. */
export const apiProblems = {
  'bad-request': {
    status: 400,
    when: 'The body is incomplete or not JSON, or an upload header is not a number of bytes.',
    whatToDo: 'Send the request again; continue an upload at the offset that the server reports.',
  },
  'not-authorized': {
    status: 401,
    when: 'The token is missing, unknown or revoked.',
    whatToDo: 'Set a valid token in the environment. An admin creates tokens with `ota-hooks server tokens create`.',
  },
  'role-missing': {
    status: 403,
    when: "The token's role is not sufficient, or the token is for a different project.",
    whatToDo: 'Use a token with the required role, for this project or for all projects.',
  },
  'channel-not-permitted': {
    status: 403,
    when: 'The token may publish, but it may not promote releases to this channel.',
    whatToDo:
      'Publish a draft (`ota-hooks publish` does this), then promote it with a token that is valid for this channel.',
  },
  'not-found': {
    status: 404,
    when: 'Project, release, device, rollout, token or path not found.',
    whatToDo: 'Check the name. `ota-hooks server projects list`, `releases list` and `devices list` show what exists.',
  },
  'method-not-allowed': {
    status: 405,
    when: 'The path exists, but not with the method of the request. The header `Allow` lists the methods.',
    whatToDo: 'Use a method that the API documentation (`/api` on the server) lists for this path.',
  },
  'blobs-missing': {
    status: 409,
    when: 'The release refers to artifacts that the server does not have; `missing` lists them.',
    whatToDo: 'Upload the artifacts and publish again, or run `ota-hooks publish`, which does both.',
  },
  'upload-offset': {
    status: 409,
    when: 'The data does not start at the current end of the upload, which is in `offset`.',
    whatToDo: 'Continue at this offset, as `ota-hooks publish` does.',
  },
  'version-taken': {
    status: 409,
    when: 'The version already exists with different bytes. The bytes of a release never change.',
    whatToDo: 'Change the version and pack the build again.',
  },
  'image-known': {
    status: 409,
    when: 'The project already has the same image under a different version, and the token is not an admin token.',
    whatToDo: 'Build a new image, or promote the existing version. An admin token can publish the image anyway.',
  },
  conflict: {
    status: 409,
    when: 'The request conflicts with the current state, such as an alias of a different project or an active rollout.',
    whatToDo: 'Resolve the conflict that the message describes.',
  },
  'too-large': {
    status: 413,
    when: 'The body or the artifact exceeds the size limit.',
    whatToDo: 'Send artifacts to /uploads. No artifact can be larger than the largest flash chip.',
  },
  invalid: {
    status: 422,
    when: 'A field of the request is invalid; `problems` lists all errors.',
    whatToDo: 'Correct the listed fields.',
  },
  'digest-mismatch': {
    status: 422,
    when: 'The bytes of an upload do not match its digest; the upload was discarded.',
    whatToDo: 'Upload the file again. If this fails again, the file changed after it was packed.',
  },
  'private-key': {
    status: 422,
    when: 'The image contains a private key, or a private key was sent in place of a public key.',
    whatToDo:
      "Remove the key from the build. If it is the project's key and the image has left your machine, generate a new key pair.",
  },
  'not-as-described': {
    status: 422,
    when: 'The artifacts do not match the manifest; `problems` lists the differences.',
    whatToDo: 'Pack the build again with `ota-hooks pack`.',
  },
  'wrong-key': {
    status: 422,
    when: 'The release is unsigned, or signed with a key that is not registered for the project.',
    whatToDo: "Sign the release with the project's key, or ask an admin to add your key to the project.",
  },
  blocked: {
    status: 422,
    when: 'Preflight found the update unsafe: it would brick devices, lock you out or disable signature checks. `blockedBy` lists the rules.',
    whatToDo: 'Apply the fix for each rule. To publish despite a rule, pass `--allow RULE`.',
  },
  'verification-limit': {
    status: 422,
    when: "Verifying the artifacts exceeded the server's time or memory limit; nothing was published.",
    whatToDo: 'Pack the build again with `ota-hooks pack`, and publish it when the server is less busy.',
  },
  'too-many-requests': {
    status: 429,
    when: 'Too many failed requests from one address, or too many unfinished uploads.',
    whatToDo: 'Use a valid token. Complete unfinished uploads, or wait a day until they are removed.',
  },
  'internal-error': {
    status: 500,
    when: 'A bug in the server.',
    whatToDo: 'Check the server log and report the bug.',
  },
  unavailable: {
    status: 503,
    when: 'The database or the bucket of the server cannot be reached, or it accepts no writes.',
    whatToDo: 'Try again in a minute. The server recovers by itself when they are available.',
  },
  'shutting-down': {
    status: 503,
    when: 'The server is stopping.',
    whatToDo: 'Try again in a minute.',
  },
  'disk-full': {
    status: 507,
    when: "The server's disk is full; nothing was changed.",
    whatToDo: "Free some space on the server's disk.",
  },
} as const;
export type ApiProblemCode = keyof typeof apiProblems;

// The keys of the table are its codes.
const codes = Object.keys(apiProblems) as ApiProblemCode[];

/** Error response of the API. Programs can rely on `code`, which never changes. */
export const apiProblemSchema = v.strictObject({
  error: v.strictObject({
    code: v.picklist(codes),
    message: v.string(),
    /** Instruction for fixing the error. */
    hint: v.string(),
    /** Missing blobs to upload. Only for `blobs-missing`. */
    missing: v.optional(v.array(v.strictObject({ file: v.string(), sha256, sizeBytes }))),
    /** Number of bytes that the server has received. Only for `upload-offset`. */
    offset: v.optional(sizeBytes),
    /** Preflight findings that block the release. Only for `blocked`. */
    blockedBy: v.optional(v.array(releaseFindingSchema)),
    /** Messages, one for each error. Only for `invalid` and `not-as-described`. */
    problems: v.optional(v.array(v.string())),
  }),
});
export type ApiProblem = DeepReadonly<v.InferOutput<typeof apiProblemSchema>>;
