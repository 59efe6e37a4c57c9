import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

export interface Repository extends TestFolder {
  /** Runs git in the work tree, or in a folder below it, and returns its stdout. */
  readonly git: (...argv: readonly string[]) => Promise<string>;
  readonly gitIn: (folder: string, ...argv: readonly string[]) => Promise<string>;
}

/** Creates a real repository with these untracked files, isolated from the git settings of this machine. */
export async function repository(
  t: ExecutionContext,
  files: Readonly<Record<string, string>> = {},
  ...initOptions: readonly string[]
): Promise<Repository> {
  const folder = await testFolder(t, files);
  const gitIn = async (below: string, ...argv: readonly string[]) => {
    const settings = [
      'user.name=test',
      'user.email=test@example.invalid',
      'protocol.file.allow=always',
      'init.defaultBranch=main',
    ];
    const { stdout } = await execa('git', [...settings.flatMap((setting) => ['-c', setting]), ...argv], {
      cwd: join(folder.path, below),
      env: { HOME: folder.path, XDG_CONFIG_HOME: folder.path, GIT_CONFIG_NOSYSTEM: '1' },
    });
    return stdout;
  };
  await gitIn('.', 'init', '--quiet', ...initOptions);
  return { ...folder, gitIn, git: (...argv) => gitIn('.', ...argv) };
}

/** Changes an index and recomputes its checksum, as a hostile file would. */
export async function changeIndex(path: string, change: (content: Buffer) => Buffer): Promise<void> {
  const content = change((await readFile(path)).subarray(0, -20));
  await writeFile(path, Buffer.concat([content, createHash('sha1').update(content).digest()]));
}
