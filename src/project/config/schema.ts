import * as v from 'valibot';
import { type CompressionName, compressionNames } from '../../core/compression/names.ts';
import { allowanceReason, type Same } from '../../core/model/fields.ts';
import {
  type DeviceConfig,
  devicesSchema,
  type UploadConfig,
  uploadSchema,
} from '../../core/model/inventory-schema.ts';
import {
  type FromEnvironment,
  type FromFile,
  fromEnvironment,
  fromFile,
  type SecretSource,
  secretSource,
  text,
} from '../../core/model/secret-source.ts';
import { type GuardConfig, guardSchema } from './guard-schema.ts';
import { type KeyEntry, type KeySource, keyInventorySchema, keySourceSchema } from './keys-schema.ts';
import { type PublishConfig, publishSchema } from './publish-schema.ts';

/** The tag of the checked-out commit. */
export interface FromGitTag {
  git: 'tag';
}

const fromGitTag = v.strictObject({ git: v.literal('tag', 'must be "tag"') });

/** Content of `ota.config.json`. Paths are relative to the folder of the file. */
export interface Config {
  /** JSON schema of the configuration file, for editors. */
  $schema?: string | undefined;
  /** Project name. Firmware of the project is never sent to devices of a different project. */
  project?: string | undefined;
  /** Firmware version; or the tag of the commit, an environment variable or a file that contains the version. */
  version?: string | FromGitTag | FromEnvironment | FromFile | undefined;
  /** Board name, such as `d1_mini`. */
  board?: string | undefined;
  /** Glob patterns for images. `pack` uses the patterns if the command line contains no image. */
  images?: string[] | undefined;
  privateKey?: KeySource | undefined;
  /** Public key, as the short form of `keys` for one key. By default, the key is derived from the private key. */
  publicKey?: KeySource | undefined;
  /** Keys of the project with their fingerprints. Builds use the first signing key, and fail if it is missing or was replaced. */
  keys?: KeyEntry[] | undefined;
  /** `required`: builds fail unless they are signed. By default, builds without a private key can be signed on a different machine. */
  signing?: 'required' | undefined;
  /** Passphrase of the private key, if the key is encrypted. */
  passphrase?: SecretSource | undefined;
  /** Paths of additional public keys, which `verify` and `inspect` recognize. */
  knownKeys?: string[] | undefined;
  /**
   * Compression of artifacts. `gzip` (default) is fast, `zopfli` produces the smallest files but takes seconds, and `none` disables
   * compression.
   */
  compression?: CompressionName | undefined;
  /** True to also create `.legacy_sig` files, for devices that run core 2.5.x. */
  legacy?: boolean | undefined;
  /** True to also sign the compressed filesystem. Only devices built with ATOMIC_FS_UPDATE accept a compressed filesystem. */
  signCompressedFilesystem?: boolean | undefined;
  /** False to write no metadata into artifacts. Devices with the guard read the metadata. */
  metadata?: boolean | undefined;
  /** True to write a bill of materials in CycloneDX format beside each image. */
  sbom?: boolean | undefined;
  /**
   * Required proof of signature checks. `elf` (default): the ELF must show that the Updater verifies signatures. `declared`: the sketch
   * calls `Update.installSignature`.
   */
  enforcement?: 'elf' | 'declared' | undefined;
  /** Additional checks on the devices. By default, devices check only the signature. Requires a key. */
  guard?: GuardConfig | undefined;
  /**
   * Name of copies of the artifacts, such as `{project}-{version}-{board}`. The copies are beside the artifacts, which keep their usual
   * names for other tools.
   */
  artifacts?: { name?: string | undefined } | undefined;
  /** Preflight rules that do not block, each with the reason. Rules about proof, keys and signatures need the command line. */
  allow?: Record<string, string> | undefined;
  /** Devices in the project, by name. */
  devices?: Record<string, DeviceConfig> | undefined;
  upload?: UploadConfig | undefined;
  publish?: PublishConfig | undefined;
}

