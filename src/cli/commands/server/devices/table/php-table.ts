import { macOfNotation } from '../mac-address.ts';
import { readJsonTable } from './json-table.ts';
import type { TableRow, TableRows } from './table-row.ts';

/**
 * Reads the table of a PHP update script: an array that maps each MAC address to a file, or to an array with `file` and `version`, or a
 * string with the same table in JSON. The script is never executed.
 */
export function readPhpTable(script: string): TableRows {
  const tokens = tokensOf(script);
  const json = tokens.find(({ kind, text }) => kind === 'string' && /^\s*\{\s*"/.test(text));
  if (json !== undefined) return readJsonTable(json.text, json.line);
  return readArray(tokens) ?? { error: 'it contains no array that maps MAC addresses to files' };
}

interface Token {
  readonly kind: 'string' | 'other';
  readonly text: string;
  readonly line: number;
}

/**
 * Comments, strings, arrows, brackets, commas, and words such as `array` and numbers. A comment or a string without an end extends to the
 * end of the script, so that a script is read in linear time.
 */
const tokenPattern =
  /\/\*(?:[\s\S]*?\*\/|[\s\S]*)|(?:\/\/|#)[^\n]*|'((?:[^'\\]|\\[\s\S]?)*)(?:'|$)|"((?:[^"\\]|\\[\s\S]?)*)(?:"|$)|=>|[()[\],;=]|[^\s()[\],;'"=]+/g;

function tokensOf(script: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let counted = 0;
  for (const match of script.matchAll(tokenPattern)) {
    line += linesIn(script.slice(counted, match.index));
    counted = match.index;
    const [text, single, double] = match;
    const content = single ?? double;
    if (content !== undefined) tokens.push({ kind: 'string', text: content.replace(/\\(['"\\])/g, '$1'), line });
    else if (!/^(?:\/\/|\/\*|#)/.test(text)) tokens.push({ kind: 'other', text, line });
  }
  return tokens;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

type ArrayRows = (Omit<TableRow, 'values'> & { readonly values: Record<string, unknown> })[];

/**
 * Returns the entries of the first array that has a MAC address as a key. An entry has a file if its value is text, or an array with a text
 * value for `file`. Other values of the script are ignored, because the script keeps them for itself.
 */
function readArray(tokens: readonly Token[]): readonly TableRow[] | undefined {
  const open: ArrayRows[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text, line } = tokens[at] ?? { kind: 'other', text: '', line: 0 };
    if (kind === 'other' && (text === '(' || text === '[')) open.push([]);
    if (kind === 'other' && (text === ')' || text === ']')) {
      const closed = open.pop();
      if (closed?.some(({ mac }) => macOfNotation(mac) !== undefined)) return closed;
    }
    const value = tokens[at + 2];
    if (kind !== 'string' || tokens[at + 1]?.text !== '=>' || value === undefined) continue;
    const file = value.kind === 'string' ? value.text : undefined;
    open.at(-1)?.push({ line, mac: text, values: file === undefined ? {} : { file } });
    const owner = open.at(-2)?.at(-1);
    if (owner !== undefined && text === 'file' && file !== undefined) owner.values['file'] = file;
    // A text value is not the key of the next entry.
    if (value.kind === 'string') at += 2;
  }
  return open.find((rows) => rows.some(({ mac }) => macOfNotation(mac) !== undefined));
}
