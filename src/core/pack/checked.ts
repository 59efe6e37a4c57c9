import * as v from 'valibot';
import { compressionNames } from '../compression/names.ts';
import { abortSignal, anObject, bytes, publicKey, requireArgument, someFunction } from '../model/arguments.ts';
import type { Same } from '../model/fields.ts';
import { type PackRequest, packImage } from './pack-image.ts';
import { signBuild } from './sign-build.ts';

const text = v.string();

const packRequest = v.strictObject({
  path: text,
  image: bytes,
  file: v.optional(text),
  elf: v.optional(v.strictObject({ path: text, bytes })),
  kind: v.optional(v.picklist(['sketch', 'filesystem'])),
  publicKey: v.optional(publicKey),
  previousKey: v.optional(publicKey),
  compression: v.optional(v.picklist(compressionNames)),
  legacy: v.optional(v.boolean()),
  signCompressedFilesystem: v.optional(v.boolean()),
  enforcementDeclared: v.optional(v.boolean()),
  allow: v.optional(v.array(text)),
  allowedRules: v.optional(v.array(v.strictObject({ rule: text, reason: text }))),
  metadata: v.optional(
    v.union([
      v.literal('none'),
      v.strictObject({ product: v.optional(text), securityVersion: v.number(), raw: v.boolean() }),
    ]),
  ),
  previous: v.optional(anObject),
  project: v.optional(text),
  version: v.optional(text),
  board: v.optional(text),
  sourceCommit: v.optional(text),
  builder: v.optional(text),
  signal: v.optional(abortSignal),
});

true satisfies Same<keyof PackRequest, keyof v.InferOutput<typeof packRequest>>;

const buildArgument = v.strictObject({ manifest: anObject, files: v.instance(Map) });
const signers = v.looseObject({ publicKey, sign: someFunction });

/** {@link packImage}, with a check of its options (ARGUMENT_INVALID). */
export const checkedPackImage: typeof packImage = async (request) => {
  requireArgument('packImage', packRequest, request);
  return packImage(request);
};

/** {@link signBuild}, with a check of its arguments (ARGUMENT_INVALID). */
export const checkedSignBuild: typeof signBuild = async (build, signer, signerName) => {
  requireArgument('signBuild', v.strictObject({ build: buildArgument, signer: signers, signerName: text }), {
    build,
    signer,
    signerName,
  });
  return signBuild(build, signer, signerName);
};
