import { readPage } from './pages.ts';

/** A step for the reader: save a file or run a command. */
export type Act =
  | { readonly act: 'save'; readonly path: string; readonly text: string }
  | { readonly act: 'run'; readonly command: string };

/** The part of a page under a second-level heading, or before the first one (then `heading` is empty). */
export interface Section {
  readonly heading: string;
  readonly acts: readonly Act[];
}

/**
 * Returns the steps on a page, in order. An `sh` block contains one command per line. A block with a path after its language contains the
 * text of that file. Other blocks show output.
 *
 * @param path relative to the repository, for example `docs/start.md`
 */
export function sectionsOf(path: string): readonly Section[] {
  const [preamble = '', ...parts] = readPage(path).text.split(/^## /m);
  const sections = parts.map((part) => ({ heading: part.slice(0, part.indexOf('\n')), acts: actsIn(part) }));
  return [{ heading: '', acts: actsIn(preamble) }, ...sections];
}

/** Returns the steps in one section of a page in `docs`. */
export function actsOf(page: string, heading: string): readonly Act[] {
  const section = sectionsOf(`docs/${page}`).find((each) => each.heading === heading);
  if (section === undefined) throw new Error(`${page} has no section "${heading}"`);
  return section.acts;
}

function actsIn(text: string): readonly Act[] {
  return [...text.matchAll(/^```(\w*)(?: (\S+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, language, path, body = '']): Act[] => {
      if (path !== undefined) return [{ act: 'save', path, text: body }];
      if (language !== 'sh') return [];
      const commands = body.split('\n').map((line) => line.replace(/\s+# .*$/, ''));
      return commands.filter((command) => command !== '').map((command) => ({ act: 'run', command }));
    },
  );
}
