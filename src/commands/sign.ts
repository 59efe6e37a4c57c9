import { dirname, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { alignGzip } from '../compression/alignment.ts';
import type { CompressionName } from '../compression/names.ts';
import { compressionNames } from '../compression/names.ts';
import { compressors } from '../compression/registry.ts';
import type { SignatureFormat } from '../domain/artefact.ts';
import { OtaError } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';
import { removeFiles, writeAtomically } from '../files/write.ts';
import { keySizeWarnings, loadPrivateKey, privateKeyWarnings } from '../keys/key-files.ts';
import { keyFileSigner } from '../signing/key-file-signer.ts';
import { signImage } from '../signing/signed-image.ts';
import type { Signer } from '../signing/signer.ts';
import type { Io } from './io.ts';
import { makeReport, type OutputOptions, type Report } from './report.ts';
import { type Declaration, verb } from './verb.ts';

export interface SignOptions extends OutputOptions {
  readonly privateKey?: string | undefined;
  readonly passphraseEnv?: string | undefined;
  readonly bin?: string | undefined;
  readonly out?: string | undefined;
  readonly gzip?: boolean | undefined;
  readonly compression?: CompressionName | undefined;
  readonly legacy?: string | undefined;
  readonly manifest?: string | undefined;
}

/** Declares the verb. */
export function declare(declaration: Declaration) {
  return verb(declaration, 'sign', 'sign a file, or a finished build by its manifest', [
    'ota-hooks sign --private-key private.key --bin sketch.bin --gzip',
    'ota-hooks sign --private-key private.key --manifest build/sketch.bin.ota.json',
  ])
    .option('--private-key <file>', 'the private key, PEM')
    .option('--passphrase-env <name>', 'environment variable with the passphrase of the private key')
    .option('--bin <file>', 'the file to sign')
    .option('--out <file>', 'the signed file (default: FILE.signed, FILE.gz.signed)')
    .option('--gzip', 'compress first')
    .addOption(new Option('--compression <how>', 'compress first').choices(compressionNames))
    .option('--legacy <file>', 'also write a signature for devices on core 2.5.x')
    .option('--manifest <file>', 'sign what `pack --unsigned` made')
    .action((options) => sign(options, declaration.io));
}

/** Signs any file that is not empty, or a finished build by its manifest; judges nothing. */
export async function sign(options: SignOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  if (options.manifest !== undefined) return signByManifest(options, options.manifest, io, report);
  if (options.bin === undefined) {
    throw new OtaError('USAGE', {
      message: '`sign` needs --bin FILE, or --manifest FILE',
      hint: 'ota-hooks sign --private-key private.key --bin sketch.bin',
    });
  }
  await signFile(options, resolve(io.cwd, options.bin), io, report);
}

interface Wanted {
  readonly path: string;
  readonly payload: Uint8Array;
  readonly format: SignatureFormat;
}

async function signFile(options: SignOptions, bin: string, io: Io, report: Report): Promise<void> {
  const compression = options.compression ?? (options.gzip === true ? 'gzip' : 'none');
  const compress = compressors[compression];
  const out = options.out === undefined ? `${bin}${compress ? '.gz' : ''}.signed` : resolve(io.cwd, options.out);
  const legacy = options.legacy === undefined ? undefined : resolve(io.cwd, options.legacy);
  const outputs = [out, ...(legacy === undefined ? [] : [legacy])];
  // Whatever goes wrong from here on, no output of an earlier run may pass for this one's.
  await removeFiles(outputs.filter((path) => path !== bin));

  const signer = await signerFrom(options, io, report);
  const image = await readNamedFile(bin, 'file to sign');
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path: report.path(bin) });
  const payload = compress === undefined ? image : alignGzip(await compress(image));
  const wanted: Wanted[] = [{ path: out, payload, format: 'current' }];
  if (legacy !== undefined) wanted.push({ path: legacy, payload: image, format: 'legacy' });
  await writeSigned(wanted, signer, report);
  report.result({ signed: out, legacy: legacy ?? null, fingerprint: signer.publicKey.fingerprint });
}

async function writeSigned(wanted: readonly Wanted[], signer: Signer, report: Report): Promise<void> {
  const written: string[] = [];
  try {
    for (const { path, payload, format } of wanted) {
      const bytes = await signImage(payload, signer, format, report.path(path));
      await writeAtomically(path, bytes);
      written.push(path);
      report.say(`${format === 'legacy' ? 'Legacy signed binary' : 'Signed binary'}: ${path}`);
    }
  } catch (error) {
    await removeFiles(written).catch(() => undefined);
    throw error;
  }
}

async function signByManifest(options: SignOptions, manifest: string, io: Io, report: Report): Promise<void> {
  const path = resolve(io.cwd, manifest);
  const { readBuild, writeBuild } = await import('../pack/build-files.ts');
  const { signBuild } = await import('../pack/sign-build.ts');
  const build = await readBuild(path);
  const signer = await signerFrom(options, io, report);
  const signed = await signBuild(build, signer, options.privateKey ?? 'the private key');
  const written = await writeBuild(signed, dirname(path), new Set(build.files.keys()));
  for (const file of written.slice(0, -1)) report.say(`Signed binary: ${file}`);
  report.result(signed.manifest);
}

async function signerFrom(options: SignOptions, io: Io, report: Report): Promise<Signer> {
  if (options.privateKey === undefined) {
    throw new OtaError('KEY_MISSING_FOR', { verb: 'sign', wanted: '--private-key FILE' });
  }
  const path = resolve(io.cwd, options.privateKey);
  const key = await loadPrivateKey(path, await passphraseFrom(options, io));
  const name = report.path(path);
  for (const warning of [...keySizeWarnings(key.publicKey, name), ...(await privateKeyWarnings(path))]) {
    report.warn(warning.replace(path, name));
  }
  return keyFileSigner(key);
}

async function passphraseFrom({ passphraseEnv }: SignOptions, io: Io): Promise<string | undefined> {
  if (passphraseEnv === undefined) return undefined;
  const { secretFromEnvironment } = await import('../config/secrets.ts');
  return secretFromEnvironment(passphraseEnv, io.env, 'the passphrase');
}
