import { watch } from 'node:fs';
import type { TestFolder } from './test-folder.ts';

/** Resolves when the files of a folder are as wanted; looks again whenever one of them changes. */
export async function untilFiles(folder: TestFolder, isSo: (files: readonly string[]) => boolean): Promise<void> {
  const watcher = watch(folder.path, { recursive: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        folder.list().then((files) => {
          if (isSo(files)) resolve();
        }, reject);
      };
      // The listener first: a change during the first look is not missed.
      watcher.on('change', look).on('error', reject);
      look();
    });
  } finally {
    watcher.close();
  }
}
