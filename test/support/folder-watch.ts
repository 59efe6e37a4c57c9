import { watch } from 'node:fs';
import type { TestFolder } from './test-folder.ts';

/** Resolves when the files in a folder satisfy the condition, which is checked again whenever one of them changes. */
export async function untilFiles(folder: TestFolder, isSo: (files: readonly string[]) => boolean): Promise<void> {
  const watcher = watch(folder.path, { recursive: true });
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        folder.list().then((files) => {
          if (isSo(files)) resolve();
        }, reject);
      };
      // Registered before the first check, so that no change is missed.
      watcher.on('change', look).on('error', reject);
      look();
    });
  } finally {
    watcher.close();
  }
}
