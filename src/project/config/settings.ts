import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ProjectTrust, requirePermission, type SecretSpeaker } from '../../core/model/secret-policy.ts';
import type { SecretSource } from '../../core/model/secret-source.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { realPathOf } from '../../files/real-path.ts';
import type { RecordedKeys } from '../keys/recorded-keys.ts';
import { chosenSigner, type SignerOptions, type SignerProgram } from '../signing/choose-signer.ts';
import type { KeyEntry, KeySource } from './keys-schema.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import { projectTrust } from './project-trust.ts';
import type { Config } from './schema.ts';
import type { UserWords } from './user-words.ts';

/** Location of a key: a path, or an environment variable that contains PEM text. The file at the path must exist. */
export type KeyPlace = { readonly path: string } | { readonly variable: string };

/** Command-line options that select the project. Paths are relative to the working directory. */
export interface ProjectOptions extends SignerOptions {
  readonly source?: string | undefined;
  readonly config?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly publicKey?: string | undefined;
  readonly passphraseEnv?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

/** Project settings from the command line, the configuration and the files beside the sketch, in this order of precedence. */
export interface ProjectSettings {
  readonly config: Config;
  /** Folder of the sketch or platformio.ini. */
  readonly source: string;
  /** Base folder of relative paths in the configuration. */
  readonly folder: string;
  readonly configPath: string | undefined;
  readonly privateKey: KeyPlace | undefined;
  readonly publicKey: KeyPlace | undefined;
  /** Signing keys that the configuration records; any other key is an error. */
  readonly recordedKeys: RecordedKeys | undefined;
  readonly passphrase: SecretSource | undefined;
  /** Program that signs in place of a private key file; then `privateKey` is undefined. */
  readonly signer: SignerProgram | undefined;
  /** Places where the private key and the passphrase are named. A key beside the sketch counts as named by the project. */
  readonly speakers: { readonly privateKey: SecretSpeaker; readonly passphrase: SecretSpeaker };
  readonly trust: ProjectTrust;
}

/** Names of key files beside the sketch, as used by the core's own signing. */
export const defaultKeyNames = { privateKey: 'private.key', publicKey: 'public.key' } as const;

/**
 * Resolves the settings of a project. A missing default key is not an error. A configured key must exist, but this is checked only when
 * the key is read.
 *
 * @throws OtaError FILE_NOT_FOUND if the source is not a folder, and errors of {@link loadConfig}
 */
export async function projectSettings(
  options: ProjectOptions,
  cwd: string,
  words: UserWords,
): Promise<ProjectSettings> {
  const source = resolve(cwd, options.source ?? '.');
  // Without this check, a mistyped folder would look like an unsigned project, because it contains no key.
  if (!isFolder(source)) throw new OtaError('FILE_NOT_FOUND', { path: source, what: 'source folder' });
  const named = options.config === undefined ? undefined : resolve(cwd, options.config);
  const loaded = await loadConfig(source, named, words);
  const recorded = signingKeys(loaded.config);
  const isRecorded = recorded.length > 0;
  const configured = {
    privateKey: fromConfig(loaded, loaded.config.privateKey),
    publicKey: fromConfig(loaded, loaded.config.publicKey ?? recorded[0]?.publicKey),
  };
  const keyPlace = (name: keyof typeof defaultKeyNames): KeyPlace | undefined => {
    const option = options[name];
    if (option !== undefined) return { path: resolve(cwd, option) };
    return configured[name] ?? beside(source, defaultKeyNames[name]);
  };
  const signer = options.privateKey === undefined ? chosenSigner(options, words) : undefined;
  const privateKey = signer === undefined ? keyPlace('privateKey') : undefined;
  const passphrase = passphraseOption(options, cwd);
  return {
    config: loaded.config,
    source,
    folder: loaded.folder,
    configPath: loaded.path,
    privateKey: isRecorded ? unlessElsewhere(privateKey, options, words) : privateKey,
    publicKey: keyPlace('publicKey'),
    recordedKeys: isRecorded ? { config: loaded.path ?? loaded.folder, keys: recorded } : undefined,
    passphrase: passphrase ?? loaded.config.passphrase,
    signer,
    speakers: {
      privateKey: speakerOf(options.privateKey),
      passphrase: passphrase === undefined ? 'project' : 'command-line',
    },
    trust: projectTrust([loaded.folder, source], loaded.path ?? source, words),
  };
}

/** Returns the source of the passphrase that the command line names. */
export function passphraseOption(
  { passphraseEnv, passphraseFile }: Pick<ProjectOptions, 'passphraseEnv' | 'passphraseFile'>,
  cwd: string,
): SecretSource | undefined {
  if (passphraseEnv !== undefined) return { env: passphraseEnv };
  return passphraseFile === undefined ? undefined : { file: resolve(cwd, passphraseFile) };
}

/** Returns the signing key in the list, if there is one. */
function signingKeys({ keys = [] }: Config): readonly KeyEntry[] {
  return keys.filter(({ role }) => role === 'signing');
}

/**
 * Returns a configured private key only if its file exists or its variable is set, because builds with a recorded public key may be signed
 * on a different machine.
 */
function unlessElsewhere(
  place: KeyPlace | undefined,
  { privateKey }: ProjectOptions,
  { env }: UserWords,
): KeyPlace | undefined {
  if (privateKey !== undefined || place === undefined) return place;
  const isHere = 'path' in place ? existsSync(place.path) : (env[place.variable] ?? '') !== '';
  return isHere ? place : undefined;
}

function speakerOf(option: string | undefined): SecretSpeaker {
  return option === undefined ? 'project' : 'command-line';
}

/**
 * Checks that the private key may be used, before it is read or created.
 *
 * @throws OtaError SECRET_RESERVED, SECRET_UNTRUSTED
 */
export function requirePrivateKeyPermission({ privateKey, speakers, trust }: ProjectSettings): void {
  if (privateKey === undefined) return;
  const source = 'path' in privateKey ? { file: privateKey.path } : { env: privateKey.variable };
  requirePermission({ use: 'private-key', source, purpose: 'the private key' }, speakers.privateKey, trust);
}

/** Returns true if the project reads its private key or passphrase from this source. */
export function isKeySecret(source: SecretSource, { privateKey, passphrase, folder }: ProjectSettings): boolean {
  const key = privateKey && ('path' in privateKey ? { file: privateKey.path } : { env: privateKey.variable });
  const place = (one: SecretSource) => ('env' in one ? `env ${one.env}` : realPathOf(resolve(folder, one.file)));
  return [key, passphrase].some((secret) => secret !== undefined && place(secret) === place(source));
}

function fromConfig({ folder }: LoadedConfig, source: KeySource | undefined): KeyPlace | undefined {
  if (source === undefined) return undefined;
  return typeof source === 'string' ? { path: resolve(folder, source) } : { variable: source.env };
}

function beside(source: string, name: string): KeyPlace | undefined {
  const path = join(source, name);
  return existsSync(path) ? { path } : undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
