/**
 * Update-related capabilities of each esp8266/Arduino release: one line per capability, with the upstream file, function and issue that
 * document it. Each value is listed with the first release that has it.
 *
 * A device has the capabilities of the core that its *running* sketch was built with: the Updater is part of that sketch, and eboot is the
 * first sector of its image.
 */

/** Oldest release in this table; it has the first value listed for each capability. */
const oldest = '2.4.0';

/** Placeholder for the release after 3.1.2: merged upstream, but not released yet. */
const unreleased = '3.1.3';

interface Capability<Value> {
  readonly source: string;
  readonly values: readonly (readonly [from: string, value: Value])[];
}

/** `#6820` is issue or pull request 6820 of esp8266/Arduino. */
const capabilities = {
  // Features.
  gzip: since('2.7.0', 'Updater.cpp _verifyHeader, _verifyEnd; eboot.c copy_raw #6820'),
  signing: steps('Updater.cpp end #5213, #6250', [oldest, 'none'], ['2.5.0', 'legacy'], ['2.6.0', 'current']),
  atomicFilesystem: since('2.6.0', 'Updater.cpp begin, ATOMIC_FS_UPDATE #6505'),
  flashMap: since('3.1.0', 'Updater.cpp _verifyEnd, FLASH_MAP_SUPPORT #6690'),

  // begin: a negative start address wraps around; a filesystem is limited to its partition size; a leftover MD5 is cleared.
  wrapsTooLargeSize: until('2.4.2', 'Updater.cpp begin #4550'),
  boundsFilesystem: since('2.6.0', 'Updater.cpp begin #6505'),
  clearsOldMd5: since('3.0.0', 'Updater.cpp begin #7524, #7534'),

  // write: byte 2 is replaced with the flash mode of the device, originally even in filesystem images.
  patchesFlashMode: steps(
    'Updater.cpp _writeBuffer #4877, #6880, #6891',
    [oldest, 'never'],
    ['2.4.2', 'always'],
    ['2.6.3', 'sketch'],
  ),

  // end: empty updates are rejected; signature verification crashes on the small stack; flashRead rejects a last chunk with an unaligned
  // length, so stale buffer content is hashed; the size passed to eboot excludes the signature.
  refusesEmpty: since('3.0.0', 'Updater.cpp end, UPDATE_ERROR_NO_DATA #7729'),
  crashesOnBadSignature: within('2.5.0', '2.7.0', 'Updater.cpp end #7145, #7149'),
  skipsUnalignedTail: within('3.1.0', unreleased, 'Esp.cpp flashRead, Updater.cpp end #9109'),
  cutsTrailerOff: since('3.0.0', 'Updater.cpp end #7570, #7577'),
  errorTexts: steps('Updater.cpp printError, getErrorString', [oldest, '2.4'], ['2.5.0', '2.5'], ['3.1.0', '3.1']),

  // eboot: a sector is erased before or after inflating; an identical sector 0 is kept; the copy can break its own comparison; XMC flash
  // hangs.
  erasesBeforeInflating: until('3.0.0', 'eboot.c copy_raw #7547'),
  keepsEqualBootSector: since('3.0.0', 'eboot.c copy_raw #7547'),
  comparesAfterCopy: within('2.7.2', '2.7.3', 'eboot.c main #7317, #7458, #7468'),
  hangsOnXmcFlash: within('2.7.0', '2.7.1', 'eboot.c main #7267, #7277'),

  // CRC stored in images.
  imageCrc: steps('elf2bin.py add_crc', [oldest, 'none'], ['2.7.0', 'eboot-page'], ['3.0.0', 'application']),

  // HTTP client requests: the x-ESP8266-Chip-ID header, and the value `version` for x-ESP8266-mode.
  sendsChipId: since('2.6.0', 'ESP8266httpUpdate.cpp handleUpdate'),
  requestsVersion: since(unreleased, 'ESP8266httpUpdate.cpp'),
} as const;

export type CapabilityName = keyof typeof capabilities;

/** Capabilities of one core release, keyed by name. */
export type CoreCapabilities = {
  readonly [Name in CapabilityName]: (typeof capabilities)[Name] extends Capability<infer Value> ? Value : never;
};

/**
 * Returns the capabilities of a release such as `2.7.4`. Releases newer than this table are treated like the newest release in it.
 *
 * @returns undefined if the capabilities are unknown: no version, a version before 2.4.0, a pre-release or a build from git. An unknown
 *   version is never treated as the newest.
 */
export function coreCapabilities(version: string | undefined): CoreCapabilities | undefined {
  if (version === undefined || !isRelease(version) || compareReleases(version, oldest) < 0) return undefined;
  const entries = Object.entries<Capability<unknown>>(capabilities).map(([name, { values }]) => [
    name,
    valueAt(values, version),
  ]);
  // Object.fromEntries loses the key types. Every name comes from the table and has one of the values listed for it.
  return Object.fromEntries(entries) as CoreCapabilities;
}

/** Returns the upstream source of a capability: file, function and issues such as `esp8266/Arduino#6820`. */
export function capabilitySource(name: CapabilityName): string {
  return capabilities[name].source.replaceAll('#', 'esp8266/Arduino#');
}

/** Compares releases `major.minor.patch`: negative if `a` is older than `b`, 0 if equal, positive if `a` is newer. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [releaseParts(a), releaseParts(b)];
  for (const [index, part] of left.entries()) {
    const difference = part - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function since(release: string, source: string): Capability<boolean> {
  return steps(source, [oldest, false], [release, true]);
}

function until(release: string, source: string): Capability<boolean> {
  return steps(source, [oldest, true], [release, false]);
}

/** Defines a capability that releases have from `from` up to, but not including, `to`. */
function within(from: string, to: string, source: string): Capability<boolean> {
  return steps(source, [oldest, false], [from, true], [to, false]);
}

function steps<const Value>(source: string, ...values: (readonly [from: string, value: Value])[]): Capability<Value> {
  return { source, values };
}

function valueAt(values: readonly (readonly [from: string, value: unknown])[], version: string): unknown {
  return values.findLast(([from]) => compareReleases(from, version) <= 0)?.[1];
}

function isRelease(version: string): boolean {
  return /^\d{1,4}\.\d{1,4}\.\d{1,4}$/.test(version);
}

function releaseParts(release: string): readonly number[] {
  return release.split('.').map(Number);
}
