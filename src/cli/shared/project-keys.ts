import { type RsaPublicKey, readPublicKey } from '../../core/keys/public-key.ts';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import type { Signer } from '../../core/signing/signer.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readSecret } from '../../project/config/secrets.ts';
import { type KeyPlace, type ProjectSettings, requirePrivateKeyPermission } from '../../project/config/settings.ts';
import { keySizeWarnings, loadPublicKey } from '../../project/keys/key-files.ts';
import { requireRecorded } from '../../project/keys/recorded-keys.ts';
import type { SignerProgram } from '../../project/signing/choose-signer.ts';
import { openSigner } from '../../project/signing/open-signer.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/** Returns the project's public key. Without a public key, derives it from the private key. Devices verify updates with this key. */
export async function projectPublicKey(
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<RsaPublicKey | undefined> {
  const { publicKey: place } = settings;
  if (place === undefined) return (await projectSigner(settings, io, report))?.publicKey;
  const key = await projectKeyAt(place, settings, io);
  for (const warning of keySizeWarnings(key, keyPlaceName(place, report))) report.warn(warning);
  return key;
}

/**
 * Loads a public key of the project. The key must be recorded if the configuration records any keys.
 *
 * @throws OtaError KEY_NOT_RECORDED, and errors from reading the key
 */
export function projectKeyAt(place: KeyPlace, { recordedKeys }: ProjectSettings, io: Io): Promise<RsaPublicKey> {
  const name = 'path' in place ? place.path : `$${place.variable}`;
  return requireRecorded(
    () => publicKeyAt(place, io),
    (key) => key,
    name,
    recordedKeys,
  );
}

/** Loads a public key from a file or an environment variable. */
export async function publicKeyAt(place: KeyPlace, io: Io): Promise<RsaPublicKey> {
  if ('path' in place) return loadPublicKey(place.path);
  return readPublicKey(secretFromEnvironment(place.variable, io.env, 'the public key'), place.variable);
}

/** Returns the project's signer, or undefined for a project without a private key. */
export async function projectSigner(settings: ProjectSettings, io: Io, report: Report): Promise<Signer | undefined> {
  const { privateKey } = settings;
  if (settings.signer !== undefined) return programSigner(settings.signer, settings, io, report);
  if (privateKey === undefined) return undefined;
  requirePrivateKeyPermission(settings);
  const keyName = keyPlaceName(privateKey, report);
  const passphrase = await passphraseOf(settings, io);
  const promptPassphrase = passphrasePrompt(keyName, io);
  const { signer, warnings } = await requireRecorded(
    () => openSigner({ privateKey, passphrase, promptPassphrase }, { env: io.env, keyName }),
    (opened) => opened.signer.publicKey,
    keyName,
    settings.recordedKeys,
  );
  for (const warning of warnings) report.warn(warning);
  return signer;
}

/** Returns a prompt for the passphrase of a key; undefined without a terminal. */
export function passphrasePrompt(keyName: string, { promptSecret }: Io): (() => Promise<string>) | undefined {
  return promptSecret && (() => promptSecret(`Passphrase of ${keyName}`));
}

/** Returns a signer that runs a program. The project's public key, or the one beside the program's configuration, verifies its output. */
async function programSigner(
  program: SignerProgram,
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<Signer> {
  const { privateKey, passphrase, devices = {} } = settings.config;
  const passwords = Object.values(devices).map(({ password }) => password);
  const place = program.publicKey === undefined ? settings.publicKey : { path: program.publicKey };
  if (place === undefined) throw new OtaError('SIGNER_KEY_MISSING', { signer: program.name });
  const publicKey = await projectKeyAt(place, settings, io);
  for (const warning of keySizeWarnings(publicKey, keyPlaceName(place, report))) report.warn(warning);
  const { commandSigner } = await import('../../project/signing/command-signer.ts');
  return commandSigner(program, publicKey, {
    env: io.env,
    platform: io.platform,
    cwd: io.cwd,
    hasTerminal: io.promptSecret !== undefined,
    signal: io.signal,
    onStderr: (text) => io.stderr.write(text),
    secretVariables: [privateKey, passphrase, settings.passphrase, ...passwords].flatMap((source) =>
      typeof source === 'object' && 'env' in source ? [source.env] : [],
    ),
  });
}

export async function passphraseOf(settings: ProjectSettings, io: Io): Promise<string | undefined> {
  const { passphrase: source, speakers, folder, trust } = settings;
  if (source === undefined) return undefined;
  const request = { use: 'passphrase', source, speaker: speakers.passphrase, purpose: 'the passphrase' } as const;
  return readSecret(request, folder, io.env, trust);
}

/**
 * Checks that the signer's key matches the public key.
 *
 * @throws OtaError KEYS_DONT_MATCH
 */
export function requirePair(signer: Signer, publicKey: RsaPublicKey, settings: ProjectSettings, report: Report): void {
  if (signer.publicKey.fingerprint === publicKey.fingerprint) return;
  throw new OtaError('KEYS_DONT_MATCH', {
    privateKey: signerName(settings, report),
    publicKey: keyPlaceName(settings.publicKey, report),
  });
}

/** Returns the name of the signer in messages: the program, or the place of the private key. */
export function signerName({ signer, privateKey }: ProjectSettings, report: Report): string {
  return signer === undefined ? keyPlaceName(privateKey, report) : `the key of the signer ${signer.name}`;
}

export function keyPlaceName(place: KeyPlace | undefined, report: Report): string {
  if (place === undefined) return 'the key';
  return 'path' in place ? report.path(place.path) : `$${place.variable}`;
}
