import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A temporary folder for one test, removed when the test ends. */
export interface TestFolder {
  readonly path: string;
  at(name: string): string;
  read(name: string): Promise<Buffer>;
  text(name: string): Promise<string>;
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** Sorted names of all files, including hidden and nested ones. */
  list(): Promise<string[]>;
}

/** Creates a folder with these files, including any folders in their names. */
export async function testFolder(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'ota-hooks-test-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  const at = (name: string) => join(path, name);
  const write = async (name: string, content: string | Uint8Array) => {
    await mkdir(dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
    return at(name);
  };
  for (const [name, content] of Object.entries(files)) await write(name, content);
  return {
    path,
    at,
    write,
    read: (name) => readFile(at(name)),
    text: (name) => readFile(at(name), 'utf8'),
    list: async () => {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      const found = entries.filter((entry) => !entry.isDirectory());
      return found.map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1)).sort();
    },
  };
}
