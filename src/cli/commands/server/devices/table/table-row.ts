/** Device in a table, before its values are checked. */
export interface TableRow {
  /** Line of the file, starting at 1. */
  readonly line: number;
  readonly mac: string;
  /** Values by column name, as text; lists of labels as arrays. Empty cells are absent. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** Rows of a table, or the first error. */
export type TableRows = readonly TableRow[] | { readonly error: string };

/** Columns of a table besides the MAC address. `version` belongs to update scripts and is ignored. */
export const columnNames = [
  'name',
  'group',
  'labels',
  'board',
  'channel',
  'pin',
  'project',
  'file',
  'version',
] as const;
