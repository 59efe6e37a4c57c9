import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { writeAtomically } from '../../../files/write.ts';
import { effectiveValue } from '../../build/platformio-ini.ts';
import { nodeFile, rememberedNode } from '../../init/node.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioOf, type World } from '../world.ts';

/** PATH of a program that is started from a desktop, without a shell. */
const plainPath: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['/usr/bin', '/bin', '/usr/sbin', '/sbin'],
  linux: ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/games', '/usr/games', '/snap/bin'],
};

/** Checks that an IDE finds Node.js. The PlatformIO hook also runs in VS Code, whose PATH may differ from that of the terminal. */
export const ideNode: Check = {
  about: 'an IDE that was started from a desktop finds Node.js',
  run: async (world) => {
    const found = platformioOf(world);
    if (found === undefined || world.project === undefined) return [];
    const { folder } = world.project;
    const named = found.sections.flatMap((section) => effectiveValue(found.ini, section, 'custom_ota_node') ?? []);
    if (named.length > 0) return named.flatMap((path) => missing(path, folder));
    const remembered = await rememberedNode(folder);
    if (remembered !== undefined && existsSync(remembered)) {
      return [{ level: 'ok', says: `IDEs without a PATH find Node.js: ${remembered}` }];
    }
    if (isOnPlainPath(world)) return [{ level: 'ok', says: 'Node.js is where IDEs look for programs' }];
    return [notFound(world, folder, remembered)];
  },
};

function missing(path: string, folder: string): readonly DoctorFinding[] {
  if (existsSync(isAbsolute(path) ? path : join(folder, path))) return [];
  const says = `platformio.ini: custom_ota_node names ${path}, which is not there`;
  return [{ level: 'error', says, mend: 'Mend the path, or take the line out' }];
}

/** Returns whether Node.js is on the PATH of a desktop program. On Windows, all programs have the same PATH. */
function isOnPlainPath({ platform, node }: World): boolean {
  return platform === 'win32' || plainPath[platform]?.includes(dirname(node.path)) === true;
}

function notFound(world: World, folder: string, remembered: string | undefined): DoctorFinding {
  const place = join(folder, nodeFile);
  const gone = remembered === undefined ? '' : ` (${world.path(place)} names ${remembered}, which is gone)`;
  return {
    level: 'warning',
    says: `an IDE that was started from a desktop may not find Node.js at ${world.node.path}${gone}`,
    mend: 'ota-hooks init remembers it in .ota/node',
    fix: {
      says: `remembered Node.js in ${world.path(place)}`,
      apply: async () => {
        await mkdir(dirname(place), { recursive: true });
        await writeAtomically(place, `${world.node.path}\n`);
      },
    },
  };
}
