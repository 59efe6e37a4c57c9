import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { KeyPlace } from '../../config/settings.ts';
import { keySizeWarnings, loadPrivateKey, loadPublicKey } from '../../keys/key-files.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf, type World } from '../world.ts';

/** Checks that the keys of the project can be read, work on a device and belong together. */
export const keys: Check = {
  about: 'the keys are sound and belong together',
  run: async (world) => {
    const settings = settingsOf(world);
    if (settings === undefined) return [];
    const { privateKey, publicKey } = settings;
    if (privateKey === undefined && publicKey === undefined) {
      const mend = 'ota-hooks init makes a pair';
      return [{ level: 'note', says: 'there are no keys: builds are not signed, and devices check nothing', mend }];
    }
    const [signing, checking] = [
      await readable(privateKey, world, async (path) => (await loadPrivateKey(path)).publicKey),
      await readable(publicKey, world, loadPublicKey),
    ];
    const findings = [...signing.findings, ...checking.findings];
    if (privateKey === undefined) {
      findings.push({
        level: 'note',
        says: 'there is no private key here: what is built here must be signed elsewhere',
      });
    }
    if (signing.key === undefined || checking.key === undefined || findings.some(({ level }) => level === 'error')) {
      return findings;
    }
    return [...findings, belongTogether(signing.key, checking.key)];
  },
};

function belongTogether(signing: RsaPublicKey, checking: RsaPublicKey): DoctorFinding {
  if (signing.fingerprint === checking.fingerprint) {
    return { level: 'ok', says: `the keys belong together (RSA, ${signing.bits} bits)` };
  }
  const says = 'the keys do not belong together: devices would refuse every update that the private key signs';
  return { level: 'error', says, mend: 'Restore the pair from your backup; both come from one key generation' };
}

interface Found {
  readonly key: RsaPublicKey | undefined;
  readonly findings: DoctorFinding[];
}

async function readable(
  place: KeyPlace | undefined,
  world: World,
  load: (path: string) => Promise<RsaPublicKey>,
): Promise<Found> {
  // Keys in environment variables are not checked: they belong to the environment of the build.
  if (place === undefined || 'variable' in place) return { key: undefined, findings: [] };
  const path = world.path(place.path);
  try {
    const key = await load(place.path);
    const advice = keySizeWarnings(key, path);
    return {
      key,
      findings: advice.map((says) => ({ level: 'warning', says, mend: 'ota-hooks keygen makes 2048 bits' })),
    };
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    if (error.code === 'KEY_ENCRYPTED') return { key: undefined, findings: [encrypted(path, world)] };
    return { key: undefined, findings: [{ level: 'error', says: error.message, mend: error.hint }] };
  }
}

function encrypted(path: string, world: World): DoctorFinding {
  const isNamed = settingsOf(world)?.passphrase !== undefined;
  if (isNamed) return { level: 'ok', says: `${path} is encrypted, and the configuration says where its passphrase is` };
  const mend = 'Add "passphrase": {"env": "OTA_PASSPHRASE"} to ota.config.json';
  return { level: 'warning', says: `${path} is encrypted, and nothing says where builds find its passphrase`, mend };
}
