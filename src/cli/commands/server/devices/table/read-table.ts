import * as v from 'valibot';
import { type ImportedDevice, importedDeviceSchema } from '../../../../../api/device-sets.ts';
import { OtaError } from '../../../../../errors/ota-error.ts';
import { macOfNotation } from '../mac-address.ts';
import { readCsvTable } from './csv-table.ts';
import { readJsonTable } from './json-table.ts';
import { readPhpTable } from './php-table.ts';
import { columnNames, type TableRow, type TableRows } from './table-row.ts';

/** Device of a table, in the form of the API, with what determines its project. */
export interface TableDevice {
  readonly device: ImportedDevice;
  readonly project: string | undefined;
  /** File of the device in an update script; empty if there is none. */
  readonly file: string;
}

/** Number of characters of a file name that become the name of a device. */
const mostNameCharacters = 64;

/**
 * Reads a device table: JSON, the table of a PHP update script, or CSV. The format is detected from the content, not from the file name.
 *
 * @throws OtaError DEVICE_TABLE_INVALID with the line of the first error
 */
export function readDeviceTable(bytes: Uint8Array, path: string): readonly TableDevice[] {
  const fail = (reason: string) => new OtaError('DEVICE_TABLE_INVALID', { path, reason });
  const text = decode(bytes);
  const rows = typeof text === 'string' ? readRows(text) : text;
  if ('error' in rows) throw fail(rows.error);
  const lines = new Map<string, number>();
  const devices = rows.map((row) => {
    const device = deviceOf(row);
    if ('error' in device) throw fail(`line ${row.line}: ${device.error}`);
    const { mac } = device.device;
    const before = lines.get(mac);
    if (before !== undefined) throw fail(`line ${row.line}: ${mac} is already on line ${before}`);
    lines.set(mac, row.line);
    return device;
  });
  if (devices.length === 0) throw fail('it contains no devices');
  return devices;
}

function deviceOf({ mac: text, values }: TableRow): TableDevice | { readonly error: string } {
  const mac = macOfNotation(text);
  if (mac === undefined) return { error: `${JSON.stringify(text.slice(0, 40))} is not a MAC address` };
  const unknown = Object.keys(values).find((key) => !columnNames.some((name) => name === key));
  if (unknown !== undefined) {
    return { error: `unknown field ${JSON.stringify(unknown)}; fields are mac, ${columnNames.join(', ')}` };
  }
  const { file = '', version: _, project, labels, ...settings } = values;
  if (typeof file !== 'string') return { error: `the file of ${mac} is not text` };
  if (project !== undefined && typeof project !== 'string') return { error: `the project of ${mac} is not text` };
  const candidate = {
    mac,
    ...settings,
    ...(labels !== undefined && {
      labels: typeof labels === 'string' ? labels.split(/[\s,]+/).filter(Boolean) : labels,
    }),
    ...(file !== '' && { defaultName: file.slice(0, mostNameCharacters) }),
  };
  const { success, output, issues } = v.safeParse(importedDeviceSchema, candidate, { abortEarly: true });
  if (success) return { device: output, project, file };
  const [field] = (v.getDotPath(issues[0]) ?? '').split('.');
  return { error: `${field === 'defaultName' ? 'file' : field} of ${mac}: ${issues[0].message}` };
}

/**
 * Decodes UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell writes it. The mark itself is removed. Text in another encoding is
 * rejected, because its names would be garbled.
 */
function decode(bytes: Uint8Array): string | { readonly error: string } {
  const [first, second] = bytes;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = isWide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const readable = new TextDecoder(encoding).decode(bytes);
    const line = readable.slice(0, readable.indexOf('\uFFFD')).split('\n').length;
    return { error: `line ${line}: it is not UTF-8 text; save the file as UTF-8` };
  }
}

function readRows(text: string): TableRows {
  if (/^\s*\{/.test(text)) return readJsonTable(text);
  if (/^\s*<\?|=>/.test(text)) return readPhpTable(text);
  return /^\s*\[/.test(text) ? readJsonTable(text) : readCsvTable(text);
}
