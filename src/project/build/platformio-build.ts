import { resolve } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { hookedEnvironments, unhookedEnvironments } from './hooked-environments.ts';
import { extraScriptsVariable } from './platformio.ts';
import { effectiveValue, itemsOf } from './platformio-ini.ts';
import type { PlatformioPlace } from './platformio-query.ts';

/** Build that PlatformIO is to run. */
export interface PlatformioBuild {
  readonly folder: string;
  readonly hookScript: string;
  /** The user's arguments for `pio run`. */
  readonly args: readonly string[];
  /** Working directory, to which paths in the arguments are relative. */
  readonly cwd: string;
}

/**
 * Returns the environment variables with which every ESP8266 environment runs the hook in one build. No file is written. If all of them
 * list the hook already, no variable is needed: PlatformIO rebuilds everything if the set of scripts changes.
 *
 * @throws OtaError OPTIONS_CONFLICT for --project-dir, HOOK_NOT_ADDED if the hook would displace scripts, and those thrown by
 *   {@link hookedEnvironments}
 */
export async function hookVariables(
  { folder, hookScript, args, cwd }: PlatformioBuild,
  place: PlatformioPlace,
): Promise<Readonly<Record<string, string>>> {
  if (optionIn(args, '-d', '--project-dir') !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', {
      option: '--project-dir',
      other: '`ota-hooks build`',
      hint: 'Remove --project-dir, and pass the folder with --source.',
    });
  }
  const file = optionIn(args, '-c', '--project-conf');
  const { files, environments } = await hookedEnvironments(folder, place, file && resolve(cwd, file));
  if (unhookedEnvironments(environments).length === 0) return {};
  // PlatformIO appends the variable on a new line, and then no longer splits the first line at its commas.
  const onOneLine = environments.find(({ name }) => {
    const value = effectiveValue(files, `env:${name}`, 'extra_scripts') ?? '';
    return !value.includes('\n') && itemsOf(value).length > 1;
  });
  if (onOneLine !== undefined) {
    throw new OtaError('HOOK_NOT_ADDED', { path: onOneLine.path, environment: onOneLine.name });
  }
  const own = place.env[extraScriptsVariable];
  return { [extraScriptsVariable]: [...(own ? [own] : []), `pre:${hookScript}`].join('\n') };
}

/** Returns the value of an option of `pio run`: `-c FILE`, `-cFILE`, `--project-conf FILE` or `--project-conf=FILE`. */
function optionIn(args: readonly string[], short: string, long: string): string | undefined {
  for (const [index, arg] of args.entries()) {
    if (arg === short || arg === long) return args[index + 1];
    if (arg.startsWith(`${long}=`)) return arg.slice(long.length + 1);
    if (arg.startsWith(short) && !arg.startsWith('--')) return arg.slice(short.length);
  }
  return undefined;
}
