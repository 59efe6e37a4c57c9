import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './project.ts';
import { nothing, type Part } from './step.ts';
import { readText } from './text-file.ts';

/** Where the hook of PlatformIO looks for Node.js last. */
export const nodeFile = join('.ota', 'node');

/**
 * The path of this Node.js, for an IDE that was started from a desktop: its PATH is not that of a terminal, and holds no Node.js of nvm,
 * Homebrew or the like. It is a fact of this machine, so it does not go into platformio.ini, which others share.
 */
export async function nodePart({ folder, system }: Project, node: string): Promise<Part> {
  const path = join(folder, nodeFile);
  if (system !== 'platformio' || existsSync((await rememberedNode(folder)) ?? '')) return nothing;
  return {
    steps: [{ kind: 'node', path, node, says: `remember this Node.js for IDEs that find none: ${node}` }],
    notes: [],
  };
}

/** The Node.js that the hook falls back to, whether or not it is still there. */
export async function rememberedNode(folder: string): Promise<string | undefined> {
  const bytes = await readText(join(folder, nodeFile));
  return bytes === undefined ? undefined : Buffer.from(bytes, 'latin1').toString('utf8').trim();
}
