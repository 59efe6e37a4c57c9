import * as v from 'valibot';
import { compressionNames } from '../compression/names.ts';

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const fromEnvironment = v.strictObject({
  env: v.pipe(text, v.description('Name of the environment variable that holds it.')),
});
const fromFile = v.strictObject({
  file: v.pipe(text, v.description('Path of the file that holds it, relative to this configuration.')),
});

const keyHint = 'must be a path, or {"env": "NAME"}';
/** A key: a path, or the environment variable that holds the PEM text. */
const keySource = v.union(
  [
    v.pipe(text, v.regex(/^(?!\s*-----BEGIN )/, `${keyHint} (a key never stands in the configuration itself)`)),
    fromEnvironment,
  ],
  keyHint,
);
/** A secret never stands in the configuration itself. */
const secretSource = v.union(
  [fromEnvironment, fromFile],
  'must be {"env": "NAME"} or {"file": "PATH"} (a secret never stands in the configuration itself)',
);

export const configSchema = v.strictObject({
  $schema: v.optional(v.pipe(v.string(), v.description('For editors: the JSON schema of this file.'))),
  project: v.optional(
    v.pipe(text, v.description('Name of the project; a device of another project is never sent its firmware.')),
  ),
  version: v.optional(
    v.pipe(
      v.union([text, fromEnvironment], 'must be a text, or {"env": "NAME"}'),
      v.description('Version of the firmware, or the environment variable that holds it.'),
    ),
  ),
  board: v.optional(v.pipe(text, v.description('Name of the board, such as d1_mini.'))),
  images: v.optional(
    v.pipe(v.array(text), v.description('Glob patterns of the images that `pack` works on when none is named.')),
  ),
  privateKey: v.optional(
    v.pipe(keySource, v.description('Private key: a path, or {"env": "NAME"} with the PEM text in it.')),
  ),
  publicKey: v.optional(v.pipe(keySource, v.description('Public key; derived from the private key when absent.'))),
  passphrase: v.optional(v.pipe(secretSource, v.description('Passphrase of an encrypted private key.'))),
  knownKeys: v.optional(
    v.pipe(v.array(text), v.description('Paths of further public keys that `verify` and `inspect` recognise.')),
  ),
  compression: v.optional(
    v.pipe(
      v.picklist(compressionNames, `must be one of ${compressionNames.join(', ')}`),
      v.description(
        'gzip (default) is quick; zopfli is smallest, at some seconds a build; none makes no compressed artefact.',
      ),
    ),
  ),
  legacy: v.optional(v.pipe(v.boolean(), v.description('Also write .legacy_sig, for devices that run core 2.5.x.'))),
  signCompressedFilesystem: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Sign the compressed filesystem too; only devices built with ATOMIC_FS_UPDATE can take it.'),
    ),
  ),
  enforcement: v.optional(
    v.pipe(
      v.picklist(['elf', 'declared'], 'must be elf or declared'),
      v.description(
        'elf (default): the ELF must show that the Updater verifies. declared: the sketch calls Update.installSignature itself.',
      ),
    ),
  ),
});

/** A configuration as it is written; paths are relative to its own folder. */
export type Config = v.InferOutput<typeof configSchema>;
export type KeySource = v.InferOutput<typeof keySource>;
export type SecretSource = v.InferOutput<typeof secretSource>;
