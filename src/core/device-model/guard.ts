import { bootsUnpatched, flashModes, flashSizesByNibble } from '../firmware/flash-header.ts';
import { imageMagic } from '../firmware/image-header.ts';
import { gzipMetadata, rawMetadata } from '../firmware/update-metadata.ts';
import type { Guard } from '../keys/guard-record.ts';
import type { FlashMode, ImageKind } from '../model/artifact.ts';
import type { GuardRejection } from '../model/guard-rejection.ts';
import { type ModelGuard, signatureVerifier } from './model-device.ts';

/** Returns the guard that runs on a device whose image contains this record. */
export function modelGuard({ keys, product, securityVersion, require }: Guard): ModelGuard {
  return {
    verifiers: keys.map((key) => signatureVerifier(key, 'current')),
    product: Buffer.from(product).toString('hex'),
    securityVersion,
    require,
  };
}

/** State of the device that the guard compares with an update. */
export interface GuardedUpdate {
  readonly kind: ImageKind;
  /** Flash address at which the update is staged. */
  readonly startAddress: number;
  readonly fsStart: number;
  readonly fsEnd: number;
  readonly flashMode: FlashMode;
  readonly chipSizeBytes: number;
}

/**
 * Returns the length of a signature, as the guard reports it to the Updater: the last word of the update if it is the size of an accepted
 * key, otherwise the size of the first key.
 */
export function guardSignatureBytes({ verifiers }: ModelGuard, lastWord: number | undefined): number {
  const own = verifiers.find(({ lengthBytes }) => lengthBytes === lastWord) ?? verifiers[0];
  return own?.lengthBytes ?? 0;
}

/**
 * Returns the payload as the guard hashes it. The Updater has written the flash mode of the device into a raw sketch, and the guard puts
 * back the mode from the metadata.
 *
 * @param received payload as it is in flash
 */
export function asSigned(received: Uint8Array, kind: ImageKind): Uint8Array {
  const metadata = rawMetadata(received);
  if (kind !== 'sketch' || received[0] !== imageMagic || metadata === undefined) return received;
  const signed = received.slice();
  signed[2] = metadata.flashModeByte;
  return signed;
}

/**
 * Checks an update whose signature is valid. Returns the reason for a rejection.
 *
 * @param payload update without the signature
 */
export function guardRejectionOf(
  guard: ModelGuard,
  payload: Uint8Array,
  update: GuardedUpdate,
): GuardRejection | undefined {
  const isSketch = update.kind === 'sketch';
  const isGzip = payload[0] === 0x1f && payload[1] === 0x8b;
  if (isGzip && inflatedBytes(payload) > (isSketch ? update.fsStart : update.fsEnd - update.fsStart)) {
    return 'inflatedSize';
  }
  const metadata = isGzip ? gzipMetadata(payload) : rawMetadata(payload);
  if (metadata === undefined) return guard.require === 'metadata' ? 'noMetadata' : undefined;
  if (metadata.product !== guard.product) return 'product';
  if (metadata.kind !== update.kind) return 'kind';
  if (metadata.securityVersion < guard.securityVersion) return 'securityVersion';
  if (!isGzip) return undefined;
  if (metadata.memberBytes !== payload.length) return 'trailingData';
  if (update.startAddress < metadata.lowestStart) return 'start';
  if (!isSketch) return undefined;
  const mode = flashModes[metadata.flashModeByte];
  // A chip in QIO mode runs every mode, even a byte that is not a mode.
  if (update.flashMode !== 'qio' && (mode === undefined || !bootsUnpatched(mode, update.flashMode))) return 'flashMode';
  const nibble = metadata.flashSizeByte >> 4;
  const isTooLarge = nibble !== flashMapNibble && (flashSizesByNibble.get(nibble) ?? 0) > update.chipSizeBytes;
  return isTooLarge ? 'flashSize' : undefined;
}

/** Size in the header of a sketch with FLASH_MAP_SUPPORT, which runs on every chip. */
const flashMapNibble = 9;

/** Returns the last word of a gzip file, its uncompressed size. */
function inflatedBytes(gzip: Uint8Array): number {
  if (gzip.length < 4) return 0;
  return new DataView(gzip.buffer, gzip.byteOffset, gzip.length).getUint32(gzip.length - 4, true);
}
