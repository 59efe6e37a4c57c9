import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastGlob from 'fast-glob';

/** Path of the repository, with a trailing slash. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block: commands (`sh`), the text of a file (if the block names a file), or output. */
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
  /** Text of the page outside the fenced blocks. */
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
