import { OtaError } from '../../../../../errors/ota-error.ts';
import { macOfNotation } from '../mac-address.ts';
import { readCsvTable } from './csv-table.ts';
import { readJsonTable } from './json-table.ts';
import { readPhpTable } from './php-table.ts';
import type { TableRows } from './table-row.ts';

/** Device table for the server: MAC addresses in the server's form, each with the file and the version of the device. */
export type DeviceTable = Readonly<
  Record<string, { readonly file: string; readonly version?: string | number | undefined }>
>;

/**
 * Reads a device table: JSON, the table of a PHP update script, or CSV. The format is detected from the content, not from the file name.
 *
 * @throws OtaError DEVICE_TABLE_INVALID with the line of the first error
 */
export function readDeviceTable(bytes: Uint8Array, path: string): DeviceTable {
  const rows = readRows(decode(bytes));
  if ('error' in rows) throw new OtaError('DEVICE_TABLE_INVALID', { path, reason: rows.error });
  const table: Record<string, DeviceTable[string]> = {};
  const lines = new Map<string, number>();
  for (const { line, mac: text, file, version } of rows) {
    const invalid = (reason: string) =>
      new OtaError('DEVICE_TABLE_INVALID', { path, reason: `line ${line}: ${reason}` });
    const mac = macOfNotation(text);
    if (mac === undefined) throw invalid(`${JSON.stringify(text.slice(0, 40))} is not a MAC address`);
    const before = lines.get(mac);
    if (before !== undefined) throw invalid(`${mac} is already on line ${before}`);
    if (file === undefined) throw invalid(`no file for ${mac}`);
    lines.set(mac, line);
    table[mac] = { file, ...(version === undefined ? {} : { version }) };
  }
  if (lines.size === 0) throw new OtaError('DEVICE_TABLE_INVALID', { path, reason: 'it contains no devices' });
  return table;
}

/** Decodes UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell writes it. The mark itself is removed. */
function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return new TextDecoder(isWide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8').decode(bytes);
}

function readRows(text: string): TableRows {
  if (/^\s*\{/.test(text)) return readJsonTable(text);
  if (/^\s*<\?|=>/.test(text)) return readPhpTable(text);
  return /^\s*\[/.test(text) ? readJsonTable(text) : readCsvTable(text);
}
