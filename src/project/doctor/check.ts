import type { CheckContext } from './context.ts';

/**
 * Severity of a finding. `ok`: no problem. `note`: information. `warning`: may cause a problem. `error`: prevents builds or updates, or
 * makes them unsafe.
 */
export type Level = 'ok' | 'note' | 'warning' | 'error';

export interface DoctorFinding {
  readonly level: Level;
  /** Finding in one line. */
  readonly message: string;
  /** Instruction for fixing the problem. Begins with an imperative. */
  readonly fix?: string | undefined;
  readonly autofix?: Autofix | undefined;
}

/** Fix that `--fix` applies. Only harmless fixes are provided. */
interface Autofix {
  /** Message for the user after the fix was applied, such as "added private.key to .gitignore". */
  readonly done: string;
  readonly apply: () => Promise<unknown>;
}

/** Check for one type of problem. */
export type Check = (context: CheckContext) => Promise<readonly DoctorFinding[]> | readonly DoctorFinding[];
