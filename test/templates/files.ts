import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../templates', import.meta.url));

/** Paths of all templates, relative to their folder, with slashes on every system. */
export const templatePaths: readonly string[] = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => !entry.isDirectory())
  .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  .map((path) => path.replaceAll('\\', '/'))
  .sort();

/** Returns the text of a template, with the line endings that git stores. */
export function readTemplate(path: string): string {
  return readFileSync(join(folder, path), 'utf8').replaceAll('\r\n', '\n');
}

/** Returns the entry names in a template folder, for example `sketches`. */
export function entriesOf(place: string): readonly string[] {
  return readdirSync(join(folder, place)).sort();
}
