import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OtaError } from '../errors.ts';
import { generateRsaKeyPair } from '../keys/generate.ts';
import { createPrivateKeyFile, createPublicKeyFile, privateKeyWarnings } from '../keys/key-files.ts';
import { readPublicKey } from '../keys/public-key.ts';
import type { Io } from './io.ts';
import { requireDistinct } from './outputs.ts';
import { makeReport, type OutputOptions } from './report.ts';
import { type Declaration, verb } from './verb.ts';

export interface KeygenOptions extends OutputOptions {
  readonly bits: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Declares the verb. */
export function declare(declaration: Declaration) {
  return verb(declaration, 'keygen', 'make an RSA key pair; never over one that is there', [
    'ota-hooks keygen',
    'ota-hooks keygen --bits 4096 --private-key secrets/door.key --public-key keys/door.pub',
  ])
    .option('--bits <n>', 'size of the key, 1024 to 4096', '2048')
    .option('--private-key <file>', 'where the private key goes', 'private.key')
    .option('--public-key <file>', 'where the public key goes', 'public.key')
    .action((options) => keygen(options, declaration.io));
}

/** Makes a key pair, never over one that is there. */
export async function keygen(options: KeygenOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const privatePath = resolve(io.cwd, options.privateKey);
  const publicPath = resolve(io.cwd, options.publicKey);
  requireDistinct([privatePath, publicPath], []);
  for (const [path, what] of [
    [privatePath, 'private key'],
    [publicPath, 'public key'],
  ] as const) {
    if (existsSync(path)) throw new OtaError('FILE_EXISTS', { path: report.path(path), what });
  }
  const pair = await generateRsaKeyPair(Number(options.bits));
  await createPrivateKeyFile(privatePath, pair.privateKey);
  await createPublicKeyFile(publicPath, pair.publicKey).catch(async (error) => {
    // Half a pair is of no use, and would stand in the way of the next try.
    await rm(privatePath, { force: true });
    throw error;
  });

  const key = readPublicKey(pair.publicKey, options.publicKey);
  for (const warning of await privateKeyWarnings(privatePath, key, report.path(privatePath))) report.warn(warning);
  report.say(
    `Private key: ${report.path(privatePath)} (${key.bits} bits; keep a copy in a safe place: devices that trust it take no other)`,
  );
  report.say(`Public key:  ${report.path(publicPath)} (fingerprint ${key.fingerprint})`);
  report.result('keygen', {
    privateKey: privatePath,
    publicKey: publicPath,
    bits: key.bits,
    fingerprint: key.fingerprint,
  });
}
