import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtCli } from './server-process.ts';

/** Environment variable with the name of a fault in the built server, which the checker must find. */
const sabotageVariable = 'OTA_HOOKS_CHAOS_SABOTAGE';

interface Sabotage {
  readonly code: string;
  readonly replacement: string;
}

const faults: Readonly<Record<string, Sabotage>> = {
  /** A send commits although the project has changed since the decision. */
  'no-revision-check': {
    code: 'projectRevision!==void 0&&found.projectRevision!==projectRevision',
    replacement: 'false',
  },
  /** A change to a rollout does not change the revision of its project. */
  'no-revision-bump': { code: 'await bumpRevision(write,projectId)', replacement: 'void 0' },
};

/** Returns the command line to test: the built one, or a copy with a fault. */
export async function sabotagedCli(): Promise<string> {
  const name = process.env[sabotageVariable];
  if (name === undefined) return builtCli;
  const fault = faults[name];
  if (fault === undefined) throw new Error(`${sabotageVariable} must be ${Object.keys(faults).join(' or ')}`);
  const folder = fileURLToPath(new URL('../../build/sabotaged', import.meta.url));
  await rm(folder, { recursive: true, force: true });
  await cp(dirname(builtCli), folder, { recursive: true });
  if ((await replaceIn(join(folder, 'chunks'), fault)) === 0) throw new Error(`the built server has no ${fault.code}`);
  return join(folder, 'cli.js');
}

/** @returns number of changed files */
async function replaceIn(folder: string, { code, replacement }: Sabotage): Promise<number> {
  let changed = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8');
    if (!text.includes(code)) continue;
    await writeFile(path, text.replaceAll(code, replacement));
    changed++;
  }
  return changed;
}
