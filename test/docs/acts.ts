import { readFile } from 'node:fs/promises';

/** What a reader does: save a file, or run a command. */
export type Act =
  | { readonly act: 'save'; readonly path: string; readonly text: string }
  | { readonly act: 'run'; readonly command: string };

/**
 * What a page of the documents tells its reader to do under a heading of the second level, in order. A block of `sh` holds commands, one a
 * line; a block whose language is followed by a path is a file; others show what comes out.
 */
export async function actsOf(page: string, heading: string): Promise<readonly Act[]> {
  const text = await readFile(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${page} has no section "${heading}"`);
  return [...section.matchAll(/^```(\w*)(?: (\S+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, language, path, body = '']): Act[] => {
      if (path !== undefined) return [{ act: 'save', path, text: body }];
      if (language !== 'sh') return [];
      const commands = body.split('\n').map((line) => line.replace(/\s+# .*$/, ''));
      return commands.filter((command) => command !== '').map((command) => ({ act: 'run', command }));
    },
  );
}
