import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { usedExtent } from '../firmware/erased-flash.ts';
import { type Firmware, readEnvelope, readFirmware } from '../firmware/firmware.ts';
import { padToWord } from '../firmware/pad-to-word.ts';
import { sketchMd5s } from '../firmware/sketch-md5.ts';
import { type RsaPublicKey, readPublicKey } from '../keys/public-key.ts';
import type { ImageKind } from '../model/artifact.ts';
import type { Artifact, Manifest, SketchMd5 } from '../model/manifest.ts';
import { Compressions } from './compressions.ts';
import { expectedMetadata } from './expected-metadata.ts';
import { imageFacts } from './image-facts.ts';
import { artifactWithImage } from './whole-image.ts';

/** Build whose manifest is compared with its bytes. */
export interface DescribedBuild {
  readonly manifest: Manifest;
  /** Key named in the manifest. */
  readonly key: RsaPublicKey | undefined;
  /** Returns the bytes of an artifact; undefined if there are none. */
  readonly read: (artifact: Artifact) => Promise<Uint8Array | undefined>;
  /**
   * True for a release stored on a server, which an earlier version of ota-hooks may have checked. Facts that versions of ota-hooks may
   * recognize differently are then not compared, and neither are the sketch MD5s, which are stored separately.
   */
  readonly isStored?: boolean | undefined;
}

export interface BuildDifferences {
  /** Differences between the manifest and the bytes, as sentences. */
  readonly differences: readonly string[];
  /** The image; undefined if no artifact contains all of it. */
  readonly firmware: Firmware | undefined;
}

/**
 * Compares the manifest of a build with everything that can be derived from the bytes of the build. The proof of enforcement and the flash
 * layout are derived from the ELF file and are not compared. The cost is linear in the number of bytes. Apart from the image, only one
 * artifact at a time is in memory.
 */
export async function buildDifferences(build: DescribedBuild): Promise<BuildDifferences> {
  const { manifest, key, read } = build;
  const source = artifactWithImage(manifest);
  const sourceBytes = source && (await read(source));
  if (source === undefined || sourceBytes === undefined) {
    return { differences: [`no artifact contains the whole image ${manifest.image.file}`], firmware: undefined };
  }
  const compressions = new Compressions(manifest.image.kind === 'sketch');
  // A project may publish only signed artifacts. The digests in the manifest show whether the bytes in front of the signature are the image.
  const isImage = source.file === manifest.image.file;
  const bytes = isImage ? sourceBytes : sourceBytes.subarray(0, manifest.image.sizeBytes);
  const firmware = readFirmware(bytes, { knownKeys: key ? [key] : [], gunzip: compressions.gunzip });
  const previous = previousKeyOf(manifest);
  const differences = [...imageDifferences(build, bytes, firmware)];
  if (previous === 'wrong') differences.push('the previous key and its fingerprint do not match');
  const signers = [previous, key, ...firmware.embeddedKeys.map((embedded) => embedded.key)].filter(
    (each): each is RsaPublicKey => each !== undefined && each !== 'wrong',
  );
  for (const artifact of manifest.artifacts) {
    const content = await read(artifact);
    for await (const difference of artifactDifferences(artifact, content, { build, firmware, signers, compressions })) {
      differences.push(difference);
    }
  }
  return { differences, firmware };
}

/** Facts that later versions of ota-hooks may recognize differently. */
const recognizedFacts: readonly string[] = ['findings', 'core', 'traces', 'guard', 'filesystem'];

function* imageDifferences(
  { manifest: { image, embeddedKeys }, isStored = false }: DescribedBuild,
  bytes: Uint8Array,
  firmware: Firmware,
): Generator<string> {
  const isFilesystem = image.kind === 'filesystem';
  const kind = firmware.kind === 'unknown' && isFilesystem ? 'filesystem' : firmware.kind;
  if (kind !== image.kind) yield `${image.file} is a ${kind}, not a ${image.kind}`;
  if (firmware.encoding !== image.encoding) yield `${image.file} is ${firmware.encoding}, not ${image.encoding}`;
  if (!hasDigests(image, bytes)) yield `the size or digests of ${image.file} do not match`;
  for (const [name, value] of Object.entries(imageFacts(firmware, isFilesystem))) {
    if (isStored && recognizedFacts.includes(name)) continue;
    // `imageFacts` returns only keys that exist in the manifest's image.
    if (!isSame(value, image[name as keyof typeof image])) yield `${name} of ${image.file} does not match`;
  }
  const keys = firmware.embeddedKeys.map(({ key }) => key.fingerprint).sort();
  const areKeys = isStored ? embeddedKeys.every((key) => keys.includes(key)) : isSame(keys, embeddedKeys);
  if (!areKeys) yield `the public keys in ${image.file} do not match`;
  if (isStored) return;
  if (!isSame(md5sOfImage(firmware, image.kind), image.sketchMd5s)) {
    yield `the sketch MD5s of ${image.file} do not match`;
  }
}

