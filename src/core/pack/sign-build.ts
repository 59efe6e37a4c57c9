import { gunzipSync } from 'fflate';
import { OtaError } from '../../errors/ota-error.ts';
import { padToWord } from '../firmware/pad-to-word.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { Artifact, Manifest } from '../model/manifest.ts';
import { inflateFacts } from '../preflight/image-facts.ts';
import { signImage } from '../signing/signed-image.ts';
import type { Signer } from '../signing/signer.ts';
import type { Build } from './build.ts';
import { cutToFit } from './cut-filesystem.ts';
import { digests } from './digests.ts';
import { payloadFor } from './payload.ts';

const lengthWordBytes = 4;

/**
 * Adds the signed artifacts to a build. `pack` and `sign --manifest` share this function, so that they produce identical bytes, even on
 * different machines.
 *
 * @throws OtaError KEYS_DONT_MATCH, ENFORCEMENT_KEY_MISSING, SIGNATURE_UNVERIFIED
 */
export async function signBuild(build: Build, signer: Signer, signerName: string): Promise<Build> {
  const { manifest } = build;
  requireExpectedKey(manifest, signer, signerName);
  const files = new Map(build.files);
  const artifacts = manifest.artifacts.filter(({ signature }) => signature === 'none');
  for (const { file, format, source, payload } of payloadsToSign(build, signer.publicKey)) {
    const encoding = format === 'legacy' ? 'identity' : source.encoding;
    const bytes = await signImage(payload, signer, format, file);
    files.set(file, bytes);
    artifacts.push({
      file,
      encoding,
      signature: format,
      payloadBytes: payload.length,
      inflate: encoding === 'gzip' ? inflateOf(payload, source, manifest) : undefined,
      ...digests(bytes),
      keyFingerprint: signer.publicKey.fingerprint,
    });
  }
  const { fingerprint, bits, pem } = signer.publicKey;
  const signing = { ...manifest.signing, publicKey: { fingerprint, bits, pem } };
  return { manifest: { ...manifest, signing, artifacts }, files };
}

/** Bytes that a signature of a build covers, and the name of the artifact that will contain them and the signature. */
export interface PayloadToSign {
  readonly file: string;
  readonly format: SignatureFormat;
  /** Unsigned artifact from which the payload is made. */
  readonly source: Artifact;
  readonly payload: Uint8Array;
}

/** Returns what the signatures of a build cover, so that they can also be made elsewhere. */
export function payloadsToSign(build: Build, publicKey: RsaPublicKey): readonly PayloadToSign[] {
  return signaturesWanted(build.manifest).map((plan) => ({ ...plan, payload: payloadOf(plan, build, publicKey) }));
}

/**
 * Requires the key that the build was packed for. A sketch must contain this key.
 *
 * @throws OtaError KEYS_DONT_MATCH, ENFORCEMENT_KEY_MISSING
 */
export function requireExpectedKey(
  manifest: Manifest,
  { publicKey }: Pick<Signer, 'publicKey'>,
  signerName: string,
): void {
  const { image, embeddedKeys, signing } = manifest;
  const { fingerprint } = publicKey;
  if (signing.publicKey !== undefined && signing.publicKey.fingerprint !== fingerprint) {
    throw new OtaError('KEYS_DONT_MATCH', { privateKey: signerName, publicKey: signing.publicKey.fingerprint });
  }
  if (image.kind === 'filesystem' || embeddedKeys.includes(fingerprint)) return;
  throw new OtaError('ENFORCEMENT_KEY_MISSING', { path: image.file, fingerprint, others: embeddedKeys });
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

function payloadOf({ source, format }: WantedSignature, build: Build, publicKey: RsaPublicKey): Uint8Array {
  const payload = payloadFor(format, bytesOf(source, build), source.encoding);
  const isWhole = source.encoding === 'identity' || format === 'legacy';
  if (!isWhole) return payload;
  return padToWord(cutToFit(payload, build.manifest.image, publicKey.modulus.length + lengthWordBytes));
}

/** Returns the inflate facts for the signed gzip file. Alignment changes the facts, because a longer header moves all compressed data. */
function inflateOf(payload: Uint8Array, source: Artifact, { image }: Manifest): Artifact['inflate'] {
  if (payload.length === source.sizeBytes) return source.inflate;
  return inflateFacts(payload, gunzipSync(payload), image.kind === 'sketch');
}

function bytesOf({ file }: Artifact, { files }: Build): Uint8Array {
  const bytes = files.get(file);
  if (bytes === undefined) throw new Error(`the bytes of ${file} are not part of the build`);
  return bytes;
}