/** @internal */
export const configSchema = v.strictObject({
  $schema: v.optional(v.pipe(v.string(), v.description('JSON schema of this file, for editors.'))),
  project: v.optional(
    v.pipe(text, v.description('Project name. Devices of other projects never receive the firmware of this project.')),
  ),
  version: v.optional(
    v.pipe(
      v.union(
        [text, fromGitTag, fromEnvironment, fromFile],
        'must be a string, {"git": "tag"}, {"env": "NAME"} or {"file": "PATH"}',
      ),
      v.description(
        'Version of the firmware. {"git": "tag"} reads it from the tag of the commit: v1.2.0 is 1.2.0. {"env": "NAME"} and {"file": "VERSION"} read a variable or a file.',
      ),
    ),
  ),
  board: v.optional(v.pipe(text, v.description('Name of the board, such as d1_mini.'))),
  images: v.optional(
    v.pipe(v.array(text), v.description('Glob patterns of the images that `pack` reads if no file is passed.')),
  ),
  privateKey: v.optional(
    v.pipe(
      keySourceSchema,
      v.description(
        'Private key: a path, or {"env": "NAME"} for a variable that contains the PEM text (default: private.key in the source folder).',
      ),
    ),
  ),
  publicKey: v.optional(
    v.pipe(
      keySourceSchema,
      v.description('Public key (default: public.key in the source folder, or derived from the private key).'),
    ),
  ),
  keys: v.optional(
    v.pipe(
      keyInventorySchema,
      v.description(
        'Keys with their fingerprints. Builds use the first signing key, and fail if it is missing or was replaced.',
      ),
    ),
  ),
  signing: v.optional(
    v.pipe(
      v.literal('required', 'must be required'),
      v.description(
        'required: builds fail unless they are signed. Otherwise, a build without a private key can be signed elsewhere.',
      ),
    ),
  ),
  passphrase: v.optional(v.pipe(secretSource, v.description('Passphrase of an encrypted private key.'))),
  knownKeys: v.optional(
    v.pipe(v.array(text), v.description('Paths of additional public keys for `verify` and `inspect`.')),
  ),
  compression: v.optional(
    v.pipe(
      v.picklist(compressionNames, `must be one of ${compressionNames.join(', ')}`),
      v.description(
        'gzip (default) is fast, zopfli is smallest and takes seconds, none creates no compressed artifact.',
      ),
    ),
  ),
  legacy: v.optional(v.pipe(v.boolean(), v.description('Also write .legacy_sig, for devices that run core 2.5.x.'))),
  signCompressedFilesystem: v.optional(
    v.pipe(
      v.boolean(),
      v.description('Also sign the compressed filesystem; only devices built with ATOMIC_FS_UPDATE accept it.'),
    ),
  ),
  metadata: v.optional(
    v.pipe(
      v.boolean(),
      v.description('false: artifacts contain no metadata for devices with the guard (default: true).'),
    ),
  ),
  sbom: v.optional(
    v.pipe(v.boolean(), v.description('true: also write a bill of materials (CycloneDX) beside each image.')),
  ),
  enforcement: v.optional(
    v.pipe(
      v.picklist(['elf', 'declared'], 'must be elf or declared'),
      v.description(
        'elf (default): the ELF must show that the Updater verifies signatures. declared: the sketch calls Update.installSignature itself.',
      ),
    ),
  ),
  guard: v.optional(
    v.pipe(guardSchema, v.description('Additional checks on the devices: several keys, security version, product.')),
  ),
  artifacts: v.optional(
    v.pipe(
      v.strictObject({
        name: v.optional(
          v.pipe(
            text,
            v.regex(
              /^(?:[^{}]|\{(?:project|version|board)\})+$/,
              'may contain only the placeholders {project}, {version} and {board}',
            ),
            v.description('Name of the copies, with the placeholders {project}, {version} and {board}.'),
          ),
        ),
      }),
      v.description('Copies of the artifacts under a name that you choose, beside the files with the usual names.'),
    ),
  ),
  allow: v.optional(
    v.pipe(
      v.record(v.string(), allowanceReason),
      v.description(
        'Preflight rules to report as warnings instead of errors, each with the reason. Rules about proof, keys and signatures can be allowed only on the command line.',
      ),
    ),
  ),
  devices: v.optional(
    v.pipe(devicesSchema, v.description('Devices of the project by name. `upload --all` updates only these devices.')),
  ),
  upload: v.optional(
    v.pipe(uploadSchema, v.description('Defaults for devices that do not configure these options themselves.')),
  ),
  publish: v.optional(
    v.pipe(publishSchema, v.description('Destination of `publish`, and whether builds publish automatically.')),
  ),
});

true satisfies Same<Config, v.InferOutput<typeof configSchema>>;
