import { createHash, type Hash } from 'node:crypto';
import { flashModes, flashSizesByNibble } from '../firmware/flash-header.ts';
import { imageMagic } from '../firmware/image-header.ts';
import type { ImageKind } from '../model/artifact.ts';
import type { GuardRejection } from '../model/guard-rejection.ts';
import { type DeviceError, type ErrorDetails, updaterError, type updaterErrors } from './device-error.ts';
import { eraseSector, programFlash, sectorBytes } from './flash.ts';
import type { ModelDevice } from './model-device.ts';
import { checkSignature } from './signature-check.ts';
import { isAtomic, stagingFor } from './staging.ts';

/** Eboot command that the Updater stores for the next restart (`eboot_command` in RTC memory). */
export interface EbootCommand {
  readonly source: number;
  readonly destination: number;
  readonly sizeBytes: number;
}

/**
 * Update in progress: the state of `UpdaterClass` between `begin` and `end`. `writeUpdate` and `endUpdate` modify this object's flash,
 * buffer and digest in place. Continue with the object that they return, and discard the old object.
 */
export interface RunningUpdate {
  readonly device: ModelDevice;
  readonly kind: ImageKind;
  readonly startAddress: number;
  /** Update size announced to `begin`. */
  readonly sizeBytes: number;
  /** Expected MD5 of the bytes as sent; undefined if the MD5 is not checked. A device with a key never checks the MD5. */
  readonly md5: string | undefined;
  /** Number of bytes written to flash, excluding bytes in the buffer. */
  readonly flashedBytes: number;
  readonly buffer: Uint8Array;
  readonly bufferedBytes: number;
  readonly digest: Hash;
}

/** Rejected update. The device keeps its sketch. `device.flash` is the flash content after the attempt. */
export interface Rejection {
  readonly outcome: 'rejected';
  readonly error: DeviceError;
  /** Reason for a rejection by the guard. The error is the same for each reason. */
  readonly rejection?: GuardRejection | undefined;
  readonly device: ModelDevice;
}

export interface UpdateRequest {
  readonly kind: ImageKind;
  readonly sizeBytes: number;
  /** MD5 as hex digits. ArduinoOTA and the HTTP client call `setMD5`, which ignores values that are not 32 digits long. */
  readonly md5?: string | undefined;
}

export type BeginResult = { readonly outcome: 'running'; readonly update: RunningUpdate } | Rejection;
export type WriteResult = BeginResult;

/**
 * Result of `endUpdate`. staged: eboot copies the update after the restart. written: the Updater wrote a filesystem image in place.
 * crashed: the core (2.5.0 to 2.6.3) crashed because of an invalid signature, and the device restarts its current sketch.
 */
export type EndResult =
  | { readonly outcome: 'staged'; readonly command: EbootCommand; readonly device: ModelDevice }
  | { readonly outcome: 'written'; readonly device: ModelDevice }
  | { readonly outcome: 'crashed'; readonly device: ModelDevice }
  | Rejection;

/**
 * Starts an update like `UpdaterClass::begin` (Updater.cpp).
 *
 * @param device device whose flash is modified; pass a copy to keep the original
 */
export function beginUpdate(device: ModelDevice, request: UpdateRequest): BeginResult {
  if (request.sizeBytes === 0) return reject(device, 'size');
  const headerSizeBytes = flashSizeInHeader(device.flash);
  if (device.capabilities.checksHeader && !device.flashMap && headerSizeBytes > device.chipSizeBytes) {
    return reject(device, 'flashConfig', { chipSizeBytes: device.chipSizeBytes, headerSizeBytes });
  }
  const staging = stagingFor(device, request.kind, request.sizeBytes);
  if (staging.outcome === 'no-space') return reject(device, 'space');
  const update: RunningUpdate = {
    device,
    kind: request.kind,
    startAddress: staging.address,
    sizeBytes: request.sizeBytes,
    md5: expectedMd5(device, request),
    flashedBytes: 0,
    buffer: new Uint8Array(sectorBytes),
    bufferedBytes: 0,
    digest: createHash('md5'),
  };
  return { outcome: 'running', update };
}

/**
 * Writes all of `chunk` like `UpdaterClass::write`. A chunk that exceeds the announced size is rejected. Cores before 2.4.0 write it anyway,
 * across the end of the staging area.
 */
export function writeUpdate(update: RunningUpdate, chunk: Uint8Array): WriteResult {
  const isTooLong = update.flashedBytes + update.bufferedBytes + chunk.length > update.sizeBytes;
  if (isTooLong && update.device.capabilities.boundsWrites) return abort(update, 'space');
  let current = update;
  let left = chunk;
  while (current.bufferedBytes + left.length > sectorBytes) {
    const room = sectorBytes - current.bufferedBytes;
    const flushed = flushBuffer(buffered(current, left.subarray(0, room)));
    if (flushed.outcome === 'rejected') return flushed;
    current = flushed.update;
    left = left.subarray(room);
  }
  current = buffered(current, left);
  const isLast = current.bufferedBytes === current.sizeBytes - current.flashedBytes;
  return isLast ? flushBuffer(current) : { outcome: 'running', update: current };
}

/**
 * Ends an update like `UpdaterClass::end`: checks the flash content, starting with the signature, and stores the eboot command.
 *
 * @param evenIfRemaining accepts an update shorter than announced, as the web updater does
 */
