import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { looksLikeGzip } from '../../../core/firmware/gzip-header.ts';
import type { SignatureFormat } from '../../../core/model/artifact.ts';
import { signImage } from '../../../core/signing/signed-image.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { removeFiles, removeLeftovers, writeAtomically } from '../../../files/write.ts';
import { keySizeWarnings, loadPublicKey } from '../../../project/keys/key-files.ts';
import { openSigner } from '../../../project/signing/open-signer.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { requireDistinct } from '../../output/outputs.ts';
import { makeReport } from '../../output/report.ts';
import { outputLine } from '../../output/terminal-text.ts';
import { recordInLog } from '../../shared/record-signatures.ts';
import { plainHeader, writeHeader } from '../header/index.ts';

const signingCommand = (declaration: Declaration) =>
  command(declaration, 'signing', "Run as a drop-in replacement for the core's tools/signing.py", [
    'ota-hooks signing --mode header --publickey public.key --out Updater_Signing.h',
    'ota-hooks signing --mode sign --privatekey private.key --bin sketch.bin --out sketch.bin.signed',
  ])
    .option('-m, --mode <mode>', 'Mode: header or sign')
    .option('-b, --bin <file>', 'Unsigned binary')
    .option('-o, --out <file>', 'Output file')
    .option('-l, --legacy <file>', 'Output file with the legacy signature')
    .option('-p, --publickey <file>', 'Public key (PEM)')
    .option('-s, --privatekey <file>', 'Private key (PEM)');

/** Options of the core's `tools/signing.py`. */
type SigningOptions = OptionsOf<typeof signingCommand>;

export function declareSigning(declaration: Declaration) {
  return signingCommand(declaration).action((options) => signing(options, declaration.io));
}

/**
 * Drop-in replacement for the core's `tools/signing.py`, for use in the two command lines in platform.txt. As in signing.py, a missing
 * key is not an error, because platform.txt runs the command for every sketch. Unlike signing.py, a failure sets a non-zero exit code and
 * removes all outputs, including those of an earlier build.
 */
export async function signing(options: SigningOptions, io: Io): Promise<void> {
  switch (options.mode) {
    case 'header':
      return makeHeader(options, io);
    case 'sign':
      return signBinary(options, io);
    default:
      throw wrongMode(options.mode);
  }
}

function wrongMode(mode: string | undefined): OtaError {
  return mode === undefined
    ? new OtaError('OPTION_MISSING', { subject: '`signing`', wanted: '--mode header or --mode sign' })
    : new OtaError('OPTION_INVALID', { option: '--mode', value: mode, expected: 'must be header or sign' });
}

async function makeHeader(options: SigningOptions, io: Io): Promise<void> {
  const out = required(options, 'out', io);
  const publicKey = pathOf(options.publickey, io);
  requireDistinct([out], [publicKey]);
  const present = publicKey !== undefined && existsSync(publicKey);
  const key = present
    ? await loadPublicKey(publicKey).catch(async (error) => {
        io.stderr.write('Not enabling binary signing\n');
        await removeLeftovers([out]);
        throw error;
      })
    : undefined;
  await writeHeader(out, plainHeader(key));
  const report = makeReport(io, options);
  report.result('signing', { mode: 'header', header: out, fingerprint: key?.fingerprint ?? null });
  if (key === undefined || publicKey === undefined) return;
  warn(keySizeWarnings(key, report.path(publicKey)), io);
  io.stderr.write('Enabling binary signing\n');
}

async function signBinary(options: SigningOptions, io: Io): Promise<void> {
  const out = required(options, 'out', io);
  const bin = required(options, 'bin', io);
  const legacy = pathOf(options.legacy, io);
  const privateKey = pathOf(options.privatekey, io);
  requireDistinct([out, legacy], [privateKey]);
  const outputs = [out, ...(legacy === undefined ? [] : [legacy])].filter((path) => path !== bin);
  await removeLeftovers(outputs);
  if (privateKey === undefined || !existsSync(privateKey)) {
    io.stderr.write('Not signing the generated binary\n');
    makeReport(io, options).result('signing', { mode: 'sign', signed: null, legacy: null });
    return;
  }
  try {
    const config = { privateKey: { path: privateKey } };
    const keyName = makeReport(io, options).path(privateKey);
    const { signer, warnings } = await openSigner(config, { env: io.env, keyName });
    warn(warnings, io);
    const image = await readNamedFile(bin, 'binary to sign');
    if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path: bin });
    const { guardNeedsMetadata, withoutMetadataWarning } = await import('../../../core/pack/guard-needs-metadata.ts');
    // The core passes a raw image. In compressed data, no guard is found.
    if (guardNeedsMetadata(image, image)) warn([withoutMetadataWarning(makeReport(io, options).path(out))], io);
    const sign = async (format: SignatureFormat) => signImage(await payloadOf(image, format), signer, format, bin);
    const signed = [
      { path: out, bytes: await sign('current') },
      ...(legacy === undefined ? [] : [{ path: legacy, bytes: await sign('legacy') }]),
    ];
    await recordInLog(
      signed.map(({ path, bytes }) => ({
        file: basename(path),
        sha256: createHash('sha256').update(bytes).digest('hex'),
        key: signer.publicKey.fingerprint,
      })),
      io,
      makeReport(io, options),
    );
    for (const { path, bytes } of signed) await writeAtomically(path, bytes);
  } catch (error) {
    await removeFiles(outputs).catch(() => undefined);
    io.stderr.write('Not signing the generated binary\n');
    throw error;
  }
  makeReport(io, options).result('signing', { mode: 'sign', signed: out, legacy: legacy ?? null });
  // signing.py prints paths exactly as they are on the command line, and so does this command.
  io.stderr.write(outputLine(`Signed binary: ${options.out}`));
  if (legacy !== undefined) io.stderr.write(outputLine(`Legacy signed binary: ${options.legacy}`));
}

/** Returns the payload to sign: the image itself, or an aligned gzip file. Gzip support is loaded only if needed. */
async function payloadOf(image: Uint8Array, format: SignatureFormat): Promise<Uint8Array> {
  if (!looksLikeGzip(image)) return image;
  const { encodingOf, payloadFor } = await import('../../../core/pack/payload.ts');
  return payloadFor(format, image, encodingOf(image));
}

function warn(warnings: readonly string[], io: Io): void {
  for (const warning of warnings) io.stderr.write(outputLine(`warning: ${warning}`));
}

function required(options: SigningOptions, name: 'out' | 'bin', io: Io): string {
  const path = pathOf(options[name], io);
  if (path === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: `--mode ${options.mode}`, wanted: `--${name} FILE` });
  }
  return path;
}

function pathOf(option: string | undefined, io: Io): string | undefined {
  return option === undefined ? undefined : resolve(io.cwd, option);
}
