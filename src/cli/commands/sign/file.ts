import { basename, resolve } from 'node:path';
import type { CompressionName } from '../../../core/compression/names.ts';
import { compressors } from '../../../core/compression/registry.ts';
import type { Encoding } from '../../../core/model/artifact.ts';
import { digests } from '../../../core/pack/digests.ts';
import { guardNeedsMetadata, withoutMetadataWarning } from '../../../core/pack/guard-needs-metadata.ts';
import { encodingOf, payloadFor } from '../../../core/pack/payload.ts';
import { requireNoSigningKey } from '../../../core/pack/require-no-signing-key.ts';
import { signImage } from '../../../core/signing/signed-image.ts';
import type { Signer } from '../../../core/signing/signer.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { removeFiles, removeLeftovers, writeAtomically } from '../../../files/write.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { requireDistinct } from '../../output/outputs.ts';
import type { Report } from '../../output/report.ts';
import { recordInLog } from '../../shared/record-signatures.ts';
import { type FileToSign, writeDigests } from './detached.ts';
import type { SignOptions } from './options.ts';
import { keyOf } from './signing-key.ts';

/** Signs a file, and in legacy format too if the options name a second file. */
export async function signFile(options: SignOptions, bin: string, io: Io, report: Report): Promise<void> {
  const compression = options.compression ?? (options.gzip === true ? 'gzip' : 'none');
  const legacy = options.legacy === undefined ? undefined : resolve(io.cwd, options.legacy);
  const expectedOut =
    options.out === undefined ? `${bin}${compression === 'none' ? '' : '.gz'}.signed` : resolve(io.cwd, options.out);
  requireDistinct([expectedOut, legacy], [options.privateKey && resolve(io.cwd, options.privateKey)]);
  const key = await keyOf(options, io, report).catch(async (error) => {
    await removeOutputs([expectedOut, legacy], bin);
    throw error;
  });
  requireDistinct([expectedOut, legacy], key.paths);
  // Old outputs are removed first, so that they cannot be mistaken for new outputs after a failure.
  await removeOutputs([expectedOut, legacy], bin);

  const { signer, requireAllUsed } = await key.open();
  const image = await readNamedFile(bin, 'file to sign');
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path: bin });
  const given: Payload = { bytes: image, encoding: encodingOf(image) };
  const content = await contentOf(given);
  requireNoSigningKey(content, signer.publicKey, report.path(bin));
  // A gzip file is not compressed again, so no `.gz` is added to its name.
  const isGzip = given.encoding === 'gzip';
  const out = isGzip && options.out === undefined ? `${bin}.signed` : expectedOut;
  await removeOutputs([out], bin);
  const long = { what: `compressing ${report.path(bin)}` };
  const payload = isGzip ? given : await during(long, io, options, () => compressed(image, compression, io.signal));
  const wanted: FileToSign[] = [
    { path: out, format: 'current', payload: payloadFor('current', payload.bytes, payload.encoding) },
    ...(legacy === undefined
      ? []
      : [{ path: legacy, format: 'legacy' as const, payload: payloadFor('legacy', given.bytes, given.encoding) }]),
  ];
  const [current] = wanted;
  if (current !== undefined && guardNeedsMetadata(current.payload, content, key.guardRequires)) {
    report.warn(withoutMetadataWarning(report.path(out)));
  }
  if (options.digestOnly === true) return writeDigests(wanted, options, report);
  const signed = await signedFiles(wanted, signer, report);
  requireAllUsed();
  const { fingerprint } = signer.publicKey;
  await recordInLog(
    signed.map(({ path, bytes }) => ({ file: basename(path), sha256: digests(bytes).sha256, key: fingerprint })),
    io,
    report,
  );
  await writeSigned(signed, report);
  report.result('sign', { signed: out, legacy: legacy ?? null, fingerprint });
}

interface Payload {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/** Returns the image in a payload. The readers are loaded only for a gzip payload, because loading them delays the command. */
async function contentOf({ bytes, encoding }: Payload): Promise<Uint8Array> {
  if (encoding === 'identity') return bytes;
  const { largestFlashBytes } = await import('../../../core/firmware/firmware.ts');
  const { readGzip } = await import('../../../core/firmware/gzip-framing.ts');
  return readGzip(bytes, largestFlashBytes).value.content;
}

async function compressed(bytes: Uint8Array, compression: CompressionName, signal: AbortSignal): Promise<Payload> {
  const compress = compressors[compression];
  if (compress === undefined) return { bytes, encoding: 'identity' };
  return { bytes: await compress(bytes, signal), encoding: 'gzip' };
}

async function removeOutputs(paths: readonly (string | undefined)[], bin: string): Promise<void> {
  await removeLeftovers(paths.filter((path): path is string => path !== undefined && path !== bin));
}

interface SignedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Creates all signatures, so that no file is written if one of them fails. */
async function signedFiles(
  wanted: readonly FileToSign[],
  signer: Signer,
  report: Report,
): Promise<readonly SignedFile[]> {
  for (const { format } of wanted) signer.requireFormat?.(format);
  const signed: SignedFile[] = [];
  for (const { path, format, payload } of wanted) {
    signed.push({ path, bytes: await signImage(payload, signer, format, report.path(path)) });
  }
  return signed;
}

/** Writes the signed files. If writing the legacy file fails, the signed file is removed. */
async function writeSigned(signed: readonly SignedFile[], report: Report): Promise<void> {
  const written: string[] = [];
  for (const { path, bytes } of signed) {
    await writeAtomically(path, bytes).catch(async (error) => {
      await removeFiles(written).catch(() => undefined);
      throw error;
    });
    written.push(path);
  }
  const [out, legacy] = written;
  if (out !== undefined) report.say(`Signed binary: ${report.path(out)}`);
  if (legacy !== undefined) report.say(`Legacy signed binary: ${report.path(legacy)}`);
}
