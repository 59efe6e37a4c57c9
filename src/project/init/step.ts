import type { Config } from '../config/schema.ts';
import type { Insertion } from './insertion.ts';

/** Step of `init`. All paths are absolute. */
export type InitStep = (
  | {
      readonly kind: 'insert';
      readonly path: string;
      /** True if the step creates the file. */
      readonly isNew: boolean;
      readonly insertions: readonly Insertion[];
      /** Private key created by init that the inserted text keeps out of git. Undo keeps the text while the key exists. */
      readonly guards?: string;
    }
  | { readonly kind: 'keys'; readonly privateKey: string; readonly publicKey: string }
  | {
      /** Writes the configuration, or adds the public key to it. The public key may be created by an earlier step. */
      readonly kind: 'config';
      readonly path: string;
      /** Content of a new configuration without the key; undefined if the file exists. */
      readonly content: Config | undefined;
      /** Public key to record; undefined if the project has no key of its own. */
      readonly publicKey: string | undefined;
    }
  | { readonly kind: 'node'; readonly path: string; readonly node: string }
  | { readonly kind: 'core'; readonly folder: string }
) & {
  /** Description of the step for the prompt, such as "add private.key to .gitignore". */
  readonly description: string;
};

/** Planned steps of `init`, and notes for the user. */
export interface SetupPlan {
  readonly steps: readonly InitStep[];
  readonly notes: readonly string[];
}

export const emptyPlan: SetupPlan = { steps: [], notes: [] };
