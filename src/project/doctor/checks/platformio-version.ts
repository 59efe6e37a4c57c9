import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platformioProgram } from '../../build/platformio.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioFolder } from '../platformio-folder.ts';
import { platformioOf, type World } from '../world.ts';

/** Last PlatformIO Core that may include an SCons which silently ignores a missing script. */
const lastSilent = [6, 1, 11];
/** First SCons that reports a missing script. */
const firstLoud = [4, 6, 0];

/** Checks the version of PlatformIO: only SCons 4.6 and later stop the build if a script is missing. */
export const platformioVersion: Check = {
  about: 'PlatformIO notices a missing hook',
  run: async (world) => {
    const [core, scons] = await Promise.all([coreVersion(world), sconsVersion(world)]);
    if (core === undefined) {
      const isWanted = platformioOf(world) !== undefined;
      const mend = isWanted ? 'Install it, for example with: python3 -m pip install platformio' : undefined;
      return [{ level: isWanted ? 'warning' : 'note', says: 'PlatformIO is not installed, or not on the PATH', mend }];
    }
    const name = `PlatformIO ${core.join('.')}${scons === undefined ? '' : ` with SCons ${scons.join('.')}`}`;
    const isSilent = scons === undefined ? compare(core, lastSilent) <= 0 : compare(scons, firstLoud) < 0;
    return [isSilent ? silent(name) : { level: 'ok', says: name }];
  },
};

function silent(name: string): DoctorFinding {
  const says = `${name} builds unsigned when the hook's file is missing, and says nothing (SCons before 4.6)`;
  return { level: 'warning', says, mend: 'pio upgrade' };
}

async function coreVersion(world: World): Promise<readonly number[] | undefined> {
  const program = world.env['PLATFORMIO_CLI'] ?? platformioProgram(world.home, world.platform).name;
  const printed = await world.ask(program, ['--version']);
  const version = /version (\d+)\.(\d+)\.(\d+)/.exec(printed ?? '');
  return version?.slice(1).map(Number);
}

/** Reads the version of SCons. PlatformIO's package version contains it: 4.40801.0 holds SCons 4.8.1. */
async function sconsVersion(world: World): Promise<readonly number[] | undefined> {
  const path = join(platformioFolder(world), 'packages', 'tool-scons', 'package.json');
  const text = await readFile(path, 'utf8').catch(() => '');
  const packed = /"version"\s*:\s*"\d+\.(\d)(\d{2})(\d{2})\./.exec(text);
  return packed?.slice(1).map(Number);
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
