import { compareReleases, readCoreName } from '../model/core-name.ts';

/**
 * Update-related capabilities of each esp8266/Arduino release. Each line documents one capability: the first release for each value, and
 * the upstream file, function and issue. A device has the capabilities of the core that its *running* sketch was built with, because the
 * sketch contains the Updater and its image starts with eboot.
 */

/** Oldest release in this table. Each capability has its first value in this release. */
const oldest = '2.0.0';

/** Placeholder for the release after 3.1.2, for changes that are merged upstream but not yet released. */
const unreleased = '3.1.3';

interface Capability<Value> {
  readonly source: string;
  readonly values: readonly (readonly [from: string, value: Value])[];
}

/** In upstream sources, `#6820` means issue or pull request 6820 of esp8266/Arduino. */
const capabilities = {
  // Optional features of a core release.
  gzip: since('2.7.0', 'Updater.cpp _verifyHeader, _verifyEnd; eboot.c copy_raw #6820'),
  signing: steps('Updater.cpp end #5213, #6250', [oldest, 'none'], ['2.5.0', 'legacy'], ['2.6.0', 'current']),
  atomicFilesystem: since('2.6.0', 'Updater.cpp begin, ATOMIC_FS_UPDATE #6505'),
  flashMap: since('3.1.0', 'Updater.cpp _verifyEnd, FLASH_MAP_SUPPORT #6690'),

  // Capabilities of `UpdaterClass::begin`: integer wraparound of the start address, the filesystem size limit, the comparison of flash sizes
  // and of the first byte of an image, and resetting the MD5.
  wrapsTooLargeSize: until('2.4.2', 'Updater.cpp begin #4550'),
  boundsFilesystem: since('2.6.0', 'Updater.cpp begin #6505'),
  checksHeader: since('2.1.0', 'Updater.cpp begin, _verifyEnd; ESP8266httpUpdate.cpp handleUpdate'),
  clearsOldMd5: since('3.0.0', 'Updater.cpp begin #7524, #7534'),

  // Capability of `UpdaterClass::write`: rejecting data that exceeds the announced size.
  boundsWrites: since('2.4.0', 'Updater.cpp write'),

  // Capability of `UpdaterClass::_writeBuffer`: overwriting byte 2 of an image with the flash mode of the device.
  patchesFlashMode: steps(
    'Updater.cpp _writeBuffer #4877, #6880, #6891',
    [oldest, 'never'],
    ['2.4.2', 'always'],
    ['2.6.3', 'sketch'],
  ),

  // Capabilities of `UpdaterClass::end`: empty updates, the signature check, and the size passed to eboot.
  refusesEmpty: since('3.0.0', 'Updater.cpp end, UPDATE_ERROR_NO_DATA #7729'),
  crashesOnBadSignature: within('2.5.0', '2.7.0', 'Updater.cpp end #7145, #7149'),
  skipsUnalignedTail: within('3.1.0', unreleased, 'Esp.cpp flashRead, Updater.cpp end #9109'),
  cutsTrailerOff: since('3.0.0', 'Updater.cpp end #7570, #7577'),
  errorTexts: steps('Updater.cpp printError, getErrorString', [oldest, '2.4'], ['2.5.0', '2.5'], ['3.1.0', '3.1']),

  // Capabilities of eboot: the order of erasing and inflating, unchanged boot sectors, verification of the copy, and XMC flash.
  erasesBeforeInflating: until('3.0.0', 'eboot.c copy_raw #7547'),
  keepsEqualBootSector: since('3.0.0', 'eboot.c copy_raw #7547'),
  comparesAfterCopy: within('2.7.2', '2.7.3', 'eboot.c main #7317, #7458, #7468'),
  hangsOnXmcFlash: within('2.7.0', '2.7.1', 'eboot.c main #7267, #7277'),

  // Capability of the LittleFS library: comparing the size in the superblock with the partition size.
  comparesLittleFsSize: since('3.1.1', 'lfs.c lfs_mount; LittleFS.h #8826'),

  // Location of the CRC in images.
  imageCrc: steps('elf2bin.py add_crc', [oldest, 'none'], ['2.7.0', 'eboot-page'], ['3.0.0', 'application']),

  // Capability of the web updater: the form field `filesystem`. Older web updaters use every file as a sketch.
  filesystemOverWeb: since('2.6.0', 'ESP8266HTTPUpdateServer-impl.h UPLOAD_FILE_START'),

  // Capability of ArduinoOTA: sending OK only after `UpdaterClass::begin`, and otherwise the error. Older cores send OK before it.
  reportsBeginError: since('2.4.0', 'ArduinoOTA.cpp _runUpdate'),

  // Capabilities of the HTTP client: the headers x-ESP8266-mode, x-ESP8266-sketch-md5 and x-ESP8266-Chip-ID, and the value `version` for
  // x-ESP8266-mode.
  sendsMode: since('2.1.0', 'ESP8266httpUpdate.cpp handleUpdate'),
  sendsSketchMd5: since('2.4.0', 'ESP8266httpUpdate.cpp handleUpdate'),
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
 * @returns undefined if the capabilities are unknown: without a version, or for a version before 2.0.0, a pre-release or a build from git
 */
export function coreCapabilities(version: string | undefined): CoreCapabilities | undefined {
  const release = version === undefined ? undefined : readCoreName(version)?.release;
  if (release === undefined) return undefined;
  return generations.findLast(({ from }) => compareReleases(from, release) <= 0)?.capabilities;
}

/** Returns the upstream source of a capability: file, function and issues such as `esp8266/Arduino#6820`. */
export function capabilitySource(name: CapabilityName): string {
  return capabilities[name].source.replaceAll('#', 'esp8266/Arduino#');
}

function since(release: string, source: string): Capability<boolean> {
  return steps(source, [oldest, false], [release, true]);
}

function until(release: string, source: string): Capability<boolean> {
  return steps(source, [oldest, true], [release, false]);
}

/** Defines a capability for releases from `from` up to, but not including, `to`. */
function within(from: string, to: string, source: string): Capability<boolean> {
  return steps(source, [oldest, false], [from, true], [to, false]);
}

function steps<const Value>(source: string, ...values: (readonly [from: string, value: Value])[]): Capability<Value> {
  return { source, values };
}

function valueAt(values: readonly (readonly [from: string, value: unknown])[], version: string): unknown {
  return values.findLast(([from]) => compareReleases(from, version) <= 0)?.[1];
}

/**
 * Releases that changed a capability, from the oldest, with the capabilities from there on. The rules look them up for each artifact and
 * device: finding each capability for each look-up took 5% of the CPU time of the core tests.
 */
const generations = [...new Set(Object.values(capabilities).flatMap(({ values }) => values.map(([from]) => from)))]
  .toSorted(compareReleases)
  .map((from) => ({ from, capabilities: capabilitiesFrom(from) }));

function capabilitiesFrom(release: string): CoreCapabilities {
  const entries = Object.entries<Capability<unknown>>(capabilities).map(([name, { values }]) => [
    name,
    valueAt(values, release),
  ]);
  // Object.fromEntries loses the key types. All names and values are from the table.
  return Object.fromEntries(entries) as CoreCapabilities;
}
