import { OtaError } from '../../errors/ota-error.ts';
import type { Check, Finding } from './check.ts';
import { type CheckName, checks } from './registry.ts';
import type { World } from './world.ts';

/** A finding, and the check that it is of. */
export interface Diagnosis extends Finding {
  readonly check: CheckName;
}

/**
 * Runs all checks at once; what they find comes in the order of the registry.
 *
 * @param tell how many of them are done, from 0 to 1
 */
export async function examine(world: World, tell: (share: number) => void): Promise<readonly Diagnosis[]> {
  const entries = Object.entries(checks) as [CheckName, Check][];
  let done = 0;
  const found = await Promise.all(
    entries.map(async ([name, check]) => {
      const all = await findings(check, world);
      done += 1;
      tell(done / entries.length);
      return all.map((finding) => ({ check: name, ...finding }));
    }),
  );
  return found.flat();
}

/** A file that cannot be read keeps one check from its work, not the others. */
async function findings(check: Check, world: World): Promise<readonly Finding[]> {
  try {
    return await check.run(world);
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    return [{ level: 'error', says: error.message, mend: error.hint }];
  }
}
