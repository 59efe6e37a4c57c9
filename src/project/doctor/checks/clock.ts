import { stat } from 'node:fs/promises';
import glob from 'fast-glob';
import type { Check, DoctorFinding } from '../check.ts';
import type { CheckContext } from '../context.ts';

/** Date on which this check was written. A clock that shows an earlier date is wrong. */
const earliest = new Date('2026-01-01T00:00:00Z');
const toleranceMs = 60_000;

/** Checks the clock. Builds depend on timestamps, and certificates on dates. */
export const clock: Check = async (context) => {
  const { now } = context;
  if (now < earliest) {
    const message = `The system clock shows ${now.toISOString()}, which is in the past: builds miss changes, and certificates are not valid yet`;
    return [{ level: 'error', message, fix: 'Set the clock, or enable NTP' }];
  }
  const ahead = await fromTheFuture(context);
  return ahead.length > 0 ? ahead : [{ level: 'ok', message: `The system clock shows ${now.toISOString()}` }];
};

/**
 * Finds source files with a timestamp in the future. Either the files are from a machine with a different clock, or this clock was set
 * back.
 */
async function fromTheFuture({ project, now, path }: CheckContext): Promise<readonly DoctorFinding[]> {
  if (project === undefined) return [];
  const places = ['platformio.ini', '*.{ino,h,c,cpp}', '{src,include,lib}/**/*.{ino,h,c,cpp}'];
  const sources = await glob(places, { cwd: project.folder, absolute: true, suppressErrors: true });
  const times = await Promise.all(sources.map(async (source) => (await stat(source)).mtimeMs));
  const young = sources.filter((_, index) => (times[index] ?? 0) > now.getTime() + toleranceMs);
  const [first] = young;
  if (first === undefined) return [];
  const files =
    young.length === 1
      ? `${path(first)} has a timestamp`
      : `${path(first)} and ${young.length - 1} more have timestamps`;
  const message = `${files} in the future: builds compile them every time, or miss changes`;
  return [{ level: 'warning', message, fix: 'Set the clock if it is wrong, then save the sources again' }];
}
