import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RsaPrivateKey } from '../../core/keys/private-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { esp8266Environments } from '../build/hooked-environments.ts';
import type { ProjectSettings } from '../config/settings.ts';
import { loadPrivateKey, loadPublicKey } from '../keys/key-files.ts';
import type { Project } from './project.ts';
import { emptyPlan, type SetupPlan } from './step.ts';
import { inBytes } from './text-file.ts';

/** Steps for setting up the keys, and facts about the keys. */
export interface KeysPlan extends SetupPlan {
  /** True if the project folder will contain a private key after the steps. */
  readonly isBeside: boolean;
  /** True if the existing private key needs a passphrase. */
  readonly isEncrypted: boolean;
}

const names = { privateKey: 'private.key', publicKey: 'public.key' } as const;

/**
 * Plans the steps for the keys. A key pair is generated only if no key exists and neither the configuration nor platformio.ini specifies
 * a key. Existing keys are checked and never overwritten.
 *
 * @throws OtaError KEYS_DONT_MATCH, and errors from reading keys
 */
export async function planKeys(project: Project, { config }: ProjectSettings): Promise<KeysPlan> {
  const privateKey = join(project.folder, names.privateKey);
  const publicKey = join(project.folder, names.publicKey);
  const found = { private: existsSync(privateKey), public: existsSync(publicKey) };
  const isBeside = found.private;
  const areElsewhere = config.privateKey !== undefined || config.publicKey !== undefined || namesKeys(project);
  if (areElsewhere) return { ...emptyPlan, isBeside, isEncrypted: false };

  if (!found.private && !found.public) {
    const description = `generate a key pair: ${names.privateKey} and ${names.publicKey}`;
    return {
      steps: [{ kind: 'keys', privateKey, publicKey, description }],
      notes: [],
      isBeside: true,
      isEncrypted: false,
    };
  }
  if (!found.private) {
    const note = `${names.publicKey} exists without ${names.privateKey}: devices will verify updates, but builds here are not signed`;
    await loadPublicKey(publicKey);
    return { steps: [], notes: [note], isBeside, isEncrypted: false };
  }
  const key = await unlessEncrypted(loadPrivateKey(privateKey));
  const isEncrypted = key === undefined;
  if (found.public) {
    const given = await loadPublicKey(publicKey);
    if (key !== undefined && key.publicKey.fingerprint !== given.fingerprint)
      throw new OtaError('KEYS_DONT_MATCH', names);
    return { ...emptyPlan, isBeside, isEncrypted };
  }
  if (key === undefined) return { ...emptyPlan, isBeside, isEncrypted };
  const insertions = [{ at: 0, text: inBytes(key.publicKey.pem) }];
  const description = `create ${basename(publicKey)} from ${names.privateKey}`;
  return {
    steps: [{ kind: 'insert', path: publicKey, isNew: true, insertions, description }],
    notes: [],
    isBeside,
    isEncrypted,
  };
}

/** Returns true if platformio.ini specifies the keys for an environment. */
export function namesKeys({ platformio }: Project): boolean {
  const environments = platformio === undefined ? [] : esp8266Environments(platformio);
  const options = ['custom_ota_private_key', 'custom_ota_public_key'];
  return environments.some((environment) => options.some((name) => environment.options.get(name)));
}

async function unlessEncrypted(key: Promise<RsaPrivateKey>): Promise<RsaPrivateKey | undefined> {
  return key.catch((error: unknown) => {
    if (error instanceof OtaError && error.code === 'KEY_ENCRYPTED') return undefined;
    throw error;
  });
}
