import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { manifestSuffix } from '../../core/model/artifact.ts';
import { parseManifest } from '../../core/model/manifest.ts';
import { readRegular } from '../../files/bounded-read.ts';
import { removeStaleSignatures } from './build-files.ts';

/**
 * Removes the signed files of earlier builds from the folders into which arduino-cli has exported this build. arduino-cli copies the files of
 * a build, but does not remove files that the build no longer has, and espota.py would send them.
 *
 * @param args arguments of `arduino-cli compile`
 * @throws OtaError FILE_UNREMOVABLE
 */
export async function removeStaleExports(source: string, args: readonly string[], cwd: string): Promise<void> {
  for (const folder of await exportFolders(source, args, cwd)) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((each) => each.endsWith(manifestSuffix))) {
      const path = join(folder, name);
      const text = await readRegular(path).catch(() => undefined);
      const parsed = text === undefined ? undefined : parseManifest(text.toString('utf8'));
      await removeStaleSignatures(path, parsed !== undefined && 'manifest' in parsed ? parsed.manifest : undefined);
    }
  }
}

async function exportFolders(source: string, args: readonly string[], cwd: string): Promise<readonly string[]> {
  const named = args.flatMap((word, index) => {
    if (word.startsWith('--output-dir=')) return [word.slice('--output-dir='.length)];
    return word === '--output-dir' ? args.slice(index + 1, index + 2) : [];
  });
  const isExported = args.some((word) => word === '-e' || word.startsWith('--export-binaries'));
  const build = join(source, 'build');
  const boards = isExported ? await readdir(build).catch(() => []) : [];
  return [...named.map((folder) => resolve(cwd, folder)), ...boards.map((board) => join(build, board))];
}
