import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { generateRsaKeyPair } from '../../../core/keys/generate.ts';
import { maxKeyBits, minKeyBits, readPublicKey } from '../../../core/keys/public-key.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import {
  type KeyPlace,
  type ProjectSettings,
  passphraseOption,
  requirePrivateKeyPermission,
} from '../../../project/config/settings.ts';
import { createPrivateKeyFile, createPublicKeyFile, privateKeyWarnings } from '../../../project/keys/key-files.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { requireDistinct } from '../../output/outputs.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { integerBetween } from '../../shared/option-values.ts';
import { passphraseOf, passphrasePrompt } from '../../shared/project-keys.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';

const keygenCommand = (declaration: Declaration) =>
  command(declaration, 'keygen', 'Generate an RSA key pair without overwriting existing keys', [
    'ota-hooks keygen',
    'ota-hooks keygen --bits 4096 --private-key secrets/door.key --public-key keys/door.pub',
  ])
    .option('--bits <n>', 'Key size in bits, 1024 to 4096', integerBetween(minKeyBits, maxKeyBits), 2048)
    .option('--private-key <file>', 'Private key file to create (default: from the configuration, or private.key)')
    .option('--public-key <file>', 'Public key file to create (default: from the configuration, or public.key)')
    .option('--encrypt', 'Encrypt the private key with a passphrase, from the prompt or the options below')
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.source)
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)');

type KeygenOptions = OptionsOf<typeof keygenCommand>;

export function declareKeygen(declaration: Declaration) {
  return keygenCommand(declaration).action((options) => keygen(options, declaration.io));
}

/** Creates a key pair; never overwrites an existing key. */
export async function keygen(options: KeygenOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const settings = await readProjectSettings(options, io, report);
  const { source } = settings;
  const privatePath = pathOf(settings.privateKey, 'private') ?? join(source, 'private.key');
  const publicPath = pathOf(settings.publicKey, 'public') ?? join(source, 'public.key');
  if (settings.privateKey !== undefined && 'path' in settings.privateKey) requirePrivateKeyPermission(settings);
  requireDistinct([privatePath, publicPath], []);
  if (options.encrypt !== true && passphraseOption(options, io.cwd) !== undefined) {
    throw new OtaError('OPTION_MISSING', { subject: 'a passphrase', wanted: '--encrypt' });
  }
  const isAdditional = options.privateKey !== undefined && options.publicKey !== undefined;
  if (settings.recordedKeys !== undefined && !isAdditional) throw new OtaError('KEYS_RECORDED', settings.recordedKeys);
  for (const [path, what] of [
    [privatePath, 'private key'],
    [publicPath, 'public key'],
  ] as const) {
    if (existsSync(path)) throw new OtaError('FILE_EXISTS', { path: report.path(path), what });
  }
  const passphrase = options.encrypt === true ? await newPassphrase(settings, privatePath, io, report) : undefined;
  const long = { what: `generating a key of ${options.bits} bits` };
  const pair = await during(long, io, options, () => generateRsaKeyPair(options.bits, passphrase));
  io.signal.throwIfAborted();
  await createPrivateKeyFile(privatePath, pair.privateKey);
  await createPublicKeyFile(publicPath, pair.publicKey).catch(async (error) => {
    // A private key without its public key is useless, and the leftover file would make the next attempt fail.
    await rm(privatePath, { force: true });
    throw error;
  });

  const key = readPublicKey(pair.publicKey, report.path(publicPath));
  for (const warning of await privateKeyWarnings(privatePath, key, report.path(privatePath))) report.warn(warning);
  const encryption = passphrase === undefined ? '' : ', encrypted with AES-256';
  report.say(`Private key: ${report.path(privatePath)} (${key.bits} bits${encryption})`);
  report.say(`Public key:  ${report.path(publicPath)} (fingerprint ${key.fingerprint})`);
  report.say('Keep a copy of the private key in a safe place: devices with this public key accept no other key.');
  report.result('keygen', {
    privateKey: privatePath,
    publicKey: publicPath,
    bits: key.bits,
    fingerprint: key.fingerprint,
    encrypted: passphrase !== undefined,
  });
}

/**
 * Reads the passphrase for a new key, from the configured source or else from the prompt, where it must be entered twice.
 *
 * @throws OtaError OPTION_MISSING without a passphrase, PASSPHRASE_UNUSABLE
 */
async function newPassphrase(settings: ProjectSettings, path: string, io: Io, report: Report): Promise<string> {
  const configured = await passphraseOf(settings, io);
  const prompt = passphrasePrompt(report.path(path), io);
  const passphrase = configured ?? (await prompt?.());
  if (passphrase === undefined) {
    throw new OtaError('OPTION_MISSING', {
      subject: '--encrypt',
      wanted: 'a passphrase',
      hint: 'Pass --passphrase-env NAME or --passphrase-file FILE, or run the command at a terminal.',
    });
  }
  if (passphrase.length < shortestPassphrase) {
    throw new OtaError('PASSPHRASE_UNUSABLE', {
      path: report.path(path),
      problem: `the passphrase has fewer than ${shortestPassphrase} characters`,
    });
  }
  const repeated = configured ?? (await passphrasePrompt(`${report.path(path)} again`, io)?.());
  if (repeated !== passphrase) {
    throw new OtaError('PASSPHRASE_UNUSABLE', { path: report.path(path), problem: 'the two passphrases differ' });
  }
  return passphrase;
}

/** OpenSSL derives the key with 2048 rounds of PBKDF2, so that a short passphrase could be found by trying. */
const shortestPassphrase = 8;

/**
 * Returns the configured path for a key, if any.
 *
 * @throws OtaError KEY_IN_ENVIRONMENT if the configuration reads the key from the environment, because `keygen` can only write files
 */
function pathOf(place: KeyPlace | undefined, kind: 'private' | 'public'): string | undefined {
  if (place === undefined || 'path' in place) return place?.path;
  throw new OtaError('KEY_IN_ENVIRONMENT', { kind, variable: place.variable });
}
