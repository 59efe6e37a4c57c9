/** The system that a file operation meets; tests stand in for Windows. */
export interface FileSystemHabits {
  readonly platform: NodeJS.Platform;
  pause(milliseconds: number): Promise<unknown>;
}

const thisSystem: FileSystemHabits = {
  platform: process.platform,
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Two and a half seconds in all: a virus scanner is done by then, and a program that keeps the file open will not let go anyway. */
const pausesMs = [10, 20, 40, 80, 150, 300, 600, 1300];

/**
 * Does something to a file that another program may have open. Windows refuses to rename over such a file, or to remove it (EPERM, EACCES,
 * EBUSY), and it is most often open for a moment only: a virus scanner, the search index, an IDE that reads what a build has made. Other
 * systems have no such refusal, so there the same codes mean what they say and are thrown at once.
 */
export async function retryWhileInUse<Result>(
  act: () => Promise<Result>,
  { platform, pause }: FileSystemHabits = thisSystem,
): Promise<Result> {
  for (const pauseMs of platform === 'win32' ? pausesMs : []) {
    try {
      return await act();
    } catch (error) {
      // fs rejects with a system error, whose code says which.
      if (!['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await pause(pauseMs);
    }
  }
  return act();
}
