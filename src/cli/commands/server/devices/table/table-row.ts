/** Device in a table, before its values are checked. */
export interface TableRow {
  /** Line of the file, starting at 1. */
  readonly line: number;
  readonly mac: string;
  /** File of the device's firmware. Undefined if the row does not name a file as text. */
  readonly file: string | undefined;
  readonly version: string | number | undefined;
}

/** Rows of a table, or the first error. */
export type TableRows = readonly TableRow[] | { readonly error: string };
