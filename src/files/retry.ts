/** Platform and timer for file operations; tests simulate Windows. */
export interface FileSystemCapabilities {
  readonly platform: NodeJS.Platform;
  pause(milliseconds: number): Promise<unknown>;
}

const thisSystem: FileSystemCapabilities = {
  platform: process.platform,
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Delays of 2.5 seconds in total: enough for a virus scanner; waiting longer for a program that keeps the file open would be pointless. */
const pausesMs = [10, 20, 40, 80, 150, 300, 600, 1300];

/**
 * Retries an operation on a file that another program may have open. Windows refuses to rename over or remove such a file (EPERM, EACCES,
 * EBUSY), which is usually open only briefly: by a virus scanner, the search index or an IDE that reads build output. Other platforms have
 * no such restriction, so errors with these codes are thrown immediately there.
 */
export async function retryWhileInUse<Result>(
  act: () => Promise<Result>,
  { platform, pause }: FileSystemCapabilities = thisSystem,
): Promise<Result> {
  for (const pauseMs of platform === 'win32' ? pausesMs : []) {
    try {
      return await act();
    } catch (error) {
      // fs rejects with a system error that has a code.
      if (!['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await pause(pauseMs);
    }
  }
  return act();
}
