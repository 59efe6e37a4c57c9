import { visit } from 'jsonc-parser';
import { findJsonError } from '../../../../../project/config/json-error.ts';
import type { TableRow, TableRows } from './table-row.ts';

/**
 * Reads a JSON object that maps each MAC address to a file, or to an object with `file` and `version`.
 *
 * @param firstLine line of the file at which the JSON text begins
 */
export function readJsonTable(json: string, firstLine = 1): TableRows {
  const syntax = findJsonError(json);
  if (syntax !== undefined) {
    const { line, column } = syntax;
    return { error: `JSON syntax error at line ${firstLine + line - 1}, column ${column}` };
  }
  if (!json.trimStart().startsWith('{')) return { error: 'it is not a JSON object with MAC addresses as keys' };
  const rows: { -readonly [Key in keyof TableRow]: TableRow[Key] }[] = [];
  visit(json, {
    onObjectProperty: (name, _offset, _length, line, _column, path) => {
      if (path().length === 0) rows.push({ line: firstLine + line, mac: name, file: undefined, version: undefined });
    },
    onLiteralValue: (value: unknown, _offset, _length, _line, _column, path) => {
      const row = rows.at(-1);
      const [, key, ...deeper] = path();
      if (row === undefined || deeper.length > 0) return;
      if ((key === undefined || key === 'file') && typeof value === 'string') row.file = value;
      if (key === 'version' && (typeof value === 'string' || typeof value === 'number')) row.version = value;
    },
  });
  return rows;
}
