import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import ignore from 'ignore';
import { findRepository, readRegularFile } from '../keys/git-repository.ts';
import type { Insertion } from './insertion.ts';
import type { Part, Step } from './step.ts';
import { inBytes, readText } from './text-file.ts';

/** A larger file of rules is not read; the line is then added once more than needed. */
const largestRulesBytes = 1024 * 1024;

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
 * Whether git ignores a file, by the `.gitignore` files from the root of the work tree down to the folder and `.git/info/exclude`. The
 * user's own `core.excludesFile` does not count: it does not protect anyone else's clone. Without a repository, only the folder's own
 * `.gitignore` counts.
 *
 * Git itself is not run: it executes commands that the repository's configuration names.
 *
 * @param name a file of the folder, or with a slash at its end a folder in it; it need not exist
 * @param ignoreFile the text of the folder's own `.gitignore`, one character a byte
 */
export async function isIgnored(folder: string, name: string, ignoreFile: string): Promise<boolean> {
  const real = await realpath(folder);
  const repository = findRepository(real);
  const workTree = typeof repository === 'string' ? real : repository.workTree;
  const exclude = typeof repository === 'string' ? '' : rulesIn(join(repository.commonFolder, 'info', 'exclude'));
  const rules = ignore({ ignorecase: false }).add(exclude);
  const below = relative(workTree, real)
    .split(sep)
    .filter((part) => part !== '');
  const places = [[], ...below.map((_, index) => below.slice(0, index + 1))];
  for (const place of places) {
    const isOwn = place.length === below.length;
    const text = isOwn ? latin1ToText(ignoreFile) : rulesIn(join(workTree, ...place, '.gitignore'));
    rules.add(rulesBelow(place, text));
  }
  // A rule such as .ota/* ignores what is in a folder, not the folder.
  const asked = name.endsWith('/') ? `${name}any` : name;
  return rules.ignores([...below, asked].join('/'));
}

function latin1ToText(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

function rulesIn(path: string): string {
  const bytes = readRegularFile(path, largestRulesBytes);
  return typeof bytes === 'string' ? '' : bytes.toString('utf8');
}

/**
 * The rules of a `.gitignore` as the root of the work tree would state them, so that all files together follow git's one principle: the last
 * rule that matches decides. A rule with a slash before its end is relative to its folder; another one applies at any depth below it.
 */
function rulesBelow(place: readonly string[], text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (place.length === 0) return lines;
  const folder = place.map((part) => part.replace(/[\\*?[\]!# ]/g, '\\$&')).join('/');
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [negation, rule] = line.startsWith('!') ? ['!', line.slice(1)] : ['', line];
      const isAnchored = /\/(?!\s*$)/.test(rule);
      return `${negation}/${folder}/${isAnchored ? rule.replace(/^\//, '') : `**/${rule}`}`;
    });
}

function lineAtEnd(text: string, line: string): Insertion {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const isUnfinished = text !== '' && !text.endsWith('\n');
  return { at: text.length, text: inBytes(isUnfinished ? `${lineEnd}${line}` : `${line}${lineEnd}`) };
}
