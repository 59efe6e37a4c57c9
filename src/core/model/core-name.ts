import { coreReleases } from './core-versions.ts';

/** Newest release of the core that the tables contain. */
const newest = '3.1.2';

/** Parsed name of a core; see {@link readCoreName}. */
export interface CoreName {
  /** Release whose capabilities the core has, such as `2.7.4`. Undefined if they are unknown, as for a pre-release or a build from git. */
  readonly release: string | undefined;
  /** True if the core is not the release itself, but based on it or newer than all known releases. */
  readonly isAssumed: boolean;
}

/**
 * Reads the name of a core. Accepts `3.1.2`, `v3.1.2`, `esp8266:3.1.2`, `esp8266:esp8266@3.1.2`, a fourth number as in `2.7.4.9` (Tasmota's
 * core, which is based on 2.7.4), pre-releases, builds from git (`3.1.2-4-g2843a5ac`) and `unknown`.
 *
 * @returns undefined if the name is not a core
 */
export function readCoreName(name: string): CoreName | undefined {
  const unknown: CoreName = { release: undefined, isAssumed: false };
  if (/^unknown$/i.test(name)) return unknown;
  const [, base, rest = ''] =
    /^(?:esp8266[:@])*v?(\d{1,4}\.\d{1,4}\.\d{1,4})(|(?:\.\d{1,6})+|-[\w.+-]+)$/i.exec(name) ?? [];
  if (base === undefined) return undefined;
  if (rest.startsWith('-')) return unknown;
  const isNewer = compareReleases(base, newest) > 0;
  if (!isNewer && !coreReleases.includes(base)) return undefined;
  return { release: base, isAssumed: isNewer || rest !== '' };
}

/** Returns the release that is nearest to a name that is not a core. */
export function nearestRelease(name: string): string {
  const [major, minor] = name.match(/\d+/g) ?? [];
  const released = coreReleases.filter((release) => /^[\d.]+$/.test(release));
  return (
    released.findLast((release) => release.startsWith(`${major}.${minor}.`)) ??
    released.findLast((release) => release.startsWith(`${major}.`)) ??
    newest
  );
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

function releaseParts(release: string): readonly number[] {
  return release.split('.').map(Number);
}
