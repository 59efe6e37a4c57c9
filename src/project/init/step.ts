import type { Insertion } from './insertion.ts';

/** One step of `init`; all paths are absolute. */
export type InitStep = (
  | {
      readonly kind: 'insert';
      readonly path: string;
      /** Whether the file does not exist yet. */
      readonly isNew: boolean;
      readonly insertions: readonly Insertion[];
      /** Private key created by init that the insertion keeps out of git. Undo keeps the insertion while the key exists. */
      readonly guards?: string;
    }
  | { readonly kind: 'keys'; readonly privateKey: string; readonly publicKey: string }
  | { readonly kind: 'node'; readonly path: string; readonly node: string }
  | { readonly kind: 'core'; readonly folder: string }
) & {
  /** Description for the prompt, such as "add private.key to .gitignore". */
  readonly description: string;
};

/** Planned steps, and notes for the user. */
export interface SetupPlan {
  readonly steps: readonly InitStep[];
  readonly notes: readonly string[];
}

export const emptyPlan: SetupPlan = { steps: [], notes: [] };
