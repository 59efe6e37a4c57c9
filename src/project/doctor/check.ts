import type { World } from './world.ts';

/** `ok`: looked at and sound. `note`: good to know. `warning`: may bite. `error`: keeps builds or updates from working, or from being safe. */
export type Level = 'ok' | 'note' | 'warning' | 'error';

export interface Finding {
  readonly level: Level;
  /** What was found, in a line. */
  readonly says: string;
  /** What to do about it. */
  readonly mend?: string | undefined;
  /** Mends it, where that can do no harm; what it does, in a line. */
  readonly fix?: { readonly says: string; readonly apply: () => Promise<unknown> } | undefined;
}

/** Something that can be wrong, and be seen from here. */
export interface Check {
  readonly about: string;
  readonly run: (world: World) => Promise<readonly Finding[]> | readonly Finding[];
}
