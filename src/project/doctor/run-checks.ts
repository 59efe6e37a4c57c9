import { OtaError } from '../../errors/ota-error.ts';
import type { Check, DoctorFinding } from './check.ts';
import type { CheckContext } from './context.ts';
import { type CheckName, checks } from './registry.ts';

/** Finding, with the name of the check that reported it. */
export interface CheckFinding extends DoctorFinding {
  readonly check: CheckName;
}

/**
 * Runs all checks concurrently and returns the findings in the order of the registry.
 *
 * @param onProgress called with the fraction of completed checks, from 0 to 1
 */
export async function runChecks(
  context: CheckContext,
  onProgress: (share: number) => void,
): Promise<readonly CheckFinding[]> {
  const entries = Object.entries(checks) as [CheckName, Check][];
  let done = 0;
  const found = await Promise.all(
    entries.map(async ([name, check]) => {
      const all = await findings(check, context);
      done += 1;
      onProgress(done / entries.length);
      return all.map((finding) => ({ check: name, ...finding }));
    }),
  );
  return found.flat();
}

/** Runs a check. An OtaError becomes a finding, so that an unreadable file does not stop the other checks. */
async function findings(check: Check, context: CheckContext): Promise<readonly DoctorFinding[]> {
  try {
    return await check(context);
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    return [{ level: 'error', message: error.message, fix: error.hint }];
  }
}