export function endUpdate(update: RunningUpdate, evenIfRemaining: boolean): EndResult {
  if (update.flashedBytes === 0 && update.device.capabilities.refusesEmpty) return abort(update, 'noData');
  if (update.flashedBytes !== update.sizeBytes && !evenIfRemaining) return abort(update, 'none');
  const flushed = evenIfRemaining && update.bufferedBytes > 0 ? flushBuffer(update) : undefined;
  if (flushed?.outcome === 'rejected') return flushed;
  return checkAndStage(flushed?.update ?? update);
}

function checkAndStage(update: RunningUpdate): EndResult {
  const { device, kind, startAddress, flashedBytes } = update;
  const check = checkSignature(device, { kind, startAddress, sizeBytes: flashedBytes });
  if (check.outcome === 'crashed') return { outcome: 'crashed', device };
  if (check.outcome === 'refused') return { ...abort(update, 'signature'), rejection: check.rejection };
  if (check.outcome === 'no-key') {
    const calculatedMd5 = update.digest.copy().digest('hex');
    const expectedMd5 = update.md5 ?? calculatedMd5;
    if (expectedMd5.toLowerCase() !== calculatedMd5) return abort(update, 'md5', { expectedMd5, calculatedMd5 });
  }
  const problem = update.kind === 'sketch' ? problemOfHeader(update) : undefined;
  if (problem !== undefined) return problem;
  if (update.kind === 'filesystem' && !isAtomic(device)) return { outcome: 'written', device };
  const destination = update.kind === 'sketch' ? 0 : device.fsStart;
  return { outcome: 'staged', command: { source: startAddress, destination, sizeBytes: check.sizeBytes }, device };
}

/** Checks the first byte like `_verifyEnd`. For an uncompressed image, also checks the flash size. Core 2.0.0 checks neither. */
function problemOfHeader(update: RunningUpdate): Rejection | undefined {
  const { device, startAddress } = update;
  if (!device.capabilities.checksHeader) return undefined;
  const [first, second, , sizeAndFrequency = 0] = device.flash.subarray(startAddress, startAddress + 4);
  if (first === 0x1f && second === 0x8b && device.capabilities.gzip) return undefined;
  if (first !== imageMagic) return abort(update, 'magicByte');
  const wantedBytes = flashSizesByNibble.get(sizeAndFrequency >> 4) ?? 0;
  const isTooLarge = !device.flashMap && wantedBytes > device.chipSizeBytes;
  return isTooLarge ? abort(update, 'newFlashConfig', { chipSizeBytes: device.chipSizeBytes }) : undefined;
}

function expectedMd5({ capabilities, leftoverMd5 }: ModelDevice, { md5 }: UpdateRequest): string | undefined {
  if (md5?.length === 32) return md5;
  return capabilities.clearsOldMd5 ? undefined : leftoverMd5;
}

/** Returns the flash size from the running sketch's header, like `EspClass::getFlashChipSize`. Returns 0 for an invalid value. */
function flashSizeInHeader(flash: Uint8Array): number {
  return flashSizesByNibble.get((flash[3] ?? 0xff) >> 4) ?? 0;
}

function buffered(update: RunningUpdate, bytes: Uint8Array): RunningUpdate {
  update.buffer.set(bytes, update.bufferedBytes);
  return { ...update, bufferedBytes: update.bufferedBytes + bytes.length };
}

/**
 * Flushes the buffer like `_writeBuffer`. Erases each sector before its first byte is written, and writes the device's flash mode to byte
 * 2.
 */
function flushBuffer(update: RunningUpdate): WriteResult {
  const { device, buffer, bufferedBytes, digest } = update;
  const address = update.startAddress + update.flashedBytes;
  if (address % sectorBytes === 0 && !eraseSector(device.flash, address)) return abort(update, 'erase');
  const sentMode = buffer[2] ?? 0;
  const patches = patchesFlashMode(update);
  if (patches) buffer[2] = flashModes.indexOf(device.flashMode);
  if (!programFlash(device.flash, address, buffer.subarray(0, bufferedBytes))) return abort(update, 'write');
  // The core restores byte 2, so that the MD5 covers the bytes as sent. An unknown flash mode is restored as 255.
  if (patches) buffer[2] = sentMode < flashModes.length ? sentMode : 0xff;
  digest.update(buffer.subarray(0, bufferedBytes));
  return {
    outcome: 'running',
    update: { ...update, flashedBytes: update.flashedBytes + bufferedBytes, bufferedBytes: 0 },
  };
}

function patchesFlashMode({ device, kind, flashedBytes, buffer }: RunningUpdate): boolean {
  const { patchesFlashMode: capability, gzip } = device.capabilities;
  if (flashedBytes > 0 || capability === 'never' || (capability === 'sketch' && kind !== 'sketch')) return false;
  const isCompressed = gzip && buffer[0] === 0x1f;
  return !isCompressed && buffer[2] !== flashModes.indexOf(device.flashMode);
}

function abort(update: RunningUpdate, name: keyof typeof updaterErrors, details?: Partial<ErrorDetails>): Rejection {
  return reject({ ...update.device, leftoverMd5: update.md5 }, name, details);
}

function reject(device: ModelDevice, name: keyof typeof updaterErrors, details?: Partial<ErrorDetails>): Rejection {
  return { outcome: 'rejected', error: updaterError(name, device.capabilities.errorTexts, details), device };
}
