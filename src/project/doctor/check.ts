import type { CheckContext } from './context.ts';

/** `ok`: no problem. `note`: information. `warning`: may cause a problem. `error`: prevents builds or updates, or makes them unsafe. */
export type Level = 'ok' | 'note' | 'warning' | 'error';

export interface DoctorFinding {
  readonly level: Level;
  /** Result in one line. */
  readonly message: string;
  /** What the user can do about the problem; begins with an imperative. */
  readonly fix?: string | undefined;
  readonly autofix?: Autofix | undefined;
}

/** Fix that `--fix` applies; provided only where it can do no harm. */
interface Autofix {
  /** Message shown after the fix was applied, such as "added private.key to .gitignore". */
  readonly done: string;
  readonly apply: () => Promise<unknown>;
}

/** Check for one kind of problem. */
export type Check = (context: CheckContext) => Promise<readonly DoctorFinding[]> | readonly DoctorFinding[];
