import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './project.ts';
import { emptyPlan, type SetupPlan } from './step.ts';
import { readText } from './text-file.ts';

/** Name of the file with the Node.js path that the PlatformIO hook uses as a fallback. */
export const nodeFile = join('.ota', 'node');

/**
 * Plans to store the path of this Node.js for IDEs. The PATH of an IDE that is started from the desktop often does not include a Node.js
 * installed by nvm or Homebrew. The path is valid only on this machine, so it is not stored in platformio.ini.
 */
export async function planNode({ folder, system }: Project, node: string): Promise<SetupPlan> {
  const path = join(folder, nodeFile);
  if (system !== 'platformio' || existsSync((await storedNode(folder)) ?? '')) return emptyPlan;
  return {
    steps: [
      { kind: 'node', path, node, description: `store the path of Node.js for IDEs that do not find it: ${node}` },
    ],
    notes: [],
  };
}

/** Returns the fallback path of Node.js for the PlatformIO hook. The file at this path may no longer exist. */
export async function storedNode(folder: string): Promise<string | undefined> {
  const bytes = await readText(join(folder, nodeFile));
  return bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString('utf8').trim();
}
