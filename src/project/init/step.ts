import type { Insertion } from './insertion.ts';

/** One thing that `init` does; all paths are absolute. */
export type Step = (
  | {
      readonly kind: 'insert';
      readonly path: string;
      /** Whether the file is not there yet. */
      readonly isNew: boolean;
      readonly insertions: readonly Insertion[];
      /** A private key of ours that this keeps out of git: as long as it is there, this stays. */
      readonly guards?: string;
    }
  | { readonly kind: 'keys'; readonly privateKey: string; readonly publicKey: string }
  | { readonly kind: 'node'; readonly path: string; readonly node: string }
  | { readonly kind: 'core'; readonly folder: string }
) & {
  /** What it is, for the one who is asked: "add private.key to .gitignore". */
  readonly says: string;
};

/** What is to be done, and what the user should know besides. */
export interface Part {
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

export const nothing: Part = { steps: [], notes: [] };
