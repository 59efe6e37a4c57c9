import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastGlob from 'fast-glob';

/** The top of the repository, with a slash at its end. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Between fences; `sh` has commands, one that names a file is that file, others show what comes out. */
interface Block {
  readonly language: string;
  readonly body: string;
}

/** A page of the documents. */
export interface Page {
  /** From the top of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** What is not in a block. */
  readonly prose: string;
}

const fence = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;

/** All that is written for people. */
export const pages: readonly Page[] = fastGlob
  .sync(['*.md', 'docs/*.md', 'templates/**/*.md', 'bench/*.md', 'test/**/README.md'], { cwd: repository })
  .sort()
  .map(readPage);

export function readPage(path: string): Page {
  const text = readFileSync(`${repository}${path}`, 'utf8');
  const blocks = [...text.matchAll(fence)].map(([, language = '', body = '']) => ({ language, body }));
  return { path, text, blocks, prose: text.replace(fence, '') };
}
