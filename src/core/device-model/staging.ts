import type { ImageKind } from '../model/artifact.ts';
import type { CoreHabits } from './cores.ts';
import { roundUpToSector, sectorBytes } from './flash.ts';

/** How the bytes come to the device: ArduinoOTA, ESP8266httpUpdate, ESP8266HTTPUpdateServer. */
export type Transport = 'espota' | 'http' | 'web';

/** What of a device decides where an update is staged. */
export interface StagingArea {
  readonly habits: Pick<CoreHabits, 'wrapsTooLargeSize' | 'boundsFilesystem' | 'atomicFilesystem'>;
  readonly sketchSizeBytes: number;
  readonly fsStart: number;
  readonly fsEnd: number;
  readonly atomicFs: boolean;
}

/** fits: the first byte goes to `address`. no-space: `missingBytes` (whole sectors) too many, which is ERROR 4. */
export type Staging =
  | { readonly outcome: 'fits'; readonly address: number }
  | { readonly outcome: 'no-space'; readonly missingBytes: number };

/**
 * Where `UpdaterClass::begin` (Updater.cpp) stages an update of this size: a sketch, and the filesystem of a device with
 * ATOMIC_FS_UPDATE, right below the filesystem; any other filesystem in its own place.
 *
 * @param sizeBytes what the transport announces, see `announcedSize`
 */
export function stagingFor(area: StagingArea, kind: ImageKind, sizeBytes: number): Staging {
  if (kind === 'sketch') return stageBelowFilesystem(area, sizeBytes);
  const excess = roundUpToSector(sizeBytes) - (area.fsEnd - area.fsStart);
  if (area.habits.boundsFilesystem && excess > 0) return { outcome: 'no-space', missingBytes: excess };
  if (isAtomic(area)) return stageBelowFilesystem(area, sizeBytes);
  return { outcome: 'fits', address: area.fsStart };
}

/** Whether filesystems are staged and copied by eboot, rather than written in place as they arrive. */
export function isAtomic(area: Pick<StagingArea, 'atomicFs' | 'habits'>): boolean {
  return area.atomicFs && area.habits.atomicFilesystem;
}

/**
 * The size that a transport gives to `begin`: the exact one, but the web updater, which learns it only at the end, asks for
 * all there is (ESP8266HTTPUpdateServer-impl.h, UPLOAD_FILE_START), so that it stages low.
 */
export function announcedSize(area: StagingArea, transport: Transport, kind: ImageKind, sizeBytes: number): number {
  if (transport !== 'web') return sizeBytes;
  if (kind === 'filesystem') return area.fsEnd - area.fsStart;
  // An unsigned subtraction and a mask: with less than a sector free it wraps around to nearly 4 GB, which never fits.
  return ((freeSketchSpace(area) - sectorBytes) & 0xfffff000) >>> 0;
}

/** `EspClass::getFreeSketchSpace` (Esp.cpp): from the end of the running sketch to the filesystem. */
export function freeSketchSpace(area: Pick<StagingArea, 'fsStart' | 'sketchSizeBytes'>): number {
  return area.fsStart - roundUpToSector(area.sketchSizeBytes);
}

function stageBelowFilesystem(area: StagingArea, sizeBytes: number): Staging {
  const address = area.fsStart - roundUpToSector(sizeBytes);
  const missingBytes = roundUpToSector(sizeBytes) - freeSketchSpace(area);
  if (missingBytes <= 0) return { outcome: 'fits', address };
  if (address < 0 && area.habits.wrapsTooLargeSize) return { outcome: 'fits', address: address >>> 0 };
  return { outcome: 'no-space', missingBytes };
}
