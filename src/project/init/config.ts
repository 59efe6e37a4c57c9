import { dirname, extname, join } from 'node:path';
import { relativePath } from '../../files/relative-path.ts';
import { memberInsertion } from '../config/json-member.ts';
import type { KeyEntry } from '../config/keys-schema.ts';
import type { Config } from '../config/schema.ts';
import type { ProjectSettings } from '../config/settings.ts';
import { loadPublicKey } from '../keys/key-files.ts';
import type { Insertion } from './insertion.ts';
import { type Installation, pathInPackage } from './installation.ts';
import type { Project } from './project.ts';
import { emptyPlan, type InitStep, type SetupPlan } from './step.ts';
import { inBytes } from './text-file.ts';

const name = 'ota.config.json';

/** Facts that planning the keys determined and that the configuration needs. */
export interface ConfigKeys {
  /** Public key of the project's own pair; undefined if the keys are configured elsewhere. */
  readonly publicKey: string | undefined;
  readonly isEncrypted: boolean;
}

/**
 * Plans the configuration: a new file with the project name and the public key, or the addition of the public key to the existing file. The
 * name distinguishes the project's firmware from firmware of other projects. The key is recorded so that builds fail if it is lost.
 */
export function planConfig(
  { folder }: Project,
  installation: Installation,
  settings: ProjectSettings,
  keys: ConfigKeys,
  project: string,
): SetupPlan {
  if (settings.configPath !== undefined) return planRecord(folder, settings.configPath, settings, keys);
  const schema = pathInPackage(installation, folder, 'dist/schema/ota.config.schema.json');
  const content: Config = {
    // An absolute path would be valid only on this machine.
    ...(installation.kind === 'project' ? { $schema: schema.startsWith('.') ? schema : `./${schema}` } : {}),
    project,
    version: { git: 'tag' },
    // A build cannot prompt for a passphrase.
    ...(keys.isEncrypted ? { privateKey: 'private.key', passphrase: { env: passphraseVariable } } : {}),
  };
  const notes = keys.isEncrypted
    ? [`private.key is encrypted; builds read its passphrase from the environment variable ${passphraseVariable}`]
    : [];
  const description = `create ${name} (project "${project}")`;
  return {
    steps: [{ kind: 'config', path: join(folder, name), content, publicKey: keys.publicKey, description }],
    notes,
  };
}

/**
 * Plans recording the public key in an existing configuration. A configuration that several projects share does not record the key of one
 * project.
 */
function planRecord(folder: string, path: string, { config }: ProjectSettings, { publicKey }: ConfigKeys): SetupPlan {
  if (publicKey === undefined || config.keys !== undefined || config.publicKey !== undefined) return emptyPlan;
  const isJson = extname(path) === '.json' && dirname(path) === folder;
  if (!isJson) {
    const note = `${path} does not record the public key: if the key is lost, builds are unsigned without an error; add "keys" as docs/start.md shows`;
    return { steps: [], notes: [note] };
  }
  return {
    steps: [{ kind: 'config', path, content: undefined, publicKey, description: `record the public key in ${name}` }],
    notes: [],
  };
}

/** Returns the insertions for a configuration step. */
export async function configInsertions(
  { path, content, publicKey }: Extract<InitStep, { kind: 'config' }>,
  present: string,
): Promise<readonly Insertion[]> {
  const keys = publicKey === undefined ? {} : { keys: [await entryOf(publicKey, dirname(path))] };
  if (content !== undefined || present.trim() === '') {
    return [{ at: 0, text: inBytes(`${JSON.stringify({ ...content, ...keys }, null, 2)}\n`) }];
  }
  // A byte order mark, one character per byte.
  const [mark = ''] = /^\xEF\xBB\xBF/.exec(present) ?? [];
  const insertion = keys.keys && memberInsertion(present.slice(mark.length), [], 'keys', keys.keys);
  return insertion === undefined ? [] : [{ at: mark.length + insertion.at, text: inBytes(insertion.text) }];
}

async function entryOf(publicKey: string, folder: string): Promise<KeyEntry> {
  const { fingerprint } = await loadPublicKey(publicKey);
  return { name: 'main', publicKey: relativePath(folder, publicKey), fingerprint, role: 'signing' };
}

const passphraseVariable = 'OTA_PASSPHRASE';
