import { macOfNotation } from '../mac-address.ts';
import { columnNames, type TableRow, type TableRows } from './table-row.ts';

interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Columns of a table without a header. */
const usualColumns = ['mac', 'file', 'version'] as const;

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
  const header = headerOf(head.fields);
  if (header !== undefined && 'error' in header) return { error: `line ${head.line}: ${header.error}` };
  const columns = header?.columns ?? usualColumns;
  const rows = header === undefined ? records : rest;
  const long = rows.find(({ fields }) => fields.length > columns.length && fields.slice(columns.length).some(Boolean));
  if (long !== undefined) {
    const expected = header === undefined ? 'the table has no header' : `the header has ${columns.length}`;
    return { error: `line ${long.line}: it has ${long.fields.length} values, but ${expected}` };
  }
  return rows.map(({ line, fields }) => rowOf(line, columns, fields));
}

function rowOf(line: number, columns: readonly string[], fields: readonly string[]): TableRow {
  const cells = columns.flatMap((column, index) => {
    const value = fields[index] ?? '';
    return column === 'mac' || value === '' ? [] : [[column, value] as const];
  });
  return { line, mac: fields[columns.indexOf('mac')] ?? '', values: Object.fromEntries(cells) };
}

function isData(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#');
}

/** Returns the columns of a header. Returns undefined if the line is not a header: it contains a MAC address, or no column for one. */
function headerOf(
  fields: readonly string[],
): { readonly columns: readonly string[] } | { readonly error: string } | undefined {
  const columns = fields.map((field) => columnOf(field.trim()));
  if (!columns.includes('mac') || fields.some((field) => macOfNotation(field) !== undefined)) return undefined;
  const unknown = columns.indexOf(undefined);
  if (unknown >= 0) {
    return { error: `unknown column ${JSON.stringify(fields[unknown])}; columns are mac, ${columnNames.join(', ')}` };
  }
  const known = columns.filter((column) => column !== undefined);
  const twice = known.find((column, index) => known.indexOf(column) !== index);
  return twice === undefined ? { columns: known } : { error: `two columns contain the ${twice}` };
}

function columnOf(field: string): string | undefined {
  if (/^(?:.*\b)?mac\b/i.test(field)) return 'mac';
  if (/^(?:firmware|image)$/i.test(field)) return 'file';
  if (/^label$/i.test(field)) return 'labels';
  return columnNames.find((name) => name === field.toLowerCase());
}

function fieldsOf(line: string, separator: string): readonly string[] {
  const pattern = new RegExp(`(?: *"((?:[^"]|"")*)" *|([^${separator}]*))(?:${separator}|$)`, 'g');
  const fields = [...line.matchAll(pattern)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.trim(),
  );
  // The pattern also matches the empty text at the end of the line.
  return line.endsWith(separator) ? fields : fields.slice(0, -1);
}
