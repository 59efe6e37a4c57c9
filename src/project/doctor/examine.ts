import { OtaError } from '../../errors/ota-error.ts';
import type { Check, DoctorFinding } from './check.ts';
import { type CheckName, checks } from './registry.ts';
import type { World } from './world.ts';

/** Finding with the name of its check. */
export interface Diagnosis extends DoctorFinding {
  readonly check: CheckName;
}

/**
 * Runs all checks concurrently and returns the findings in the order of the registry.
 *
 * @param tell receives the share of completed checks, from 0 to 1
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

/** Runs a check and returns its OtaError as a finding, so that an unreadable file does not stop the other checks. */
async function findings(check: Check, world: World): Promise<readonly DoctorFinding[]> {
  try {
    return await check.run(world);
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    return [{ level: 'error', says: error.message, mend: error.hint }];
  }
}
