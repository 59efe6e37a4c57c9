import type { World } from './world.ts';

/** `ok`: no problem. `note`: information. `warning`: may cause a problem. `error`: prevents builds or updates, or makes them unsafe. */
export type Level = 'ok' | 'note' | 'warning' | 'error';

export interface DoctorFinding {
  readonly level: Level;
  /** Result in one line. */
  readonly says: string;
  /** Hint on how to fix the problem. */
  readonly mend?: string | undefined;
  /** Automatic fix, only where it can do no harm. `says` is the report after it was applied, in one line. */
  readonly fix?: { readonly says: string; readonly apply: () => Promise<unknown> } | undefined;
}

/** Check for one kind of problem. */
export interface Check {
  readonly about: string;
  readonly run: (world: World) => Promise<readonly DoctorFinding[]> | readonly DoctorFinding[];
}
