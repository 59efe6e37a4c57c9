import { readPage } from './pages.ts';

/** A program on docs/api.md, and what it prints. */
export interface ApiExample {
  readonly file: string;
  readonly code: string;
  /** Undefined when the page shows no output. */
  readonly output: string | undefined;
}

const example = /^```ts (\S+)\n([\s\S]*?)^```$(?:\n\n^```\n([\s\S]*?)^```$)?/gm;

/** The examples in the order of the page; a later one uses the files of those before it. */
export const apiExamples: readonly ApiExample[] = [...readPage('docs/api.md').text.matchAll(example)].map(
  ([, file = '', code = '', output]) => ({ file, code, output }),
);
