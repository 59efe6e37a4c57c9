import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Artefact, Manifest } from '../../domain/manifest.ts';
import { usedExtent } from '../../firmware/erased-flash.ts';
import { type Firmware, readFirmware } from '../../firmware/firmware.ts';
import { sketchMd5s } from '../../firmware/sketch-md5.ts';
import type { RsaPublicKey } from '../../keys/public-key.ts';
import { imageFacts, inflateFacts } from '../../preflight/image-facts.ts';
import { privateKeyInside } from './private-keys.ts';

export interface BuildQuestion {
  readonly manifest: Manifest;
  /** By SHA-256, of every artefact. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** The key that the manifest names. */
  readonly key: RsaPublicKey | undefined;
  /** Of the project, for what must not be in an image. */
  readonly projectKeys: readonly RsaPublicKey[];
}

export interface BuildAnswer {
  /** Where the manifest says something else than the bytes, in sentences. */
  readonly differences: readonly string[];
  readonly privateKey: 'signing-key' | 'other' | undefined;
}

/**
 * Reads the bytes of a build again and compares all that they show to what the manifest says of them. What bytes cannot show is taken on
 * the publisher's word: the proof of enforcement and the flash layout, which come from the ELF.
 */
export async function verifyBuild(question: BuildQuestion): Promise<BuildAnswer> {
  const { manifest, projectKeys } = question;
  const image = manifest.artefacts.find(({ file }) => file === manifest.image.file);
  const bytes = image && question.blobs.get(image.sha256);
  if (image === undefined || bytes === undefined) {
    return { differences: [`${manifest.image.file} is not among the artefacts`], privateKey: undefined };
  }
  const firmware = read(bytes, question);
  const differences = [...imageDifferences(manifest, bytes, firmware)];
  for (const artefact of manifest.artefacts) {
    // A device must not wait for all of it.
    await setImmediate();
    differences.push(...artefactDifferences(artefact, question, firmware));
  }
  return { differences, privateKey: privateKeyInside(firmware.content, projectKeys) };
}

function read(bytes: Uint8Array, { key }: BuildQuestion): Firmware {
  return readFirmware(bytes, key && { knownKeys: [key] });
}

function* imageDifferences(manifest: Manifest, bytes: Uint8Array, firmware: Firmware): Generator<string> {
  const { image, embeddedKeys } = manifest;
  const isFilesystem = image.kind === 'filesystem';
  const kind = firmware.kind === 'unknown' && isFilesystem ? 'filesystem' : firmware.kind;
  if (kind !== image.kind) yield `${image.file} is a ${kind}, not a ${image.kind}`;
  if (firmware.encoding !== image.encoding) yield `${image.file} is ${firmware.encoding}, not ${image.encoding}`;
  if (!hasDigests(image, bytes)) yield `the size or the digests of ${image.file} are others`;
  for (const [name, value] of Object.entries(imageFacts(firmware, isFilesystem))) {
    // What imageFacts names are keys of the manifest's image.
    if (!isSame(value, image[name as keyof typeof image])) yield `${name} of ${image.file} is another`;
  }
  const keys = firmware.embeddedKeys.map(({ key }) => key.fingerprint).sort();
  if (!isSame(keys, embeddedKeys)) yield `the public keys in ${image.file} are others`;
  const sketchSizeBytes = isFilesystem ? undefined : firmware.sketch?.sketchSizeBytes;
  const md5s = sketchSizeBytes === undefined ? [] : sketchMd5s(firmware.content, sketchSizeBytes);
  if (!isSame(md5s, image.sketchMd5s)) yield `the sketch MD5s of ${image.file} are others`;
}

function* artefactDifferences(artefact: Artefact, question: BuildQuestion, image: Firmware): Generator<string> {
  const { file, encoding, signature, payloadBytes, keyFingerprint, inflate } = artefact;
  const bytes = question.blobs.get(artefact.sha256);
  if (bytes === undefined || !hasDigests(artefact, bytes)) return yield `the size or the digests of ${file} are others`;
  const firmware = read(bytes, question);
  const isSketch = question.manifest.image.kind === 'sketch';
  if (firmware.encoding !== encoding) yield `${file} is ${firmware.encoding}, not ${encoding}`;
  if ((firmware.trailer?.format ?? 'none') !== signature) {
    yield signature === 'none'
      ? `${file} has a signature, and should have none`
      : `the signature of ${file} is not one of the key that the manifest names`;
  }
  if (firmware.trailer?.verifiedBy?.fingerprint !== keyFingerprint) yield `${file} is signed by another key`;
  if (firmware.payload.length !== payloadBytes) yield `the payload of ${file} has another size`;
  const inflates = encoding === 'gzip' ? inflateFacts(firmware.payload, firmware.content, isSketch) : undefined;
  if (!isSame(inflates, inflate)) yield `${file} inflates in another way`;
  if (!isSameContent(firmware.content, image.content, isSketch))
    yield `${file} is not made of ${question.manifest.image.file}`;
}

/** Of a filesystem, erased blocks at the end may have been cut off. */
function isSameContent(content: Uint8Array, whole: Uint8Array, isSketch: boolean): boolean {
  const isCut = !isSketch && content.length < whole.length && usedExtent(whole) <= content.length;
  const expected = isCut ? whole.subarray(0, content.length) : whole;
  return Buffer.compare(content, expected) === 0;
}

function hasDigests(
  { sizeBytes, md5, sha256 }: Pick<Artefact, 'sizeBytes' | 'md5' | 'sha256'>,
  bytes: Uint8Array,
): boolean {
  const digest = (name: string) => createHash(name).update(bytes).digest('hex');
  return bytes.length === sizeBytes && digest('md5') === md5 && digest('sha256') === sha256;
}

/** As JSON has them: without keys that have no value. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a) ?? 'null'), JSON.parse(JSON.stringify(b) ?? 'null'));
}
