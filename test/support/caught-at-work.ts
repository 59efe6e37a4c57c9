const mostAttempts = 20;

/**
 * Repeats the interruption of a program at work until the signal reached it before it ended. Which of the two comes first depends on the
 * machine, and a program that was faster is right to succeed.
 *
 * @param attempt interrupts a run of its own, and returns undefined when that had ended before
 */
export async function caughtAtWork<Caught>(attempt: (count: number) => Promise<Caught | undefined>): Promise<Caught> {
  for (let count = 0; count < mostAttempts; count++) {
    const caught = await attempt(count);
    if (caught !== undefined) return caught;
  }
  throw new Error(`not caught at work in any of ${mostAttempts} attempts`);
}
