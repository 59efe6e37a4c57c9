const mostAttempts = 20;

/**
 * Repeats an interruption until the signal reaches a program that is still running. On a fast machine, a program may complete before the
 * signal arrives, which is not an error.
 *
 * @param attempt interrupts a separate run; returns undefined if that run ended first
 */
export async function caughtAtWork<Caught>(attempt: (count: number) => Promise<Caught | undefined>): Promise<Caught> {
  for (let count = 0; count < mostAttempts; count++) {
    const caught = await attempt(count);
    if (caught !== undefined) return caught;
  }
  throw new Error(`the program ended before the signal in all ${mostAttempts} attempts`);
}
