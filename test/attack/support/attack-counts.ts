import { appendFileSync } from 'node:fs';

/** Number of attacks of one kind that a test tried, and how many the product withstood. */
export interface AttackCount {
  readonly kind: string;
  readonly tried: number;
  readonly withstood: number;
}

/** Environment variable with the file that collects the counts of all test processes, one JSON object per line. */
export const countsFileVariable = 'ATTACK_COUNTS_FILE';

/** Adds a count to the table that `npm run test:attack` prints. The test itself asserts that every attack failed. */
export function countAttacks(count: AttackCount): void {
  const path = process.env[countsFileVariable];
  // Lines this short are appended in one write, so the lines of parallel processes do not mix.
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(count)}\n`);
}
