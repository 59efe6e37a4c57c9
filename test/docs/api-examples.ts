import { readPage } from './pages.ts';

/** A program in docs/api.md, and its output. */
export interface ApiExample {
  readonly file: string;
  readonly code: string;
  /** Undefined when the page shows no output. */
  readonly output: string | undefined;
}

const example = /^```ts (\S+)\n([\s\S]*?)^```$(?:\n\n^```\n([\s\S]*?)^```$)?/gm;

/** The examples in page order; later examples use files from earlier ones. */
export const apiExamples: readonly ApiExample[] = [...readPage('docs/api.md').text.matchAll(example)].map(
  ([, file = '', code = '', output]) => ({ file, code, output }),
);
