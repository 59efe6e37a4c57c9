import type { RowRepair } from './row-repairs.ts';

/** Kind of damage, for programs. */
export const dataProblemKinds = [
  'database-missing',
  'database-damaged',
  'database-newer',
  'changes-lost',
  'record-invalid',
  'record-unconnected',
  'record-beyond-limits',
  'alias-mismatch',
  'release-mismatch',
  'promotion-mismatch',
  'current-release-mismatch',
  'rollout-mismatch',
  'sketch-md5-mismatch',
  'manifest-mismatch',
  'count-mismatch',
  'blob-missing',
  'blob-damaged',
  'file-unknown',
] as const;

/** Damage that a check found. */
export interface DataProblem {
  readonly kind: (typeof dataProblemKinds)[number];
  readonly message: string;
  /** Absolute path of the file that is damaged or does not belong in the folder. */
  readonly path?: string | undefined;
}

/** Result of checking a data folder. */
export interface DataReport {
  readonly problems: readonly DataProblem[];
  /** Safe repairs of readable rows. */
  readonly repairs: readonly RowRepair[];
  /** Number of readable records, by table. */
  readonly records: Readonly<Record<string, number>>;
  readonly blobs: {
    readonly complete: number;
    readonly sizeBytes: number;
    /**
     * Complete blobs that no release refers to. The server removes them a day after their upload, unless the record of the upload is lost.
     */
    readonly unused: number;
    readonly unfinished: number;
  };
}

/** Called with the fraction of the work that is done. */
export type ShowFraction = (fraction: number) => void;
