import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { writeAtomically } from '../../../files/write.ts';
import { nodeFile, storedNode } from '../../init/node.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, platformioOf } from '../context.ts';

/** PATH of a program that is started from the desktop instead of a shell. */
const plainPath: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/usr/bin', '/bin', '/usr/sbin', '/sbin'],
  linux: ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/games', '/usr/games', '/snap/bin'],
};

/** Checks that an IDE can find Node.js. The PlatformIO hook also runs in VS Code, where the PATH may differ from the terminal's. */
export const ideNode: Check = async (context) => {
  const found = platformioOf(context);
  if (found === undefined || context.project === undefined) return [];
  const { folder } = context.project;
  const named = found.esp8266.flatMap(({ options }) => options.get('custom_ota_node') ?? []);
  if (named.length > 0) return named.flatMap((path) => missing(path, folder));
  const stored = await storedNode(folder);
  if (stored !== undefined && existsSync(stored)) {
    return [{ level: 'ok', message: `IDEs find Node.js in .ota/node: ${stored}` }];
  }
  if (isOnPlainPath(context)) return [{ level: 'ok', message: 'Node.js is in a folder where IDEs look for programs' }];
  return [notFound(context, folder, stored)];
};

function missing(path: string, folder: string): readonly DoctorFinding[] {
  if (existsSync(isAbsolute(path) ? path : join(folder, path))) return [];
  const message = `platformio.ini: custom_ota_node names ${path}, which does not exist`;
  return [{ level: 'error', message, fix: 'Correct the path, or remove the line' }];
}

/** Returns true if Node.js is on the PATH of programs started from the desktop. On Windows, all programs have the same PATH. */
function isOnPlainPath({ platform, node }: CheckContext): boolean {
  return platform === 'win32' || plainPath[platform]?.includes(dirname(node.path)) === true;
}

function notFound(context: CheckContext, folder: string, stored: string | undefined): DoctorFinding {
  const place = join(folder, nodeFile);
  const gone = stored === undefined ? '' : ` (${context.path(place)} names ${stored}, which does not exist)`;
  return {
    level: 'warning',
    message: `IDEs started from the desktop may not find Node.js at ${context.node.path}${gone}`,
    fix: 'Run ota-hooks init, which stores the path in .ota/node',
    autofix: {
      done: `stored the path of Node.js in ${context.path(place)}`,
      apply: async () => {
        await mkdir(dirname(place), { recursive: true });
        await writeAtomically(place, `${context.node.path}\n`);
      },
    },
  };
}
