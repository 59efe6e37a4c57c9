const mostAttempts = 20;

/**
 * Repeats what interrupts a program at work until the program was caught: one that has ended before the signal reached it did nothing wrong,
 * and which of the two is faster depends on the machine.
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
