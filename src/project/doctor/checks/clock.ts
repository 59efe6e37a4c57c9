import { stat } from 'node:fs/promises';
import glob from 'fast-glob';
import type { Check, DoctorFinding } from '../check.ts';
import type { World } from '../world.ts';

/** Date on which this check was written; an earlier time is wrong. */
const earliest = new Date('2026-01-01T00:00:00Z');
const toleranceMs = 60_000;

/** Checks the clock: builds depend on time stamps, certificates on dates. */
export const clock: Check = {
  about: 'the clock is right',
  run: async (world) => {
    const { now } = world;
    if (now < earliest) {
      const says = `the clock says ${now.toISOString()}: builds would miss changes, and no certificate would be valid`;
      return [{ level: 'error', says, mend: 'Set the clock, or let the system do it (NTP)' }];
    }
    const ahead = await fromTheFuture(world);
    return ahead.length > 0 ? ahead : [{ level: 'ok', says: `the clock says ${now.toISOString()}` }];
  },
};

/** Finds sources with a time stamp in the future: they come from a machine with another clock, or the clock was set back. */
async function fromTheFuture({ project, now, path }: World): Promise<readonly DoctorFinding[]> {
  if (project === undefined) return [];
  const places = ['platformio.ini', '*.{ino,h,c,cpp}', '{src,include,lib}/**/*.{ino,h,c,cpp}'];
  const sources = await glob(places, { cwd: project.folder, absolute: true, suppressErrors: true });
  const times = await Promise.all(sources.map(async (source) => (await stat(source)).mtimeMs));
  const young = sources.filter((_, index) => (times[index] ?? 0) > now.getTime() + toleranceMs);
  const [first] = young;
  if (first === undefined) return [];
  const others = young.length === 1 ? '' : ` and ${young.length - 1} more`;
  const says = `${path(first)}${others} has a time stamp in the future: arduino-cli and make build it again and again, or not at all`;
  return [{ level: 'warning', says, mend: 'Set the clock, then save the file once more' }];
}
