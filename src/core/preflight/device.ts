import { type CoreCapabilities, coreCapabilities } from '../device-model/cores.ts';
import { roundUpToSector } from '../device-model/flash.ts';
import { announcedSize, freeSketchSpace, type StagingArea, type Transport } from '../device-model/staging.ts';
import { sketchAreaByHeaders } from '../firmware/flash-layout.ts';
import type { SignatureFormat } from '../model/artifact.ts';
import { readCoreName } from '../model/core-name.ts';
import type { DeviceFacts } from '../model/device-facts.ts';

/** Known facts about a device, and the capabilities of the device's core. */
export interface Device {
  readonly facts: DeviceFacts;
  /** Release whose capabilities the core has, such as `2.7.4` for core `v2.7.4` or `2.7.4.9`; undefined if unknown. */
  readonly release: string | undefined;
  /** Capabilities of the core; undefined if the core release is not recognized. */
  readonly capabilities: CoreCapabilities | undefined;
}

export function knownDevice(facts: DeviceFacts): Device {
  const release = facts.core === undefined ? undefined : readCoreName(facts.core)?.release;
  return { facts, release, capabilities: coreCapabilities(facts.core) };
}

/** Returns true if the device passes a signed update to eboot without its signature. Returns undefined if unknown. */
export function cutsSignatureOff({ facts, capabilities }: Device): boolean | undefined {
  return facts.guard === undefined ? capabilities?.cutsTrailerOff : true;
}

/** Returns the possible transports of the update. If the transport is unknown, returns all transports. */
export function possibleTransports({ facts }: Device): readonly Transport[] {
  return facts.transport === undefined ? ['espota', 'http', 'web'] : [facts.transport];
}

/**
 * Returns the signature format that the device can verify. Returns undefined if the format is unknown or the device cannot verify
 * signatures.
 */
export function expectedFormat({ facts, capabilities }: Device): SignatureFormat | undefined {
  if (facts.format !== undefined) return facts.format;
  return capabilities === undefined || capabilities.signing === 'none' ? undefined : capabilities.signing;
}

/** Returns true if the device stages filesystem images before eboot copies them. Returns undefined if unknown. */
export function stagesFilesystems({ facts, capabilities }: Device): boolean | undefined {
  if (facts.atomicFs === false || capabilities?.atomicFilesystem === false) return false;
  return facts.atomicFs === true && capabilities !== undefined ? true : undefined;
}

/**
 * Returns true if the flash layout has a filesystem, and undefined if unknown. Without `fsEnd`, the core's layouts with the same start
 * are examined.
 */
export function hasFilesystem({ facts }: Device): boolean | undefined {
  const { fsStart, fsEnd, chipSizeBytes, core } = facts;
  if (fsStart === undefined) return undefined;
  if (fsEnd !== undefined) return fsEnd > fsStart;
  const area = sketchAreaByHeaders({ freeSpaceBytes: fsStart, sketchSizeBytes: 0, chipSizeBytes }, core);
  const candidates = area?.candidates ?? [];
  if (candidates.length === 0) return undefined;
  return candidates.every((layout) => layout.fsEnd === layout.fsStart) ? false : undefined;
}

/** Returns the size of the filesystem partition in bytes, or undefined if unknown. */
export function partitionBytes({ facts }: Device): number | undefined {
  return facts.fsStart === undefined || facts.fsEnd === undefined ? undefined : facts.fsEnd - facts.fsStart;
}

/** Returns the number of free bytes between the running sketch and the filesystem; undefined if unknown. */
export function freeBytes({ facts }: Device): number | undefined {
  const { fsStart, sketchSizeBytes } = facts;
  return fsStart === undefined || sketchSizeBytes === undefined
    ? undefined
    : Math.max(0, freeSketchSpace({ fsStart, sketchSizeBytes }));
}

/** Returns the number of bytes that a transport can stage. The web updater keeps one sector free (`ESP8266HTTPUpdateServer-impl.h`). */
export function sketchCapacity(device: Device, transport: Transport): number | undefined {
  const area = sketchArea(device);
  const free = freeBytes(device);
  if (area === undefined || free === undefined || transport !== 'web') return free;
  const announced = announcedSize(area, 'web', 'sketch', 0);
  // If less than a sector is free, the subtraction on the device wraps around, and every update is rejected.
  return announced > free ? 0 : announced;
}

/** Returns the flash address at which a sketch of this size would be staged; undefined if unknown. */
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
  const capabilities = { wrapsTooLargeSize: false, boundsFilesystem: true, atomicFilesystem: true };
  return { capabilities, fsStart, fsEnd: facts.fsEnd ?? fsStart, sketchSizeBytes, atomicFs: false };
}
