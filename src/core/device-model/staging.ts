import type { ImageKind } from '../model/artifact.ts';
import type { CoreCapabilities } from './cores.ts';
import { roundUpToSector, sectorBytes } from './flash.ts';

/** Transport of an update: ArduinoOTA (`espota`), ESP8266httpUpdate (`http`) or ESP8266HTTPUpdateServer (`web`). */
export type Transport = 'espota' | 'http' | 'web';

/** Device properties that determine where an update is staged. */
export interface StagingArea {
  readonly capabilities: Pick<CoreCapabilities, 'wrapsTooLargeSize' | 'boundsFilesystem' | 'atomicFilesystem'>;
  readonly sketchSizeBytes: number;
  readonly fsStart: number;
  readonly fsEnd: number;
  readonly atomicFs: boolean;
}

/**
 * Staging area for an update. `fits`: the first byte is written to `address`. `no-space`: `missingBytes` is the missing space, rounded up
 * to whole sectors, and the device reports ERROR 4.
 */
export type Staging =
  | { readonly outcome: 'fits'; readonly address: number }
  | { readonly outcome: 'no-space'; readonly missingBytes: number };

/**
 * Returns where `UpdaterClass::begin` (Updater.cpp) stages an update of this size. Sketches are staged directly below the filesystem. With
 * ATOMIC_FS_UPDATE, filesystem images are staged there too; otherwise they are written in place.
 *
 * @param sizeBytes size that the transport announces, see `announcedSize`
 */
export function stagingFor(area: StagingArea, kind: ImageKind, sizeBytes: number): Staging {
  if (kind === 'sketch') return stageBelowFilesystem(area, sizeBytes);
  const excess = roundUpToSector(sizeBytes) - (area.fsEnd - area.fsStart);
  if (area.capabilities.boundsFilesystem && excess > 0) return { outcome: 'no-space', missingBytes: excess };
  if (isAtomic(area)) return stageBelowFilesystem(area, sizeBytes);
  return { outcome: 'fits', address: area.fsStart };
}

/** Returns true if filesystem images are staged and then copied by eboot, instead of being written in place. */
export function isAtomic(area: Pick<StagingArea, 'atomicFs' | 'capabilities'>): boolean {
  return area.atomicFs && area.capabilities.atomicFilesystem;
}

/**
 * Returns the size that a transport passes to `begin`. The web updater passes all available space, because the size is unknown until the
 * upload ends (ESP8266HTTPUpdateServer-impl.h, UPLOAD_FILE_START). Other transports pass the exact size.
 */
export function announcedSize(area: StagingArea, transport: Transport, kind: ImageKind, sizeBytes: number): number {
  if (transport !== 'web') return sizeBytes;
  if (kind === 'filesystem') return area.fsEnd - area.fsStart;
  // The core subtracts unsigned numbers. If less than a sector is free, the result wraps around to nearly 4 GB, a size that never fits.
  return ((freeSketchSpace(area) - sectorBytes) & 0xfffff000) >>> 0;
}

/** Returns the number of free bytes between the running sketch and the filesystem, like `EspClass::getFreeSketchSpace` (Esp.cpp). */
export function freeSketchSpace(area: Pick<StagingArea, 'fsStart' | 'sketchSizeBytes'>): number {
  return area.fsStart - roundUpToSector(area.sketchSizeBytes);
}

function stageBelowFilesystem(area: StagingArea, sizeBytes: number): Staging {
  const address = area.fsStart - roundUpToSector(sizeBytes);
  const missingBytes = roundUpToSector(sizeBytes) - freeSketchSpace(area);
  if (missingBytes <= 0) return { outcome: 'fits', address };
  if (address < 0 && area.capabilities.wrapsTooLargeSize) return { outcome: 'fits', address: address >>> 0 };
  return { outcome: 'no-space', missingBytes };
}
