import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import ignore from 'ignore';
import { findRepository, readRegularFile } from '../keys/git-repository.ts';
import type { Insertion } from './insertion.ts';
import type { InitStep, SetupPlan } from './step.ts';
import { inBytes, readText } from './text-file.ts';

/** Maximum size of a `.gitignore`. A larger file is not read, so a redundant line may be added. */
const largestRulesBytes = 1024 * 1024;

/** Plans lines for a folder's `.gitignore`, with one step per line. A file that git already ignores needs no line. */
export async function planIgnore(
  folder: string,
  wanted: readonly { line: string; guards?: string }[],
): Promise<SetupPlan> {
  const path = join(folder, '.gitignore');
  const before = await readText(path);
  const steps: InitStep[] = [];
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
      description: `add ${line} to .gitignore`,
    });
    text += insertion.text;
  }
  return { steps, notes: [] };
}

/**
 * Returns true if git ignores a file according to the `.gitignore` files from the work tree root to the folder, and to
 * `.git/info/exclude`. The user's `core.excludesFile` is not considered, because it does not protect other clones. Outside a repository,
 * only the folder's own `.gitignore` is considered.
 *
 * Git is not run, because it executes commands from the repository configuration.
 *
 * @param name name of a file in the folder, or of a subfolder with a trailing slash; the file may be missing
 * @param ignoreFile text of the folder's own `.gitignore`, one character per byte
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
  // A rule such as .ota/* ignores the content of a folder, but not the folder itself.
  const path = name.endsWith('/') ? `${name}any` : name;
  return rules.ignores([...below, path].join('/'));
}

function latin1ToText(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

function rulesIn(path: string): string {
  const bytes = readRegularFile(path, largestRulesBytes);
  return typeof bytes === 'string' ? '' : bytes.toString('utf8');
}

/**
 * Rewrites the rules of a `.gitignore` relative to the work tree root, so that the last matching rule of all files decides, as in git. A
 * rule with a slash before its end is relative to its own folder; any other rule applies at any depth below it.
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
