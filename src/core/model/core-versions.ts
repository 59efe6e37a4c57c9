/**
 * esp8266/Arduino releases by git hash: the first eight hex digits of the commit that each release tag points to. The core stores these
 * digits as the 32-bit word `core_version` (`core_esp8266_version.cpp`, `ARDUINO_ESP8266_GIT_VER`), which eboot prints at boot
 * (`print_version` in `eboot.c`).
 *
 * Add one line for each new core release.
 */
const releasesByGitHash: ReadonlyMap<string, string> = new Map([
  ['16a2cdcf', '2.0.0-rc1'],
  ['866921c5', '2.0.0-rc2'],
  ['c10a19e0', '2.0.0'],
  ['43a55bd4', '2.1.0-rc1'],
  ['52112500', '2.1.0-rc2'],
  ['5ab63dcf', '2.1.0'],
  ['d7ce823f', '2.2.0-rc1'],
  ['de3058fc', '2.2.0'],
  ['0cd82db4', '2.3.0-rc1'],
  ['e64e32b3', '2.3.0-rc2'],
  ['09826c6d', '2.3.0'],
  ['f6d232f1', '2.4.0-rc1'],
  ['0c897c37', '2.4.0-rc2'],
  ['4ceabea9', '2.4.0'],
  ['614f7c32', '2.4.1'],
  ['bb28d4a3', '2.4.2'],
  ['9c1e03a1', '2.5.0-beta1'],
  ['0fd86a07', '2.5.0-beta2'],
  ['21db8fc9', '2.5.0-beta3'],
  ['951aeffa', '2.5.0'],
  ['ac02aff5', '2.5.1'],
  ['8b899c12', '2.5.2'],
  ['643ec203', '2.6.0'],
  ['482516e3', '2.6.1'],
  ['bc204a9b', '2.6.2'],
  ['3d128e5c', '2.6.3'],
  ['9c56ed1f', '2.7.0'],
  ['a5432625', '2.7.1'],
  ['39c79d9b', '2.7.2'],
  ['5d3af165', '2.7.3'],
  ['2843a5ac', '2.7.4'],
  ['efb0341a', '3.0.0'],
  ['cbf44fb3', '3.0.1'],
  ['cf6ff4c4', '3.0.2'],
  ['8ae300d4', '3.1.0'],
  ['0e5d358c', '3.1.1'],
  ['210897ef', '3.1.2'],
]);

/** All releases and pre-releases of the core, in order. */
export const coreReleases: readonly string[] = [...releasesByGitHash.values()];

/** Returns the core release with this git hash (eight lower-case hex digits), such as `3.1.2`. Returns undefined for all other builds. */
export function coreReleaseOf(gitHash: string): string | undefined {
  return releasesByGitHash.get(gitHash);
}