/** Computes the sketch MD5s of an image; see {@link sketchMd5s}. */
export function md5sOfImage(firmware: Firmware, kind: ImageKind): readonly SketchMd5[] {
  const sketchSizeBytes = kind === 'filesystem' ? undefined : firmware.sketch?.sketchSizeBytes;
  return sketchSizeBytes === undefined ? [] : sketchMd5s(firmware.content, sketchSizeBytes);
}

interface ImageContext {
  readonly build: DescribedBuild;
  readonly firmware: Firmware;
  /** Keys that may have signed an artifact: those of the manifest, and those in the image. */
  readonly signers: readonly RsaPublicKey[];
  readonly compressions: Compressions;
}

async function* artifactDifferences(
  artifact: Artifact,
  bytes: Uint8Array | undefined,
  { build, firmware, signers, compressions }: ImageContext,
): AsyncGenerator<string> {
  const { file, encoding, signature, payloadBytes, keyFingerprint, inflate } = artifact;
  if (bytes === undefined || !hasDigests(artifact, bytes)) return yield `the size or digests of ${file} do not match`;
  const envelope = readEnvelope(bytes, signers, compressions.gunzip);
  const isSketch = build.manifest.image.kind === 'sketch';
  if (envelope.encoding !== encoding) yield `${file} is ${envelope.encoding}, not ${encoding}`;
  if ((envelope.trailer?.format ?? 'none') !== signature) {
    yield signature === 'none'
      ? `${file} has a signature, but should not have one`
      : `the signature of ${file} was not made with the key in the manifest`;
  }
  if (envelope.trailer?.verifiedBy?.fingerprint !== keyFingerprint) yield `${file} is signed with a different key`;
  const expected = expectedMetadata(build.manifest, artifact, firmware.content);
  const isMarked = isSame(envelope.metadata, artifact.metadata) && isSame(expected, artifact.metadata);
  if (!isMarked) yield `the metadata of ${file} does not match`;
  if (envelope.payload.length !== payloadBytes) yield `the payload size of ${file} does not match`;
  if (!isSameContent(envelope.content, firmware.content, isSketch)) {
    return yield `${file} was not made from ${build.manifest.image.file}`;
  }
  if (encoding === 'gzip' && file !== build.manifest.image.file) {
    const { value, findings } = compressions.gunzip(bytes);
    for (const { message } of findings) yield `${file}: ${message}`;
    if (value.framing.endOffset !== envelope.payload.length) yield `${file} contains more than its gzip data`;
  }
  const inflates = encoding === 'gzip' ? await compressions.inflateFacts(envelope) : undefined;
  if (!isSame(inflates, inflate)) yield `the decompression facts of ${file} do not match`;
}

/** Returns the key that signed a hop; undefined for all other builds. */
function previousKeyOf({ signing: { previousKey } }: Manifest): RsaPublicKey | 'wrong' | undefined {
  if (previousKey === undefined) return undefined;
  try {
    const key = readPublicKey(previousKey.pem, 'the previous key in the manifest');
    return key.fingerprint === previousKey.fingerprint && key.bits === previousKey.bits ? key : 'wrong';
  } catch {
    return 'wrong';
  }
}

/** Compares contents. A filesystem image may lack erased blocks at its end, and an image with appended data may be padded. */
function isSameContent(content: Uint8Array, whole: Uint8Array, isSketch: boolean): boolean {
  const isCut = !isSketch && content.length < whole.length && usedExtent(whole) <= content.length;
  const isPadded = isSketch && content.length > whole.length;
  const expected = isCut ? whole.subarray(0, content.length) : isPadded ? padToWord(whole) : whole;
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
