import { watch } from 'node:fs';
import type { TestFolder } from './test-folder.ts';

/** Resolves when the files in a folder satisfy the condition. Checks the condition again after each change. */
export async function untilFiles(folder: TestFolder, isSo: (files: readonly string[]) => boolean): Promise<void> {
  const watcher = watch(folder.path, { recursive: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        folder.list().then((files) => {
          if (isSo(files)) resolve();
        }, reject);
      };
      // Register the listener before the first check, so that no change is missed.
      watcher.on('change', look).on('error', reject);
      look();
    });
  } finally {
    watcher.close();
  }
}
