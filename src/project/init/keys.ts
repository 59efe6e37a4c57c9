import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RsaPrivateKey } from '../../core/keys/private-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { esp8266Environments } from '../build/hooked-environments.ts';
import type { ProjectSettings } from '../config/settings.ts';
import { loadPrivateKey, loadPublicKey } from '../keys/key-files.ts';
import { type RecordedKeys, requireRecorded } from '../keys/recorded-keys.ts';
import type { Project } from './project.ts';
import { emptyPlan, type InitStep, type SetupPlan } from './step.ts';
import { inBytes } from './text-file.ts';

/** Steps for setting up the keys, and facts about the keys. */
export interface KeysPlan extends SetupPlan {
  /** True if the project folder will contain a private key after the steps. */
  readonly isBeside: boolean;
  /** True if the existing private key needs a passphrase. */
  readonly isEncrypted: boolean;
  /** Public key of the project after the steps; undefined if the keys are configured elsewhere. */
  readonly publicKey: string | undefined;
}

const names = { privateKey: 'private.key', publicKey: 'public.key' };

/**
 * Plans the steps for the keys. A key pair is generated only if no key exists and neither the configuration nor platformio.ini specifies
 * a key. Existing keys are checked and never overwritten. If the configuration records the key, only this key is accepted.
 *
 * @throws OtaError KEYS_DONT_MATCH, KEY_NOT_RECORDED, and errors from reading keys
 */
export async function planKeys(project: Project, settings: ProjectSettings): Promise<KeysPlan> {
  const { config, recordedKeys } = settings;
  const privateKey = join(project.folder, names.privateKey);
  const publicKey = join(project.folder, names.publicKey);
  const found = { private: existsSync(privateKey), public: existsSync(publicKey) };
  const isBeside = found.private;
  if (recordedKeys !== undefined) return planRecordedKeys(settings, { privateKey, publicKey }, recordedKeys);
  const areElsewhere = config.privateKey !== undefined || config.publicKey !== undefined || namesKeys(project);
  if (areElsewhere) return { ...emptyPlan, isBeside, isEncrypted: false, publicKey: undefined };

  if (!found.private && !found.public) {
    const description = `generate a key pair: ${names.privateKey} and ${names.publicKey}`;
    return {
      steps: [{ kind: 'keys', privateKey, publicKey, description }],
      notes: [],
      isBeside: true,
      isEncrypted: false,
      publicKey,
    };
  }
  if (!found.private) {
    const note = `${names.publicKey} exists without ${names.privateKey}: devices will verify updates, but builds here are not signed`;
    await loadPublicKey(publicKey);
    return { steps: [], notes: [note], isBeside, isEncrypted: false, publicKey };
  }
  const key = await unlessEncrypted(loadPrivateKey(privateKey));
  const isEncrypted = key === undefined;
  if (found.public) {
    const given = await loadPublicKey(publicKey);
    if (key !== undefined && key.publicKey.fingerprint !== given.fingerprint)
      throw new OtaError('KEYS_DONT_MATCH', names);
    return { ...emptyPlan, isBeside, isEncrypted, publicKey };
  }
  if (key === undefined) return { ...emptyPlan, isBeside, isEncrypted, publicKey: undefined };
  return { steps: [publicKeyStep(publicKey, key)], notes: [], isBeside, isEncrypted, publicKey };
}

/** Plans the key steps for a project whose configuration records the keys, such as a fresh clone. A new pair is never generated. */
async function planRecordedKeys(
  { publicKey: place }: ProjectSettings,
  { privateKey, publicKey }: typeof names,
  recorded: RecordedKeys,
): Promise<KeysPlan> {
  const isBeside = existsSync(privateKey);
  const loadPrivate = () => unlessEncrypted(loadPrivateKey(privateKey));
  const key = isBeside
    ? await requireRecorded(loadPrivate, (pair) => pair?.publicKey, names.privateKey, recorded)
    : undefined;
  const plan = { ...emptyPlan, isBeside, isEncrypted: isBeside && key === undefined, publicKey: undefined };
  if (place === undefined || 'variable' in place) return plan;
  if (key !== undefined && place.path === publicKey && !existsSync(publicKey)) {
    return { ...plan, steps: [publicKeyStep(publicKey, key)] };
  }
  await requireRecorded(
    () => loadPublicKey(place.path),
    (given) => given,
    basename(place.path),
    recorded,
  );
  const note = `builds here are not signed: ${names.privateKey} is not in the project folder; copy it there, or sign elsewhere`;
  return isBeside ? plan : { ...plan, notes: [note] };
}

function publicKeyStep(path: string, { publicKey }: RsaPrivateKey): InitStep {
  const insertions = [{ at: 0, text: inBytes(publicKey.pem) }];
  const description = `create ${basename(path)} from ${names.privateKey}`;
  return { kind: 'insert', path, isNew: true, insertions, description };
}

/** Returns true if platformio.ini specifies the keys for an environment. */
function namesKeys({ platformio }: Project): boolean {
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
