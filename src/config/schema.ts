import * as v from 'valibot';
import { compressionNames } from '../compression/names.ts';
import { publishSchema } from './publish-schema.ts';
import { fromEnvironment, secretSource, text } from './secret-source.ts';
import { devicesSchema, uploadSchema } from './upload-schema.ts';

const keyHint = 'must be a path, or {"env": "NAME"}';
/** A key: a path, or the environment variable that holds the PEM text. */
const keySource = v.union(
  [
    v.pipe(text, v.regex(/^(?!\s*-----BEGIN )/, `${keyHint} (a key never stands in the configuration itself)`)),
    fromEnvironment,
  ],
  keyHint,
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
  devices: v.optional(
    v.pipe(
      devicesSchema,
      v.description('The devices of this project by name; `upload --all` means these, never whatever answers.'),
    ),
  ),
  upload: v.optional(v.pipe(uploadSchema, v.description('How devices are updated that do not say it themselves.'))),
  publish: v.optional(v.pipe(publishSchema, v.description('Where `publish` sends a build, and whether builds do it.'))),
});

/** A configuration as it is written; paths are relative to its own folder. */
export type Config = v.InferOutput<typeof configSchema>;
export type KeySource = v.InferOutput<typeof keySource>;
