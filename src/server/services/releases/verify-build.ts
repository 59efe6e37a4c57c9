import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { usedExtent } from '../../../core/firmware/erased-flash.ts';
import { type Firmware, readEnvelope, readFirmware } from '../../../core/firmware/firmware.ts';
import { privateKeyInside } from '../../../core/firmware/private-keys.ts';
import { sketchMd5s } from '../../../core/firmware/sketch-md5.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import type { Artifact, Manifest } from '../../../core/model/manifest.ts';
import { imageFacts } from '../../../core/preflight/image-facts.ts';
import { Compressions } from './compressions.ts';

/** Input for `verifyBuild`, which is plain data because it is sent to a worker thread. */
export interface BuildQuestion {
  readonly manifest: Manifest;
  /** File path of each artifact, by SHA-256. */
  readonly blobs: ReadonlyMap<string, string>;
  /** Key named in the manifest. */
  readonly key: RsaPublicKey | undefined;
  /** Project keys. Their private halves must not appear in an image. */
  readonly projectKeys: readonly RsaPublicKey[];
}

export interface BuildAnswer {
  /** Differences between the manifest and the bytes, as sentences. */
  readonly differences: readonly string[];
  readonly privateKey: 'signing-key' | 'other' | undefined;
}

/**
 * Compares the manifest of a build with everything that can be derived from the bytes of the build. Two claims in the manifest cannot be
 * checked, because they are derived from the ELF file: the proof of enforcement and the flash layout. The cost is linear in the number of
 * bytes. Apart from the image, only one artifact at a time is in memory.
 */
export async function verifyBuild(question: BuildQuestion): Promise<BuildAnswer> {
  const { manifest, blobs, key, projectKeys } = question;
  const image = manifest.artifacts.find(({ file }) => file === manifest.image.file);
  const bytes = image && (await read(blobs, image));
  if (image === undefined || bytes === undefined) {
    return { differences: [`${manifest.image.file} is not among the artifacts`], privateKey: undefined };
  }
  const compressions = new Compressions(manifest.image.kind === 'sketch');
  const firmware = readFirmware(bytes, { knownKeys: key ? [key] : [], gunzip: compressions.gunzip });
  const differences = [...imageDifferences(manifest, bytes, firmware)];
  for (const artifact of manifest.artifacts) {
    const content = await read(blobs, artifact);
    for await (const difference of artifactDifferences(artifact, content, { question, firmware, compressions })) {
      differences.push(difference);
    }
  }
  return { differences, privateKey: privateKeyInside(firmware.content, projectKeys) };
}

async function read(blobs: BuildQuestion['blobs'], { sha256 }: Artifact): Promise<Uint8Array | undefined> {
  const path = blobs.get(sha256);
  return path === undefined ? undefined : readFile(path);
}

function* imageDifferences(manifest: Manifest, bytes: Uint8Array, firmware: Firmware): Generator<string> {
  const { image, embeddedKeys } = manifest;
  const isFilesystem = image.kind === 'filesystem';
  const kind = firmware.kind === 'unknown' && isFilesystem ? 'filesystem' : firmware.kind;
  if (kind !== image.kind) yield `${image.file} is a ${kind}, not a ${image.kind}`;
  if (firmware.encoding !== image.encoding) yield `${image.file} is ${firmware.encoding}, not ${image.encoding}`;
  if (!hasDigests(image, bytes)) yield `the size or digests of ${image.file} do not match`;
  for (const [name, value] of Object.entries(imageFacts(firmware, isFilesystem))) {
    // `imageFacts` only returns keys that exist in the manifest's image.
    if (!isSame(value, image[name as keyof typeof image])) yield `${name} of ${image.file} does not match`;
  }
  const keys = firmware.embeddedKeys.map(({ key }) => key.fingerprint).sort();
  if (!isSame(keys, embeddedKeys)) yield `the public keys in ${image.file} do not match`;
  const sketchSizeBytes = isFilesystem ? undefined : firmware.sketch?.sketchSizeBytes;
  const md5s = sketchSizeBytes === undefined ? [] : sketchMd5s(firmware.content, sketchSizeBytes);
  if (!isSame(md5s, image.sketchMd5s)) yield `the sketch MD5s of ${image.file} do not match`;
}

interface ImageContext {
  readonly question: BuildQuestion;
  readonly firmware: Firmware;
  readonly compressions: Compressions;
}

async function* artifactDifferences(
  artifact: Artifact,
  bytes: Uint8Array | undefined,
  { question, firmware, compressions }: ImageContext,
): AsyncGenerator<string> {
  const { file, encoding, signature, payloadBytes, keyFingerprint, inflate } = artifact;
  if (bytes === undefined || !hasDigests(artifact, bytes)) return yield `the size or digests of ${file} do not match`;
  const envelope = readEnvelope(bytes, signers(question, firmware), compressions.gunzip);
  const isSketch = question.manifest.image.kind === 'sketch';
  if (envelope.encoding !== encoding) yield `${file} is ${envelope.encoding}, not ${encoding}`;
  if ((envelope.trailer?.format ?? 'none') !== signature) {
    yield signature === 'none'
      ? `${file} has a signature, but should not have one`
      : `the signature of ${file} was not made with the key in the manifest`;
  }
  if (envelope.trailer?.verifiedBy?.fingerprint !== keyFingerprint) yield `${file} is signed with a different key`;
  if (envelope.payload.length !== payloadBytes) yield `the payload size of ${file} does not match`;
  if (!isSameContent(envelope.content, firmware.content, isSketch)) {
    return yield `${file} was not made from ${question.manifest.image.file}`;
  }
  const inflates = encoding === 'gzip' ? await compressions.inflateFacts(envelope) : undefined;
  if (!isSame(inflates, inflate)) yield `the decompression facts of ${file} do not match`;
}

/** Returns the keys that may have signed an artifact: the manifest's key and the keys embedded in the image. */
function signers({ key }: BuildQuestion, { embeddedKeys }: Firmware): readonly RsaPublicKey[] {
  const embedded = embeddedKeys.map((found) => found.key);
  return key === undefined ? embedded : [key, ...embedded.filter(({ fingerprint }) => fingerprint !== key.fingerprint)];
}

/** Compares contents. A filesystem may lack erased blocks at its end. */
function isSameContent(content: Uint8Array, whole: Uint8Array, isSketch: boolean): boolean {
  const isCut = !isSketch && content.length < whole.length && usedExtent(whole) <= content.length;
  const expected = isCut ? whole.subarray(0, content.length) : whole;
  return Buffer.compare(content, expected) === 0;
}

function hasDigests(
  { sizeBytes, md5, sha256 }: Pick<Artifact, 'sizeBytes' | 'md5' | 'sha256'>,
  bytes: Uint8Array,
): boolean {
  const digest = (name: string) => createHash(name).update(bytes).digest('hex');
  return bytes.length === sizeBytes && digest('md5') === md5 && digest('sha256') === sha256;
}

/** Compares values as JSON, which omits undefined properties. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a) ?? 'null'), JSON.parse(JSON.stringify(b) ?? 'null'));
}
