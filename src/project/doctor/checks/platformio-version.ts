import { join } from 'node:path';
import { textOrNothing } from '../../../files/read.ts';
import { platformioProgram } from '../../build/platformio.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, platformioOf } from '../context.ts';
import { platformioFolder } from '../platformio-folder.ts';

/** Last PlatformIO Core version that may silently ignore a missing script. */
const lastSilent = [6, 1, 11];
/** First SCons version that reports a missing script. */
const firstLoud = [4, 6, 0];

/** Checks the PlatformIO version. Only SCons 4.6 and later stop the build if a script is missing. */
export const platformioVersion: Check = async (context) => {
  const [core, scons] = await Promise.all([coreVersion(context), sconsVersion(context)]);
  const fallback = platformioOf(context)?.fallback;
  if (core === undefined) {
    const isWanted = platformioOf(context) !== undefined;
    const fix = isWanted ? 'Install PlatformIO Core, for example with: python3 -m pip install platformio' : undefined;
    const message = `PlatformIO is not installed or cannot be run${isWanted ? ', so ota-hooks evaluated platformio.ini itself' : ''}`;
    return [{ level: isWanted ? 'warning' : 'note', message, fix }];
  }
  const name = `PlatformIO ${core.join('.')}${scons === undefined ? '' : ` with SCons ${scons.join('.')}`}`;
  const isSilent = scons === undefined ? compare(core, lastSilent) <= 0 : compare(scons, firstLoud) < 0;
  return [
    isSilent ? silent(name) : { level: 'ok', message: name },
    ...(fallback === undefined ? [] : [evaluatedHere(fallback)]),
  ];
};

function evaluatedHere(reason: string): DoctorFinding {
  const message = `${reason}, so ota-hooks evaluated platformio.ini itself`;
  return { level: 'warning', message, fix: 'Run pio project config, and correct the errors that it prints' };
}

function silent(name: string): DoctorFinding {
  const message = `${name} builds unsigned firmware without an error if the hook file is missing (SCons before 4.6)`;
  return { level: 'warning', message, fix: 'Run pio upgrade' };
}

async function coreVersion(context: CheckContext): Promise<readonly number[] | undefined> {
  const program = context.env['PLATFORMIO_CLI'] ?? platformioProgram(context.home, context.platform).name;
  const printed = await context.query(program, ['--version']);
  const version = /version (\d+)\.(\d+)\.(\d+)/.exec(printed ?? '');
  return version?.slice(1).map(Number);
}

/** Reads the SCons version from the version of PlatformIO's package: 4.40801.0 is SCons 4.8.1. */
async function sconsVersion(context: CheckContext): Promise<readonly number[] | undefined> {
  const path = join(platformioFolder(context), 'packages', 'tool-scons', 'package.json');
  const text = await textOrNothing(path);
  const packed = /"version"\s*:\s*"\d+\.(\d)(\d{2})(\d{2})\./.exec(text);
  return packed?.slice(1).map(Number);
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
