import { type RsaPrivateKey, readPrivateKey } from '../../core/keys/private-key.ts';
import { type RsaPublicKey, readPublicKey } from '../../core/keys/public-key.ts';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import { keyFileSigner } from '../../core/signing/key-file-signer.ts';
import type { Signer } from '../../core/signing/signer.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readSecret } from '../../project/config/secrets.ts';
import type { KeyPlace, ProjectSettings } from '../../project/config/settings.ts';
import { keySizeWarnings, loadPrivateKey, loadPublicKey, privateKeyWarnings } from '../../project/keys/key-files.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/** The key that a project's devices verify with: the public key where there is one, else that of the private key. */
export async function projectPublicKey(
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<RsaPublicKey | undefined> {
  const { publicKey: place } = settings;
  if (place === undefined) return (await projectSigner(settings, io, report))?.publicKey;
  const key = await publicKeyAt(place, io);
  for (const warning of keySizeWarnings(key, nameOf(place, report))) report.warn(warning);
  return key;
}

/** A public key by its place. */
export async function publicKeyAt(place: KeyPlace, io: Io): Promise<RsaPublicKey> {
  if ('path' in place) return loadPublicKey(place.path);
  return readPublicKey(secretFromEnvironment(place.variable, io.env, 'the public key'), place.variable);
}

/** The project's signer, if it has a private key. */
export async function projectSigner(settings: ProjectSettings, io: Io, report: Report): Promise<Signer | undefined> {
  const { privateKey: place } = settings;
  if (place === undefined) return undefined;
  const passphrase =
    settings.passphrase && (await readSecret(settings.passphrase, settings.folder, io.env, 'the passphrase'));
  return keyFileSigner(await privateKeyAt(place, passphrase, io, report));
}

/** A private key by its place, with a warning where it lies carelessly. */
async function privateKeyAt(
  place: KeyPlace,
  passphrase: string | undefined,
  io: Io,
  report: Report,
): Promise<RsaPrivateKey> {
  if ('variable' in place) {
    const text = secretFromEnvironment(place.variable, io.env, 'the private key');
    const key = readPrivateKey(text, place.variable, passphrase);
    for (const warning of keySizeWarnings(key.publicKey, nameOf(place, report))) report.warn(warning);
    return key;
  }
  const key = await loadPrivateKey(place.path, passphrase);
  for (const warning of await privateKeyWarnings(place.path, key.publicKey, report.path(place.path)))
    report.warn(warning);
  return key;
}

/** @throws OtaError KEYS_DONT_MATCH */
export function requirePair(signer: Signer, publicKey: RsaPublicKey, settings: ProjectSettings, report: Report): void {
  if (signer.publicKey.fingerprint === publicKey.fingerprint) return;
  throw new OtaError('KEYS_DONT_MATCH', {
    privateKey: nameOf(settings.privateKey, report),
    publicKey: nameOf(settings.publicKey, report),
  });
}

export function nameOf(place: KeyPlace | undefined, report: Report): string {
  if (place === undefined) return 'the key';
  return 'path' in place ? report.path(place.path) : `$${place.variable}`;
}
