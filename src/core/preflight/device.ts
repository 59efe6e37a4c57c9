import { type CoreHabits, coreHabits } from '../device-model/cores.ts';
import { roundUpToSector } from '../device-model/flash.ts';
import { announcedSize, freeSketchSpace, type StagingArea, type Transport } from '../device-model/staging.ts';
import { sketchAreaByHeaders } from '../firmware/flash-layout.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import type { DeviceFacts } from '../model/device-facts.ts';

/** What is known of a device, and what follows from its core. */
export interface Device {
  readonly facts: DeviceFacts;
  /** Undefined where the core is not known, or is none of the releases that are. */
  readonly habits: CoreHabits | undefined;
}

export function knownDevice(facts: DeviceFacts): Device {
  return { facts, habits: coreHabits(facts.core) };
}

/** The transports that the update may take: all of them where that is not known. */
export function possibleTransports({ facts }: Device): readonly Transport[] {
  return facts.transport === undefined ? ['espota', 'http', 'web'] : [facts.transport];
}

/** The signatures that it understands, if it verifies any. */
export function expectedFormat({ facts, habits }: Device): SignatureFormat | undefined {
  if (facts.format !== undefined) return facts.format;
  return habits === undefined || habits.signing === 'none' ? undefined : habits.signing;
}

/** Whether filesystems are staged before they are put in place; undefined where that is not known. */
export function stagesFilesystems({ facts, habits }: Device): boolean | undefined {
  if (facts.atomicFs === false || habits?.atomicFilesystem === false) return false;
  return facts.atomicFs === true && habits !== undefined ? true : undefined;
}

/** Whether its layout has a filesystem at all; where only its start is known, by the layouts of the core that begin there. */
export function hasFilesystem({ facts }: Device): boolean | undefined {
  const { fsStart, fsEnd, chipSizeBytes, core } = facts;
  if (fsStart === undefined) return undefined;
  if (fsEnd !== undefined) return fsEnd > fsStart;
  const area = sketchAreaByHeaders({ freeSpaceBytes: fsStart, sketchSizeBytes: 0, chipSizeBytes }, core);
  const candidates = area?.candidates ?? [];
  if (candidates.length === 0) return undefined;
  return candidates.every((layout) => layout.fsEnd === layout.fsStart) ? false : undefined;
}

/** What a filesystem can take; undefined where that is not known. */
export function partitionBytes({ facts }: Device): number | undefined {
  return facts.fsStart === undefined || facts.fsEnd === undefined ? undefined : facts.fsEnd - facts.fsStart;
}

/** From the end of the present sketch to the filesystem; undefined where that is not known. */
export function freeBytes({ facts }: Device): number | undefined {
  const { fsStart, sketchSizeBytes } = facts;
  return fsStart === undefined || sketchSizeBytes === undefined
    ? undefined
    : Math.max(0, freeSketchSpace({ fsStart, sketchSizeBytes }));
}

/** What one transport can stage: the web updater keeps a sector free (`ESP8266HTTPUpdateServer-impl.h`). */
export function sketchCapacity(device: Device, transport: Transport): number | undefined {
  const area = sketchArea(device);
  const free = freeBytes(device);
  if (area === undefined || free === undefined || transport !== 'web') return free;
  const announced = announcedSize(area, 'web', 'sketch', 0);
  // With less than a sector free the subtraction wraps around, and nothing fits.
  return announced > free ? 0 : announced;
}

/** Where a sketch of this size is staged; undefined where that is not known. */
export function sketchStaging(device: Device, transport: Transport, sizeBytes: number): number | undefined {
  const { fsStart } = device.facts;
  if (fsStart === undefined) return undefined;
  if (transport !== 'web') return fsStart - roundUpToSector(sizeBytes);
  const capacity = sketchCapacity(device, 'web');
  return capacity === undefined ? undefined : fsStart - capacity;
}

function sketchArea({ facts }: Device): StagingArea | undefined {
  const { fsStart, sketchSizeBytes } = facts;
  if (fsStart === undefined || sketchSizeBytes === undefined) return undefined;
  const habits = { wrapsTooLargeSize: false, boundsFilesystem: true, atomicFilesystem: true };
  return { habits, fsStart, fsEnd: facts.fsEnd ?? fsStart, sketchSizeBytes, atomicFs: false };
}
