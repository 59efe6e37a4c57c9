import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import type { SecretSource } from '../../core/model/secret-source.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import type { Config, KeySource } from './schema.ts';

/** Location of a key: a path that must exist, or the environment variable that holds the PEM text. */
export type KeyPlace = { readonly path: string } | { readonly variable: string };

/** Command-line options for a project; paths are relative to the working directory. */
export interface ProjectOptions {
  readonly source?: string | undefined;
  readonly config?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly publicKey?: string | undefined;
  readonly passphraseEnv?: string | undefined;
}

/** Resolved project settings: from the command line, then the configuration, then the files beside the sketch. */
export interface ProjectSettings {
  readonly config: Config;
  /** Folder that paths in the configuration are relative to. */
  readonly folder: string;
  readonly configPath: string | undefined;
  readonly privateKey: KeyPlace | undefined;
  readonly publicKey: KeyPlace | undefined;
  readonly passphrase: SecretSource | undefined;
}

/** Key file names that the core's own signing uses, beside the sketch. */
const defaultKeyNames = { privateKey: 'private.key', publicKey: 'public.key' } as const;

/**
 * Resolves the settings of a project. A specified key must exist, which is checked when it is read; the default keys may be missing.
 *
 * @throws OtaError FILE_NOT_FOUND if the source is not a folder, and those thrown by {@link loadConfig}
 */
export async function projectSettings(options: ProjectOptions, cwd: string): Promise<ProjectSettings> {
  const source = resolve(cwd, options.source ?? '.');
  // A mistyped folder would contain no key and look like a project that does not sign.
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

/** Returns the firmware version from the option or the configuration, which may name an environment variable. */
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
