/** Platform and timer for file operations. Tests simulate Windows. */
export interface FileSystemCapabilities {
  readonly platform: NodeJS.Platform;
  pause(milliseconds: number): Promise<unknown>;
}

const thisSystem: FileSystemCapabilities = {
  platform: process.platform,
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/**
 * Delays between retries. The total of 2.5 seconds is enough for a virus scanner. A program that keeps the file open longer will probably
 * not close it soon.
 */
const pausesMs = [10, 20, 40, 80, 150, 300, 600, 1300];

/**
 * Retries an operation on a file that a different program may have open. Windows cannot replace or remove an open file (EPERM, EACCES,
 * EBUSY). Virus scanners, the search index and IDEs usually close a file again soon. On other platforms, errors with these codes are
 * thrown immediately.
 */
export async function retryWhileInUse<Result>(
  act: () => Promise<Result>,
  { platform, pause }: FileSystemCapabilities = thisSystem,
): Promise<Result> {
  for (const pauseMs of platform === 'win32' ? pausesMs : []) {
    try {
      return await act();
    } catch (error) {
      // Errors from fs are system errors with a code.
      if (!['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await pause(pauseMs);
    }
  }
  return act();
}
