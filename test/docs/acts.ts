import { readPage } from './pages.ts';

/** What a reader does: save a file, or run a command. */
export type Act =
  | { readonly act: 'save'; readonly path: string; readonly text: string }
  | { readonly act: 'run'; readonly command: string };

/** A part of a page under a heading of the second level, or before the first one (`heading` is empty then). */
export interface Section {
  readonly heading: string;
  readonly acts: readonly Act[];
}

/**
 * What a page tells its reader to do, in order. A block of `sh` holds commands, one a line; a block whose language is followed by a path is a
 * file; others show what comes out.
 *
 * @param path from the top of the repository: `docs/start.md`
 */
export function sectionsOf(path: string): readonly Section[] {
  const [preamble = '', ...parts] = readPage(path).text.split(/^## /m);
  const sections = parts.map((part) => ({ heading: part.slice(0, part.indexOf('\n')), acts: actsIn(part) }));
  return [{ heading: '', acts: actsIn(preamble) }, ...sections];
}

/** What one section of a page of `docs` tells its reader to do. */
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
