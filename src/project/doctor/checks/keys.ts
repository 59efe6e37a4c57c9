import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { relativePath } from '../../../files/relative-path.ts';
import type { KeyPlace, ProjectSettings } from '../../config/settings.ts';
import { type EnvironmentKeys, environmentKeys } from '../../keys/environment-keys.ts';
import { keySizeWarnings, loadPrivateKey, loadPublicKey } from '../../keys/key-files.ts';
import { requireRecorded } from '../../keys/recorded-keys.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';

/** Checks that the project's keys are readable, valid for devices and a matching pair. */
export const keys: Check = async (context) => {
  const settings = settingsOf(context);
  if (settings === undefined) return [];
  const pairs = environmentKeys(context.project?.platformio, settings, context.home);
  const findings = await Promise.all(
    pairs.map(async (pair) => {
      const found = await ofPair(pair, settings, context);
      if (pairs.length === 1) return found;
      const names = pair.environments.map((name) => `[env:${name}]`).join(', ');
      return found.map((finding) => ({ ...finding, message: `${names}: ${finding.message}` }));
    }),
  );
  return findings.flat();
};

async function ofPair(
  { privateKey, publicKey }: EnvironmentKeys,
  settings: ProjectSettings,
  context: CheckContext,
): Promise<readonly DoctorFinding[]> {
  if (privateKey === undefined && publicKey === undefined) {
    const fix = 'Run ota-hooks init to generate a key pair';
    return [{ level: 'note', message: 'No keys found: builds are not signed, and devices accept any update', fix }];
  }
  const [signing, checking] = [
    await readable(privateKey, settings, context, async (path) => (await loadPrivateKey(path)).publicKey),
    await readable(publicKey, settings, context, loadPublicKey),
  ];
  const findings = [...signing.findings, ...checking.findings];
  if (privateKey === undefined) {
    findings.push({ level: 'note', message: 'No private key found: builds must be signed elsewhere' });
  }
  if (signing.key === undefined || checking.key === undefined || findings.some(({ level }) => level === 'error')) {
    return findings;
  }
  return [...findings, compareKeys(signing.key, checking.key)];
}

function compareKeys(signing: RsaPublicKey, checking: RsaPublicKey): DoctorFinding {
  if (signing.fingerprint === checking.fingerprint) {
    return { level: 'ok', message: `The private key and the public key match (RSA, ${signing.bits} bits)` };
  }
  const message = 'The private key and the public key do not match: devices would reject every update';
  return { level: 'error', message, fix: 'Restore a matching key pair from your backup' };
}

const keepPair = 'Keep this key pair: devices that have the recorded key accept no other';
const newPair = 'Generate a new key pair for new devices: ota-hooks keygen --private-key FILE --public-key FILE';

interface Found {
  readonly key: RsaPublicKey | undefined;
  readonly findings: DoctorFinding[];
}

async function readable(
  place: KeyPlace | undefined,
  settings: ProjectSettings,
  context: CheckContext,
  load: (path: string) => Promise<RsaPublicKey>,
): Promise<Found> {
  // Keys in environment variables are not checked, because they may be set only in the build environment.
  if (place === undefined || 'variable' in place) return { key: undefined, findings: [] };
  const path = context.path(place.path);
  try {
    const key = await requireRecorded(
      () => load(place.path),
      (own) => own,
      path,
      settings.recordedKeys,
    );
    const warnings = keySizeWarnings(key, path);
    return {
      key,
      findings: warnings.map((message) => ({
        level: 'warning',
        message,
        fix: settings.recordedKeys === undefined ? newPair : keepPair,
      })),
    };
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    if (error.code === 'KEY_ENCRYPTED') return { key: undefined, findings: [encrypted(place.path, settings, context)] };
    return { key: undefined, findings: [{ level: 'error', message: error.message, fix: error.hint }] };
  }
}

function encrypted(
  path: string,
  { config, folder, passphrase }: ProjectSettings,
  context: CheckContext,
): DoctorFinding {
  const name = context.path(path);
  if (passphrase !== undefined) {
    return { level: 'ok', message: `${name} is encrypted, and the configuration names its passphrase` };
  }
  // A configuration that specifies a passphrase is valid only if it also specifies the key.
  const key = config.privateKey === undefined ? `"privateKey": ${JSON.stringify(relativePath(folder, path))} and ` : '';
  const fix = `Add ${key}"passphrase": {"env": "OTA_PASSPHRASE"} to ota.config.json`;
  return { level: 'warning', message: `${name} is encrypted, but the configuration does not name its passphrase`, fix };
}
