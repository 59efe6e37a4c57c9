import { OtaError } from '../../errors/ota-error.ts';
import { padToWord } from '../firmware/pad-to-word.ts';
import { rawMetadataBytes } from '../firmware/update-metadata.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { Artifact, Manifest } from '../model/manifest.ts';
import { signImage } from '../signing/signed-image.ts';
import type { Signer } from '../signing/signer.ts';
import type { Build } from './build.ts';
import { cutToFit } from './cut-filesystem.ts';
import { digests } from './digests.ts';
import { alignedGzip, type MarkedPayload, markedRaw } from './marked-payload.ts';

const lengthWordBytes = 4;

/**
 * Adds the signed artifacts to a build. `pack` and `sign --manifest` share this function, so that they produce identical bytes, even on
 * different machines.
 *
 * @throws OtaError KEYS_DONT_MATCH, ENFORCEMENT_KEY_MISSING, SIGNATURE_UNVERIFIED, and those of the signer
 */
export async function signBuild(build: Build, signer: Signer, signerName: string): Promise<Build> {
  const { manifest } = build;
  requireExpectedKey(manifest, signer, signerName);
  const files = new Map(build.files);
  const artifacts = manifest.artifacts.filter(({ signature }) => signature === 'none');
  const payloads = await payloadsToSign(build, signer.publicKey);
  for (const { format } of payloads) signer.requireFormat?.(format);
  for (const wanted of payloads) {
    const { file, format, source, payload, inflate, metadata } = wanted;
    const encoding = format === 'legacy' ? 'identity' : source.encoding;
    const bytes = await signImage(payload, signer, format, file);
    files.set(file, bytes);
    artifacts.push({
      file,
      encoding,
      signature: format,
      payloadBytes: payload.length,
      inflate,
      metadata,
      ...digests(bytes),
      keyFingerprint: signer.publicKey.fingerprint,
    });
  }
  const { fingerprint, bits, pem } = signer.publicKey;
  const isHop = manifest.signing.previousKey !== undefined;
  const signing = isHop ? manifest.signing : { ...manifest.signing, publicKey: { fingerprint, bits, pem } };
  return { manifest: { ...manifest, signing, artifacts }, files };
}

/** Bytes that a signature of a build covers, and the name of the artifact that will contain them and the signature. */
export interface PayloadToSign extends Pick<Artifact, 'inflate' | 'metadata'> {
  readonly file: string;
  readonly format: SignatureFormat;
  /** Unsigned artifact from which the payload is made. */
  readonly source: Artifact;
  readonly payload: Uint8Array;
}

/** Returns what the signatures of a build cover, so that they can also be made elsewhere. */
export async function payloadsToSign(build: Build, publicKey: RsaPublicKey): Promise<readonly PayloadToSign[]> {
  const payloads: PayloadToSign[] = [];
  for (const plan of signaturesWanted(build.manifest)) {
    const { bytes, inflate, metadata } = await payloadOf(plan, build, publicKey);
    payloads.push({ ...plan, payload: bytes, inflate, metadata });
  }
  return payloads;
}

/**
 * Requires the key that the build was packed for: for a hop, the previous key. A sketch must contain the key that signs later updates.
 *
 * @throws OtaError KEYS_DONT_MATCH, ENFORCEMENT_KEY_MISSING
 */
export function requireExpectedKey(
  manifest: Manifest,
  { publicKey }: Pick<Signer, 'publicKey'>,
  signerName: string,
): void {
  const { image, embeddedKeys, signing } = manifest;
  const expected = (signing.previousKey ?? signing.publicKey)?.fingerprint ?? publicKey.fingerprint;
  if (publicKey.fingerprint !== expected) {
    throw new OtaError('KEYS_DONT_MATCH', { privateKey: signerName, publicKey: expected });
  }
  const next = signing.publicKey?.fingerprint ?? publicKey.fingerprint;
  if (image.kind === 'filesystem' || embeddedKeys.includes(next)) return;
  throw new OtaError('ENFORCEMENT_KEY_MISSING', { path: image.file, fingerprint: next, others: embeddedKeys });
}

interface WantedSignature {
  readonly file: string;
  readonly source: Artifact;
  readonly format: SignatureFormat;
}

/**
 * Lists the signatures to make: for the image, for the compressed image, and in legacy format. Signatures for a compressed filesystem image
 * and in legacy format are optional.
 */
function signaturesWanted({ artifacts, image, signing }: Manifest): WantedSignature[] {
  const wanted: WantedSignature[] = [];
  for (const source of artifacts.filter(({ signature }) => signature === 'none')) {
    const isCompressedFilesystem = image.kind === 'filesystem' && source.encoding === 'gzip';
    if (isCompressedFilesystem && !signing.compressedFilesystem) continue;
    wanted.push({ file: `${source.file}.signed`, source, format: 'current' });
  }
  const source = artifacts.find(({ file }) => file === image.file);
  if (signing.legacy && source !== undefined) {
    wanted.push({ file: `${image.file}.legacy_sig`, source, format: 'legacy' });
  }
  return wanted;
}

async function payloadOf(
  { source, format }: WantedSignature,
  build: Build,
  publicKey: RsaPublicKey,
): Promise<MarkedPayload> {
  const { image, metadata } = build.manifest;
  const bytes = bytesOf(source, build);
  const content = { kind: image.kind, content: rawBytes(build) };
  const trailerBytes = publicKey.modulus.length + lengthWordBytes;
  // Devices with the guard run core 2.6.0 or later, so a legacy signature needs no metadata.
  if (format === 'legacy') return { bytes: padToWord(cutToFit(content.content, image, trailerBytes)) };
  if (source.encoding === 'gzip') {
    // A compressed artifact is complete. A build that compressed its image itself knows no metadata.
    return source.file === image.file ? alignedGzip(bytes, content, metadata) : { ...source, bytes };
  }
  if (metadata?.raw !== true) return { bytes: padToWord(cutToFit(bytes, image, trailerBytes)) };
  return markedRaw(cutToFit(bytes, image, trailerBytes + rawMetadataBytes), content, metadata);
}

/** Returns the image without compression. */
function rawBytes(build: Build): Uint8Array {
  const raw = build.manifest.artifacts.find(
    ({ encoding, signature }) => encoding === 'identity' && signature === 'none',
  );
  if (raw === undefined) throw new Error(`the raw bytes of ${build.manifest.image.file} are not part of the build`);
  return bytesOf(raw, build);
}

function bytesOf({ file }: Artifact, { files }: Build): Uint8Array {
  const bytes = files.get(file);
  if (bytes === undefined) throw new Error(`the bytes of ${file} are not part of the build`);
  return bytes;
}
