import { basename } from 'node:path';
import { readFirmware } from '../core/firmware/firmware.ts';
import type { ImageKind } from '../core/model/artifact.ts';
import { OtaError } from '../errors/ota-error.ts';
import { readNamedFile, readOptionalFile } from '../files/read.ts';
import { openPackedRelease, type PackedRelease } from './packed-release.ts';

/** File that is sent instead of the requested file. */
export interface DropInArtifact {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Chooses the file to send for a `tools/espota.py` command line. espota.py sends `<image>.signed` if it exists, even if it is outdated.
 * This function selects the signed file only if the file belongs to the image: the manifest must list it or, for files signed by other
 * tools, it must start with the image.
 *
 * @param kind kind of image that the device expects
 * @throws OtaError FILE_NOT_FOUND, IMAGE_EMPTY, MANIFEST_INVALID; ARTIFACT_CHANGED, SIGNED_FILE_STALE, NOT_SIGNED_YET or IMAGE_WRONG_KIND
 *   if the files do not match
 */
export async function dropInArtifact(path: string, kind: ImageKind): Promise<DropInArtifact> {
  const image = await readNamedFile(path, 'image');
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path });
  const packed = await openPackedRelease(path);
  const chosen = packed === undefined ? await signedOrItself(path, image) : await packedArtifact(path, packed);
  const actualKind = packed?.manifest.image.kind ?? readFirmware(image).kind;
  if (actualKind !== 'unknown' && actualKind !== kind) throw wrongKind(path, actualKind);
  return chosen;
}

async function packedArtifact(
  path: string,
  { manifest, manifestPath, readArtifact }: PackedRelease,
): Promise<DropInArtifact> {
  const named = basename(path);
  if (named !== manifest.image.file) return { path, bytes: await readArtifact(named) };
  const signed = manifest.artifacts.find(
    ({ file, signature }) => file === `${named}.signed` && signature === 'current',
  );
  if (signed !== undefined) return { path: `${path}.signed`, bytes: await readArtifact(signed.file) };
  if (manifest.signing.publicKey !== undefined) throw new OtaError('NOT_SIGNED_YET', { path: manifestPath });
  if ((await readOptionalFile(`${path}.signed`)) !== undefined)
    throw stale(path, 'the manifest of this build does not list this file');
  return { path, bytes: await readArtifact(named) };
}

async function signedOrItself(path: string, image: Uint8Array): Promise<DropInArtifact> {
  const signedPath = `${path}.signed`;
  const signed = await readOptionalFile(signedPath);
  if (signed === undefined) return { path, bytes: image };
  if (!isSignedForm(signed, image)) throw stale(path, 'its content is not the current image');
  return { path: signedPath, bytes: signed };
}

/** Checks the layout of a signed file: payload, signature, and the signature length as a little-endian 32-bit number (`signing.py`). */
function isSignedForm(signed: Uint8Array, image: Uint8Array): boolean {
  const buffer = Buffer.from(signed.buffer, signed.byteOffset, signed.length);
  const trailerBytes = signed.length - image.length;
  if (trailerBytes <= 4 || !buffer.subarray(0, image.length).equals(image)) return false;
  return buffer.readUInt32LE(signed.length - 4) === trailerBytes - 4;
}

function stale(path: string, reason: string): OtaError {
  return new OtaError('SIGNED_FILE_STALE', { path: `${path}.signed`, image: path, reason });
}

function wrongKind(path: string, kind: ImageKind): OtaError {
  const isSketch = kind === 'sketch';
  return new OtaError('IMAGE_WRONG_KIND', {
    path,
    kind,
    expected: isSketch ? 'filesystem' : 'sketch',
    hint: isSketch ? 'Remove -s (--spiffs).' : 'Add -s (--spiffs).',
  });
}
