import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Option } from '@commander-js/extra-typings';
import { generateRsaKeyPair } from '../../core/keys/generate.ts';
import { maxKeyBits, minKeyBits, type RsaPublicKey, readPublicKey } from '../../core/keys/public-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { type ProjectOptions, type ProjectSettings, passphraseOption } from '../../project/config/settings.ts';
import { createPrivateKeyFile, createPublicKeyFile, privateKeyWarnings } from '../../project/keys/key-files.ts';
import type { Io } from '../io.ts';
import { during } from '../output/during.ts';
import { requireDistinct } from '../output/outputs.ts';
import type { OutputOptions, Report } from '../output/report.ts';
import { integerBetween } from './option-values.ts';
import { passphraseOf, passphrasePrompt } from './project-keys.ts';

export function keyBitsOption() {
  return new Option('--bits <n>', 'Key size in bits, 1024 to 4096')
    .argParser(integerBetween(minKeyBits, maxKeyBits))
    .default(2048);
}

interface NewPair extends OutputOptions, Pick<ProjectOptions, 'passphraseEnv' | 'passphraseFile'> {
  readonly bits: number;
  readonly encrypt?: true | undefined;
  readonly privatePath: string;
  readonly publicPath: string;
  /** Checks the key before its files are written. */
  readonly check?: ((key: RsaPublicKey) => Promise<unknown>) | undefined;
}

/** Files of a new key pair, as commands print them. */
export interface CreatedPair {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly bits: number;
  readonly fingerprint: string;
  readonly encrypted: boolean;
}

/**
 * Creates the files of a key pair and prints them. Never overwrites a file.
 *
 * @throws OtaError FILE_EXISTS, OPTION_MISSING, PASSPHRASE_UNUSABLE, and errors from writing the files
 */
export async function createKeyPair(
  options: NewPair,
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<CreatedPair> {
  const { privatePath, publicPath, bits } = options;
  requireDistinct([privatePath, publicPath], []);
  if (options.encrypt !== true && passphraseOption(options, io.cwd) !== undefined) {
    throw new OtaError('OPTION_MISSING', { subject: 'a passphrase', wanted: '--encrypt' });
  }
  for (const [path, what] of [
    [privatePath, 'private key'],
    [publicPath, 'public key'],
  ] as const) {
    if (existsSync(path)) throw new OtaError('FILE_EXISTS', { path: report.path(path), what });
  }
  const passphrase = options.encrypt === true ? await newPassphrase(settings, privatePath, io, report) : undefined;
  const long = { what: `generating a key of ${bits} bits` };
  const pair = await during(long, io, options, () => generateRsaKeyPair(bits, passphrase));
  io.signal.throwIfAborted();
  const key = readPublicKey(pair.publicKey, report.path(publicPath));
  await options.check?.(key);
  await createPrivateKeyFile(privatePath, pair.privateKey);
  await createPublicKeyFile(publicPath, pair.publicKey).catch(async (error) => {
    // A private key without its public key is useless, and the leftover file would make the next attempt fail.
    await rm(privatePath, { force: true });
    throw error;
  });

  for (const warning of await privateKeyWarnings(privatePath, key, report.path(privatePath))) report.warn(warning);
  const encryption = passphrase === undefined ? '' : ', encrypted with AES-256';
  report.say(`Private key: ${report.path(privatePath)} (${key.bits} bits${encryption})`);
  report.say(`Public key:  ${report.path(publicPath)} (fingerprint ${key.fingerprint})`);
  return {
    privateKey: privatePath,
    publicKey: publicPath,
    bits: key.bits,
    fingerprint: key.fingerprint,
    encrypted: passphrase !== undefined,
  };
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
