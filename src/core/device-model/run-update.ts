import type { DeviceError } from './device-error.ts';
import { runEboot } from './eboot.ts';
import { judgeFilesystem, judgeSketch, type Verdict } from './judge.ts';
import { type Delivery, deliver } from './transports.ts';
import type { EndResult } from './updater.ts';
import type { BuildFacts, VirtualDevice } from './virtual-device.ts';

export interface UpdateOptions extends Delivery {
  /** The image that the update is meant to leave in flash. Without it, a sketch is judged by whether it can be loaded. */
  readonly expected?: Uint8Array | undefined;
  /** How the new sketch was built, where that differs from the present one: the device has these facts afterwards. */
  readonly next?: Partial<BuildFacts> | undefined;
}

/**
 * What became of the device; `device` has its facts and its flash as they are afterwards.
 *
 * - updated, kept, damaged, bricked: it said OK, and then see `Verdict`;
 * - rejected: it said why not, and goes on as before, though a filesystem that is written in place is lost by then;
 * - crashed: it restarted without a word, with its present sketch.
 */
export type UpdateResult =
  | (Verdict & { readonly device: VirtualDevice })
  | { readonly outcome: 'rejected'; readonly error: DeviceError; readonly device: VirtualDevice }
  | { readonly outcome: 'crashed'; readonly device: VirtualDevice };

/**
 * One update from the first byte to the restart: the transport's library, the Updater, eboot.
 *
 * @param device is left as it is; results have a flash of their own
 * @param bytes as they are sent, the signature included
 */
export function runUpdate(device: VirtualDevice, bytes: Uint8Array, options: UpdateOptions): UpdateResult {
  const owned = { ...device, flash: device.flash.slice() };
  return restart(deliver(owned, bytes, options), bytes, options);
}

/**
 * What comes after `endUpdate`: the restart, eboot and the verdict on it.
 *
 * @param end its flash is taken over
 */
export function restart(end: EndResult, bytes: Uint8Array, options: UpdateOptions): UpdateResult {
  const device: VirtualDevice = { ...end.device, leftoverMd5: undefined };
  switch (end.outcome) {
    case 'rejected':
      return end;
    case 'crashed':
      return { outcome: 'crashed', device };
    case 'written':
      return { ...judgeFilesystem(device, undefined, bytes, options.expected), device };
    case 'staged': {
      const copy = { command: end.command, run: runEboot(device.flash, end.command, device.habits) };
      if (options.kind === 'filesystem') return { ...judgeFilesystem(device, copy, bytes, options.expected), device };
      return judgeSketch(device, copy, bytes, options);
    }
  }
}
