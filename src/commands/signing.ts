import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OtaError } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';
import { removeFiles, writeAtomically } from '../files/write.ts';
import { loadPrivateKey, loadPublicKey } from '../keys/key-files.ts';
import { keyFileSigner } from '../signing/key-file-signer.ts';
import { signImage } from '../signing/signed-image.ts';
import { writeHeader } from './header.ts';
import type { Io } from './io.ts';
import { type Declaration, verb } from './verb.ts';

/** The options of the core's `tools/signing.py`, by its names. */
export interface SigningOptions {
  readonly mode?: string | undefined;
  readonly publickey?: string | undefined;
  readonly privatekey?: string | undefined;
  readonly bin?: string | undefined;
  readonly out?: string | undefined;
  readonly legacy?: string | undefined;
}

/** Declares the verb. */
export function declare(declaration: Declaration) {
  return verb(declaration, 'signing', "stand in for the core's tools/signing.py", [
    'ota-hooks signing --mode header --publickey public.key --out Updater_Signing.h',
    'ota-hooks signing --mode sign --privatekey private.key --bin sketch.bin --out sketch.bin.signed',
  ])
    .option('-m, --mode <mode>', 'header or sign')
    .option('-b, --bin <file>', 'unsigned binary')
    .option('-o, --out <file>', 'output file')
    .option('-l, --legacy <file>', 'output file of the legacy signature')
    .option('-p, --publickey <file>', 'public key')
    .option('-s, --privatekey <file>', 'private key')
    .action((options) => signing(options, declaration.io));
}

/**
 * Stands in for the core's `tools/signing.py`, so that the two lines of a platform.txt switch over. What is not asked for stays silent as
 * there: an absent key is no error, since platform.txt calls it for every sketch. Unlike there, a failure exits non-zero and leaves no
 * output, not even that of an earlier build.
 */
export async function signing(options: SigningOptions, io: Io): Promise<void> {
  switch (options.mode) {
    case 'header':
      return makeHeader(required(options, 'out', io), pathOf(options.publickey, io), io);
    case 'sign':
      return signBinary(options, io);
    default:
      throw new OtaError('USAGE', {
        message: 'ERROR: Mode not specified as header or sign',
        hint: 'ota-hooks signing --mode header|sign …',
      });
  }
}

async function makeHeader(out: string, publicKey: string | undefined, io: Io): Promise<void> {
  const present = publicKey !== undefined && existsSync(publicKey);
  const key = present
    ? await loadPublicKey(publicKey).catch(async (error) => {
        io.stderr.write('Not enabling binary signing\n');
        await removeFiles([out]);
        throw error;
      })
    : undefined;
  await writeHeader(out, key);
  if (key !== undefined) io.stderr.write('Enabling binary signing\n');
}

async function signBinary(options: SigningOptions, io: Io): Promise<void> {
  const out = required(options, 'out', io);
  const bin = required(options, 'bin', io);
  const legacy = pathOf(options.legacy, io);
  const outputs = [out, ...(legacy === undefined ? [] : [legacy])];
  await removeFiles(outputs);
  const privateKey = pathOf(options.privatekey, io);
  if (privateKey === undefined || !existsSync(privateKey)) {
    io.stderr.write('Not signing the generated binary\n');
    return;
  }
  try {
    const signer = keyFileSigner(await loadPrivateKey(privateKey));
    const image = await readNamedFile(bin, 'binary to sign');
    if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path: bin });
    await writeAtomically(out, await signImage(image, signer, 'current', bin));
    io.stderr.write(`Signed binary: ${out}\n`);
    if (legacy === undefined) return;
    await writeAtomically(legacy, await signImage(image, signer, 'legacy', bin));
    io.stderr.write(`Legacy signed binary: ${legacy}\n`);
  } catch (error) {
    await removeFiles(outputs);
    io.stderr.write('Not signing the generated binary\n');
    throw error;
  }
}

function required(options: SigningOptions, name: 'out' | 'bin', io: Io): string {
  const path = pathOf(options[name], io);
  if (path === undefined) throw new OtaError('USAGE', { message: `--mode ${options.mode} needs --${name}` });
  return path;
}

function pathOf(option: string | undefined, io: Io): string | undefined {
  return option === undefined ? undefined : resolve(io.cwd, option);
}
