import { visit } from 'jsonc-parser';
import { findJsonError } from '../../../../../project/config/json-error.ts';
import type { TableRow, TableRows } from './table-row.ts';

type Rows = {
  -readonly [Key in keyof TableRow]: TableRow[Key] extends string | number ? TableRow[Key] : Record<string, unknown>;
}[];

/**
 * Reads a JSON object that maps each MAC address to a file or to an object with values, or an array of objects with a `mac`.
 *
 * @param firstLine line of the file at which the JSON text begins
 */
export function readJsonTable(json: string, firstLine = 1): TableRows {
  const syntax = findJsonError(json);
  if (syntax !== undefined) {
    const { line, column } = syntax;
    return { error: `JSON syntax error at line ${firstLine + line - 1}, column ${column}` };
  }
  const start = json.trimStart();
  if (!start.startsWith('{') && !/^\[\s*[{\]]/.test(start)) {
    return { error: 'it is neither a JSON object with MAC addresses as keys nor an array of objects' };
  }
  return start.startsWith('{') ? rowsOfObject(json, firstLine) : rowsOfArray(json, firstLine);
}

function rowsOfObject(json: string, firstLine: number): Rows {
  const rows: Rows = [];
  visit(json, {
    onObjectProperty: (name, _offset, _length, line, _column, path) => {
      if (path().length === 0) rows.push({ line: firstLine + line, mac: name, values: {} });
    },
    onLiteralValue: (value: unknown, _offset, _length, _line, _column, path) => {
      const [, key = 'file', ...deeper] = path();
      addValue(rows.at(-1), String(key), value, deeper.length);
    },
  });
  return rows;
}

function rowsOfArray(json: string, firstLine: number): Rows {
  const rows: Rows = [];
  visit(json, {
    onObjectBegin: (_offset, _length, line, _column, path) => {
      if (path().length === 1) rows.push({ line: firstLine + line, mac: '', values: {} });
    },
    onLiteralValue: (value: unknown, _offset, _length, _line, _column, path) => {
      const [, key, ...deeper] = path();
      const row = rows.at(-1);
      if (row !== undefined && key === 'mac' && typeof value === 'string') row.mac = value;
      else if (key !== undefined) addValue(row, String(key), value, deeper.length);
    },
  });
  return rows;
}

/** Adds a value to a row. The elements of an array, which are one level deeper, are collected. */
function addValue(row: Rows[number] | undefined, key: string, value: unknown, levels: number): void {
  if (row === undefined || value === null) return;
  const known = row.values[key];
  if (levels === 0) row.values[key] = typeof value === 'number' ? String(value) : value;
  else row.values[key] = [...(Array.isArray(known) ? known : []), levels === 1 ? value : {}];
}
