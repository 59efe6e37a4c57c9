import type { Signer } from '../../../core/signing/signer.ts';

/** Key to sign with. */
export interface KeyToUse {
  /** Name of the key in messages. */
  readonly name: string;
  /** Files that no output may overwrite: the key and the detached signatures. */
  readonly paths: readonly string[];
  /** Requirement of the project's guard; undefined if the project was not read or has no guard. */
  readonly guardRequires?: 'signature' | 'metadata' | undefined;
  open(): Promise<OpenKey>;
}

interface OpenKey {
  readonly signer: Signer;
  /** Checks that every detached signature belongs to a signed file. */
  readonly requireAllUsed: () => void;
}
