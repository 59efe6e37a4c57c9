import { runEboot } from './eboot.ts';
import type { BuildFacts, ModelDevice } from './model-device.ts';
import { type Delivery, deliver } from './transports.ts';
import type { EndResult, Rejection } from './updater.ts';
import { filesystemVerdict, type ModelVerdict, sketchUpdateVerdict } from './verdict.ts';

export interface UpdateOptions extends Delivery {
  /** Image expected in flash after the update. Without an expected image, a sketch only has to be loadable. */
  readonly expected?: Uint8Array | undefined;
  /** Build facts in which the new sketch differs from the running sketch. These facts apply after the update. */
  readonly next?: Partial<BuildFacts> | undefined;
}

/**
 * Result of an update; `device` has the facts and the flash content after the update.
 *
 * - updated, kept, damaged, bricked: the device reported OK, see `ModelVerdict`;
 * - rejected: the device reported an error and keeps its sketch, but a filesystem that was overwritten in place may be lost;
 * - crashed: the device restarted its current sketch without reporting an error.
 */
export type UpdateResult =
  | (ModelVerdict & { readonly device: ModelDevice })
  | Rejection
  | { readonly outcome: 'crashed'; readonly device: ModelDevice };

/**
 * Runs one update from the first byte to the restart: the transport library, the Updater, eboot.
 *
 * @param device device before the update; it is not modified
 * @param bytes bytes as sent, including the signature
 */
export function runUpdate(device: ModelDevice, bytes: Uint8Array, options: UpdateOptions): UpdateResult {
  const owned = { ...device, flash: device.flash.slice() };
  return restart(deliver(owned, bytes, options), bytes, options);
}

/**
 * Runs the steps after `endUpdate`: restarts the device, runs eboot and determines the result.
 *
 * @param end result of `endUpdate`, whose flash is modified
 */
export function restart(end: EndResult, bytes: Uint8Array, options: UpdateOptions): UpdateResult {
  const device: ModelDevice = { ...end.device, leftoverMd5: undefined };
  switch (end.outcome) {
    case 'rejected':
      return end;
    case 'crashed':
      return { outcome: 'crashed', device };
    case 'written':
      return { ...filesystemVerdict(device, undefined, bytes, options.expected), device };
    case 'staged': {
      const copy = { command: end.command, run: runEboot(device.flash, end.command, device.capabilities) };
      const isSketch = end.command.destination === 0;
      if (!isSketch) return { ...filesystemVerdict(device, copy, bytes, options.expected), device };
      // A filesystem image that an old web updater used as a sketch is not the expected sketch.
      const expected = options.kind === 'sketch' ? options.expected : undefined;
      return sketchUpdateVerdict(device, copy, bytes, { ...options, expected });
    }
  }
}
