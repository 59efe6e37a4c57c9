import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './project.ts';
import { emptyPlan, type SetupPlan } from './step.ts';
import { readText } from './text-file.ts';

/** File with the path of the Node.js that the PlatformIO hook uses as its last choice. */
export const nodeFile = join('.ota', 'node');

/**
 * Plans to store the path of this Node.js for an IDE started from the desktop, whose PATH differs from that of a terminal and does not
 * include a Node.js installed by nvm, Homebrew or the like. The path is valid only on this machine, so it is not written to platformio.ini,
 * which is shared.
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

/** Returns the path of the Node.js that the hook falls back to, whether or not it still exists. */
export async function storedNode(folder: string): Promise<string | undefined> {
  const bytes = await readText(join(folder, nodeFile));
  return bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString('utf8').trim();
}
