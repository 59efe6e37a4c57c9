/**
 * What each release of esp8266/Arduino can and does when it is updated: one habit, one line, with the upstream file, the
 * function and the issue that tell of it. A habit lists its values by the first release that has them.
 *
 * A device runs the habits of the core that its *present* sketch was built with: the Updater is part of that sketch, and
 * eboot is the first sector of its image.
 */

/** The oldest release that this table speaks of; the first value of each habit is its. */
const oldest = '2.4.0';

/** Stands for "after 3.1.2": merged upstream, and in no release yet. */
const unreleased = '3.1.3';

interface Habit<Value> {
  readonly source: string;
  readonly values: readonly (readonly [from: string, value: Value])[];
}

/** Adding a habit is adding a line. `#6820` is issue or pull request 6820 of esp8266/Arduino. */
const habits = {
  // What it understands.
  gzip: since('2.7.0', 'Updater.cpp _verifyHeader, _verifyEnd; eboot.c copy_raw #6820'),
  signing: steps('Updater.cpp end #5213, #6250', [oldest, 'none'], ['2.5.0', 'legacy'], ['2.6.0', 'current']),
  atomicFilesystem: since('2.6.0', 'Updater.cpp begin, ATOMIC_FS_UPDATE #6505'),
  flashMap: since('3.1.0', 'Updater.cpp _verifyEnd, FLASH_MAP_SUPPORT #6690'),

  // begin: a start below zero wraps around; a filesystem may be larger than its partition; an old MD5 is kept.
  wrapsTooLargeSize: until('2.4.2', 'Updater.cpp begin #4550'),
  boundsFilesystem: since('2.6.0', 'Updater.cpp begin #6505'),
  forgetsOldMd5: since('3.0.0', 'Updater.cpp begin #7524, #7534'),

  // write: into byte 2 goes the flash mode that the device runs with, at first even that of filesystems.
  patchesFlashMode: steps(
    'Updater.cpp _writeBuffer #4877, #6880, #6891',
    [oldest, 'never'],
    ['2.4.2', 'always'],
    ['2.6.3', 'sketch'],
  ),

  // end: no data at all; a signature on the small stack; a last piece that flashRead refuses for its odd length, so that
  // what was in the buffer is hashed; the size with the signature that eboot is told.
  refusesEmpty: since('3.0.0', 'Updater.cpp end, UPDATE_ERROR_NO_DATA #7729'),
  crashesOnBadSignature: within('2.5.0', '2.7.0', 'Updater.cpp end #7145, #7149'),
  skipsUnalignedTail: within('3.1.0', unreleased, 'Esp.cpp flashRead, Updater.cpp end #9109'),
  cutsTrailerOff: since('3.0.0', 'Updater.cpp end #7570, #7577'),
  errorTexts: steps('Updater.cpp printError, getErrorString', [oldest, '2.4'], ['2.5.0', '2.5'], ['3.1.0', '3.1']),

  // eboot: when it erases, an unchanged sector 0, and the comparison that the copy itself can spoil.
  erasesBeforeInflating: until('3.0.0', 'eboot.c copy_raw #7547'),
  keepsEqualBootSector: since('3.0.0', 'eboot.c copy_raw #7547'),
  comparesAfterCopy: within('2.7.2', '2.7.3', 'eboot.c main #7317, #7458, #7468'),
  hangsOnXmcFlash: within('2.7.0', '2.7.1', 'eboot.c main #7267, #7277'),

  // What its images store of themselves.
  imageCrc: steps('elf2bin.py add_crc', [oldest, 'none'], ['2.7.0', 'eboot-page'], ['3.0.0', 'application']),

  // What its HTTP client says: x-ESP8266-Chip-ID, and x-ESP8266-mode version.
  sendsChipId: since('2.6.0', 'ESP8266httpUpdate.cpp handleUpdate'),
  asksForVersion: since(unreleased, 'ESP8266httpUpdate.cpp'),
} as const;

export type HabitName = keyof typeof habits;

/** The habits of one release, each by its name. */
export type CoreHabits = {
  readonly [Name in HabitName]: (typeof habits)[Name] extends Habit<infer Value> ? Value : never;
};

/**
 * The habits of a release such as `2.7.4`.
 *
 * @returns undefined where they are not known: no version, a version before 2.4.0, a pre-release, a build from git. Unknown
 *   never means "the newest". A release newer than this table has the habits of the newest.
 */
export function coreHabits(version: string | undefined): CoreHabits | undefined {
  if (version === undefined || !isRelease(version) || compareReleases(version, oldest) < 0) return undefined;
  const entries = Object.entries<Habit<unknown>>(habits).map(([name, { values }]) => [name, valueAt(values, version)]);
  // fromEntries forgets the names; they are those of the table, each with one of its own values.
  return Object.fromEntries(entries) as CoreHabits;
}

/** Where upstream shows the habit: file, function, issues such as `esp8266/Arduino#6820`. */
export function habitSource(name: HabitName): string {
  return habits[name].source.replaceAll('#', 'esp8266/Arduino#');
}

/** Negative when release `a` is older than `b`, 0 for the same, positive when it is newer. Both are `major.minor.patch`. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [releaseParts(a), releaseParts(b)];
  for (const [index, part] of left.entries()) {
    const difference = part - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function since(release: string, source: string): Habit<boolean> {
  return steps(source, [oldest, false], [release, true]);
}

function until(release: string, source: string): Habit<boolean> {
  return steps(source, [oldest, true], [release, false]);
}

/** From the first release on, and no longer in the second. */
function within(from: string, to: string, source: string): Habit<boolean> {
  return steps(source, [oldest, false], [from, true], [to, false]);
}

function steps<const Value>(source: string, ...values: (readonly [from: string, value: Value])[]): Habit<Value> {
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
