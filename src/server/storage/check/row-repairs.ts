import type { DumpLine } from '../store.ts';

/** Repair of a row that can be read but contradicts other records or exceeds limits. */
export interface RowRepair {
  /** Name of the row; see `rowName`. */
  readonly name: string;
  /** The row after the repair; undefined if it is dropped. */
  readonly row: DumpLine['row'] | undefined;
  /** Message about the change. */
  readonly change: string;
}
