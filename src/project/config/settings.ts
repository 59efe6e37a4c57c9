import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import type { SecretSource } from '../../core/model/secret-source.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import type { Config, KeySource } from './schema.ts';

/** Location of a key: a path, or an environment variable that contains PEM text. The file at the path must exist. */
export type KeyPlace = { readonly path: string } | { readonly variable: string };

/** Command-line options that select the project. Paths are relative to the working directory. */
export interface ProjectOptions {
  readonly source?: string | undefined;
  readonly config?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly publicKey?: string | undefined;
  readonly passphraseEnv?: string | undefined;
}

/** Project settings from the command line, the configuration and the files beside the sketch, in this order of precedence. */
export interface ProjectSettings {
  readonly config: Config;
  /** Base folder of relative paths in the configuration. */
  readonly folder: string;
  readonly configPath: string | undefined;
  readonly privateKey: KeyPlace | undefined;
  readonly publicKey: KeyPlace | undefined;
  readonly passphrase: SecretSource | undefined;
}

/** Names of key files beside the sketch, as used by the core's own signing. */
const defaultKeyNames = { privateKey: 'private.key', publicKey: 'public.key' } as const;

/**
 * Resolves the settings of a project. A missing default key is not an error. A configured key must exist, but this is checked only when
 * the key is read.
 *
 * @throws OtaError FILE_NOT_FOUND if the source is not a folder, and errors of {@link loadConfig}
 */
export async function projectSettings(options: ProjectOptions, cwd: string): Promise<ProjectSettings> {
  const source = resolve(cwd, options.source ?? '.');
  // Without this check, a mistyped folder would look like an unsigned project, because it contains no key.
  if (!isFolder(source)) throw new OtaError('FILE_NOT_FOUND', { path: source, what: 'source folder' });
  const named = options.config === undefined ? undefined : resolve(cwd, options.config);
  const loaded = await loadConfig(source, named);
  const keyPlace = (name: keyof typeof defaultKeyNames): KeyPlace | undefined => {
    const option = options[name];
    if (option !== undefined) return { path: resolve(cwd, option) };
    return fromConfig(loaded, loaded.config[name]) ?? beside(source, defaultKeyNames[name]);
  };
  return {
    config: loaded.config,
    folder: loaded.folder,
    configPath: loaded.path,
    privateKey: keyPlace('privateKey'),
    publicKey: keyPlace('publicKey'),
    passphrase: options.passphraseEnv === undefined ? loaded.config.passphrase : { env: options.passphraseEnv },
  };
}

/** Returns the firmware version from the option or the configuration. The configuration may name an environment variable. */
export function resolveFirmwareVersion(
  option: string | undefined,
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (option !== undefined || config.version === undefined) return option;
  return typeof config.version === 'string'
    ? config.version
    : secretFromEnvironment(config.version.env, env, 'the version of the firmware');
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
