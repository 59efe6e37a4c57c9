import { gunzipSync } from 'fflate';
import { alignGzip } from '../compression/alignment.ts';
import type { SignatureFormat } from '../domain/artefact.ts';
import type { Artefact, Manifest } from '../domain/manifest.ts';
import { OtaError } from '../errors.ts';
import { signImage } from '../signing/signed-image.ts';
import type { Signer } from '../signing/signer.ts';
import type { Build } from './build.ts';
import { digests } from './digests.ts';

/**
 * Adds the signed artefacts to a build. `pack` and `sign --manifest` both come through here, so that what is signed elsewhere is byte
 * for byte what would have been signed at once.
 *
 * @throws OtaError KEYS_DONT_MATCH, SIGNATURE_UNVERIFIED
 */
export async function signBuild(build: Build, signer: Signer, signerName: string): Promise<Build> {
  const { manifest } = build;
  const expected = manifest.signing.publicKey;
  if (expected !== undefined && expected.fingerprint !== signer.publicKey.fingerprint) {
    throw new OtaError('KEYS_DONT_MATCH', { privateKey: signerName, publicKey: expected.fingerprint });
  }
  const files = new Map(build.files);
  const artefacts = manifest.artefacts.filter(({ signature }) => signature === 'none');
  for (const plan of signaturesWanted(manifest)) {
    const bytes = await signImage(payloadOf(plan.source, plan.format, build), signer, plan.format, plan.file);
    files.set(plan.file, bytes);
    artefacts.push({
      file: plan.file,
      encoding: plan.format === 'legacy' ? 'identity' : plan.source.encoding,
      signature: plan.format,
      ...digests(bytes),
      keyFingerprint: signer.publicKey.fingerprint,
    });
  }
  const { fingerprint, bits, pem } = signer.publicKey;
  const signing = { ...manifest.signing, publicKey: { fingerprint, bits, pem } };
  return { manifest: { ...manifest, signing, artefacts }, files };
}

interface WantedSignature {
  readonly file: string;
  readonly source: Artefact;
  readonly format: SignatureFormat;
}

/** The image always; its compressed form, but a filesystem's only when asked for; the legacy form when asked for. */
function signaturesWanted({ artefacts, image, signing }: Manifest): WantedSignature[] {
  const wanted: WantedSignature[] = [];
  for (const source of artefacts.filter(({ signature }) => signature === 'none')) {
    const isCompressedFilesystem = image.kind === 'filesystem' && source.encoding === 'gzip';
    if (isCompressedFilesystem && !signing.compressedFilesystem) continue;
    wanted.push({ file: `${source.file}.signed`, source, format: 'current' });
  }
  const source = artefacts.find(({ file }) => file === image.file);
  if (signing.legacy && source !== undefined) {
    wanted.push({ file: `${image.file}.legacy_sig`, source, format: 'legacy' });
  }
  return wanted;
}

/**
 * The bytes that are signed: a gzip is aligned first (one that the build system made may not be), and a legacy signature is always that
 * of the raw image, since no device that checks for one can inflate.
 */
function payloadOf(source: Artefact, format: SignatureFormat, build: Build): Uint8Array {
  const bytes = build.files.get(source.file);
  if (bytes === undefined) throw new Error(`the bytes of ${source.file} are not part of the build`);
  if (source.encoding === 'identity') return bytes;
  return format === 'legacy' ? gunzipSync(bytes) : alignGzip(bytes);
}
