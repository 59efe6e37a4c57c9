import { setTimeout } from 'node:timers/promises';

/** Pause between two looks at a condition, in milliseconds. Without it, a waiting test would take the CPU from the program that it waits for. */
const pauseMs = 2;

/** Waits until a condition holds. AVA's timeout ends a test whose condition never holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(pauseMs);
}
