import { flashModes } from '../firmware/flash-header.ts';
import { readSketchImage } from '../firmware/sketch-image.ts';
import { type CopyRun, copyCodes } from './eboot.ts';
import { roundUpToSector, sectorBytes } from './flash.ts';
import type { BuildFacts, ModelDevice } from './model-device.ts';
import type { EbootCommand } from './updater.ts';

/** State of a device after it accepted an update and restarted. The address of a sector is its number multiplied by 4096. */
export type ModelVerdict =
  /** The device runs the new sketch, or has the new filesystem. */
  | { readonly outcome: 'updated' }
  /** The flash was not updated; the device keeps its current sketch or filesystem. */
  | { readonly outcome: 'kept'; readonly why: KeptReason }
  /** The device runs, but flash content is lost, starting at `sector`. */
  | { readonly outcome: 'damaged'; readonly why: DamageReason; readonly sector: number }
  /** The device does not start. `sector` is the first sector with wrong content, if known. */
  | { readonly outcome: 'bricked'; readonly why: BrickReason; readonly sector: number | undefined };

type KeptReason = 'nothing-to-copy' | 'copy-refused';
type DamageReason = 'filesystem-overwritten' | 'beyond-filesystem' | 'filesystem-differs';
/** `compare-failed`: core 2.7.2 hangs until a power cycle, but the new sketch is in place. All other reasons require flashing over serial. */
type BrickReason =
  | 'input-overwritten'
  | 'deflate-broken'
  | 'size-word-wrong'
  | 'content-differs'
  | 'not-loadable'
  | 'compare-failed';

/** eboot command and the result of running it. */
export interface Copy {
  readonly command: EbootCommand;
  readonly run: CopyRun;
}

interface Expectations {
  readonly expected?: Uint8Array | undefined;
  readonly next?: Partial<BuildFacts> | undefined;
}

/** Determines the result of a sketch update and returns the device with the facts of its new sketch. */
export function sketchUpdateVerdict(
  device: ModelDevice,
  copy: Copy,
  sent: Uint8Array,
  { expected, next }: Expectations,
): ModelVerdict & { readonly device: ModelDevice } {
  const verdict = sketchVerdict(device, copy, sent, expected);
  const isReplaced = verdict.outcome !== 'bricked' && copy.run.touchedBytes > 0;
  return { ...verdict, device: isReplaced ? withNewSketch(device, next) : device };
}

/**
 * Determines the result of a filesystem update.
 *
 * @param copy eboot command; undefined if the Updater wrote the filesystem in place
 */
export function filesystemVerdict(
  device: ModelDevice,
  copy: Copy | undefined,
  sent: Uint8Array,
  expected: Uint8Array | undefined,
): ModelVerdict {
  const kept = copy === undefined ? undefined : keptReason(copy.run);
  if (kept !== undefined) return { outcome: 'kept', why: kept };
  const end = device.fsStart + (copy?.run.touchedBytes ?? roundUpToSector(sent.length));
  if (end > device.fsEnd) return { outcome: 'damaged', why: 'beyond-filesystem', sector: device.fsEnd / sectorBytes };
  const offset = expected === undefined ? undefined : firstDifference(device.flash, device.fsStart, expected);
  const isBroken = copy !== undefined && copy.run.code !== copyCodes.copied;
  if (offset === undefined && !isBroken) return { outcome: 'updated' };
  return { outcome: 'damaged', why: 'filesystem-differs', sector: sectorOf(device.fsStart + (offset ?? 0)) };
}

function sketchVerdict(
  device: ModelDevice,
  copy: Copy,
  sent: Uint8Array,
  expected: Uint8Array | undefined,
): ModelVerdict {
  const { command, run } = copy;
  const lostFrom = Math.max(run.touchedBytes, command.source + roundUpToSector(sent.length));
  const damage: ModelVerdict | undefined =
    lostFrom > device.fsStart
      ? { outcome: 'damaged', why: 'filesystem-overwritten', sector: sectorOf(device.fsStart) }
      : undefined;
  const kept = keptReason(run);
  if (kept !== undefined) return damage ?? { outcome: 'kept', why: kept };
  const wanted = expected === undefined ? undefined : asInFlash(expected, sent, device);
  const offset = wanted === undefined ? undefined : firstDifference(device.flash, 0, wanted);
  if (offset !== undefined) return bricked(run, wanted, offset);
  if (wanted === undefined && !isLoadable(device.flash)) return bricked(run, undefined, undefined);
  if (device.capabilities.comparesAfterCopy && run.code !== copyCodes.copied) {
    return { outcome: 'bricked', why: 'compare-failed', sector: undefined };
  }
  return damage ?? { outcome: 'updated' };
}

/** Returns the reason why eboot kept the old content, or undefined if eboot erased anything. */
function keptReason(run: CopyRun): KeptReason | undefined {
  if (run.touchedBytes > 0) return undefined;
  return run.code === copyCodes.copied ? 'nothing-to-copy' : 'copy-refused';
}

function bricked(run: CopyRun, wanted: Uint8Array | undefined, offset: number | undefined): ModelVerdict {
  const sector = run.overwrittenSector ?? (offset === undefined ? undefined : sectorOf(offset));
  return { outcome: 'bricked', why: brickReason(run, wanted), sector };
}

function brickReason(run: CopyRun, wanted: Uint8Array | undefined): BrickReason {
  if (run.overwrittenSector !== undefined) return 'input-overwritten';
  if (run.code === copyCodes.badDeflate) return 'deflate-broken';
  if (wanted === undefined) return 'not-loadable';
  return roundUpToSector(run.wantedBytes) === roundUpToSector(wanted.length) ? 'content-differs' : 'size-word-wrong';
}

/** Returns the expected image with the flash mode that the Updater writes into uncompressed images. */
function asInFlash(expected: Uint8Array, sent: Uint8Array, device: ModelDevice): Uint8Array {
  if (sent[0] === 0x1f || device.capabilities.patchesFlashMode === 'never') return expected;
  const patched = expected.slice();
  patched.set([flashModes.indexOf(device.flashMode)], 2);
  return patched;
}

/**
 * Returns true if the boot ROM can load eboot and eboot can load the application. A device verifies only eboot's checksum. The model also
 * verifies the application's checksum, because a mismatch shows that the application is damaged.
 */
function isLoadable(flash: Uint8Array): boolean {
  const sketch = readSketchImage(flash).value;
  return sketch?.eboot.checksum?.matches === true && sketch.application?.checksum?.matches === true;
}

function withNewSketch(device: ModelDevice, next: Partial<BuildFacts> | undefined): ModelDevice {
  const { flash } = device;
  return {
    ...device,
    ...next,
    flashMode: flashModes[flash[2] ?? 0xff] ?? device.flashMode,
    sketchSizeBytes: readSketchImage(flash).value?.sketchSizeBytes ?? device.sketchSizeBytes,
  };
}

function firstDifference(flash: Uint8Array, address: number, expected: Uint8Array): number | undefined {
  const actual = flash.subarray(address, address + expected.length);
  if (Buffer.compare(actual, expected) === 0) return undefined;
  const index = expected.findIndex((byte, at) => actual[at] !== byte);
  return index === -1 ? actual.length : index;
}

function sectorOf(address: number): number {
  return Math.floor(address / sectorBytes);
}
