import { macOfNotation } from '../mac-address.ts';
import type { TableRow, TableRows } from './table-row.ts';

interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Columns of a table. Undefined: the table has no such column. */
interface Columns {
  readonly mac: number;
  readonly file: number | undefined;
  readonly version: number | undefined;
}

/**
 * Reads a CSV file with commas, semicolons or tabs. With a header, the columns are found by their names; without one, the first column
 * contains the MAC address, the second the file and the third the version. Empty lines and lines that begin with # are skipped.
 */
export function readCsvTable(text: string): TableRows {
  const lines = text.split(/\r\n?|\n/);
  const first = lines.find((line) => isData(line)) ?? '';
  const separator = [';', '\t', ','].find((character) => first.includes(character)) ?? ',';
  const records = lines.flatMap((line, at): CsvRecord[] =>
    isData(line) ? [{ line: at + 1, fields: fieldsOf(line, separator) }] : [],
  );
  const [head, ...rest] = records;
  if (head === undefined) return { error: 'it is empty' };
  const header = columnsOf(head.fields);
  const { mac, file, version } = header ?? { mac: 0, file: 1, version: 2 };
  return (header === undefined ? records : rest).map(({ line, fields }): TableRow => {
    const fieldAt = (column: number | undefined) => (column === undefined ? undefined : fields[column]) || undefined;
    // A list without files is complete: the server uses the file only as the name of the device.
    return { line, mac: fieldAt(mac) ?? '', file: fieldAt(file) ?? '', version: fieldAt(version) };
  });
}

function isData(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#');
}

/** Returns the columns of a header. Returns undefined if the line contains a MAC address or no column for it. */
function columnsOf(fields: readonly string[]): Columns | undefined {
  const columnOf = (names: RegExp) => {
    const at = fields.findIndex((field) => names.test(field.trim()));
    return at === -1 ? undefined : at;
  };
  const mac = columnOf(/^(?:.*\b)?mac\b/i);
  if (mac === undefined || fields.some((field) => macOfNotation(field) !== undefined)) return undefined;
  return { mac, file: columnOf(/^(?:file|firmware|image|name)/i), version: columnOf(/^version/i) };
}

function fieldsOf(line: string, separator: string): readonly string[] {
  const pattern = new RegExp(`(?: *"((?:[^"]|"")*)" *|([^${separator}]*))(?:${separator}|$)`, 'g');
  return [...line.matchAll(pattern)].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim());
}
