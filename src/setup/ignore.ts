import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Insertion } from './insertion.ts';
import type { Part, Step } from './step.ts';
import { inBytes, readText } from './text-file.ts';

/** Lines for the `.gitignore` of a folder, each a step of its own; those that git ignores already need none. */
export async function ignorePart(folder: string, wanted: readonly { line: string; guards?: string }[]): Promise<Part> {
  const path = join(folder, '.gitignore');
  const before = await readText(path);
  const steps: Step[] = [];
  let text = before ?? '';
  for (const { line, guards } of wanted) {
    if (await isIgnored(folder, line, text)) continue;
    const insertion = lineAtEnd(text, line);
    const isNew = before === undefined && steps.length === 0;
    steps.push({
      kind: 'insert',
      path,
      isNew,
      insertions: [insertion],
      ...(guards === undefined ? {} : { guards }),
      says: `add ${line} to .gitignore`,
    });
    text += insertion.text;
  }
  return { steps, notes: [] };
}

/**
 * Whether git leaves something alone; where there is no git yet, whether a line of this `.gitignore` names it.
 *
 * @param name a file of the folder, or with a slash at its end a folder in it
 */
export async function isIgnored(folder: string, name: string, ignoreFile: string): Promise<boolean> {
  const bare = name.replace(/\/$/, '');
  const lines = ignoreFile.split(/\r?\n/).map((line) => line.trim());
  if ([bare, `/${bare}`, `${bare}/`, `/${bare}/`].some((line) => lines.includes(line))) return true;
  if (!isInRepository(folder)) return false;
  // It need not exist yet; of a folder git knows only what is inside.
  const asked = name.endsWith('/') ? `${name}any` : name;
  const argv = ['-C', folder, 'check-ignore', '--quiet', '--no-index', asked];
  const { exitCode } = await execa('git', argv, { reject: false, timeout: 5000 });
  return exitCode === 0;
}

/** Whether a folder lies in a git repository. */
export function isInRepository(folder: string): boolean {
  if (existsSync(join(folder, '.git'))) return true;
  return dirname(folder) !== folder && isInRepository(dirname(folder));
}

function lineAtEnd(text: string, line: string): Insertion {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const isUnfinished = text !== '' && !text.endsWith('\n');
  return { at: text.length, text: inBytes(isUnfinished ? `${lineEnd}${line}` : `${line}${lineEnd}`) };
}
