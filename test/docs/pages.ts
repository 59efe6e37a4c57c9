import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastGlob from 'fast-glob';

/** Path of the repository, with a trailing slash. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block: an `sh` block holds commands, a block that names a file holds that file, other blocks show output. */
interface Block {
  readonly language: string;
  readonly body: string;
}

/** A documentation page. */
export interface Page {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text outside the blocks. */
  readonly prose: string;
}

const fence = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;

/** All documentation pages. */
export const pages: readonly Page[] = fastGlob
  .sync(['*.md', 'docs/*.md', 'templates/**/*.md', 'bench/*.md', 'test/**/README.md'], { cwd: repository })
  .sort()
  .map(readPage);

export function readPage(path: string): Page {
  const text = readFileSync(`${repository}${path}`, 'utf8');
  const blocks = [...text.matchAll(fence)].map(([, language = '', body = '']) => ({ language, body }));
  return { path, text, blocks, prose: text.replace(fence, '') };
}
