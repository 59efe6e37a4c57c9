import test from 'ava';
import { macOfNotation } from '../../../src/cli/commands/server/devices/mac-address.ts';
import { readDeviceTable } from '../../../src/cli/commands/server/devices/table/read-table.ts';
import { expectOtaError } from '../../support/expected-error.ts';

const door = 'DOOR-7-g14f53a19.bin';
const mac = '18:FE:AA:AA:AA:AA';
const other = '18:FE:AA:AA:AA:BB';

/** Reads a table, and returns its files by MAC. */
function read(text: string | Uint8Array) {
  const devices = readDeviceTable(typeof text === 'string' ? Buffer.from(text) : text, 'table');
  return Object.fromEntries(devices.map(({ device, file }) => [device.mac, file]));
}

async function reasonOf(t: Parameters<typeof expectOtaError>[0], text: string): Promise<string> {
  const { message } = await expectOtaError(t, 'DEVICE_TABLE_INVALID', async () => read(text));
  return message.replace('table is not a device table: ', '');
}

test('reads MAC addresses with colons, dashes, dots or no separators, in any case', (t) => {
  for (const text of ['18:FE:AA:0b:cC:01', '18-fe-aa-0b-cc-01', '18feaa0bcc01', '18FE.AA0B.CC01', ' 18FEAA0BCC01 ']) {
    t.is(macOfNotation(text), '18:FE:AA:0B:CC:01', text);
  }
  for (const text of [
    '',
    '18:FE:AA:0B:CC',
    '18:FE-AA:0B:CC:01',
    '18F0AA0BCC0G',
    '18:F0:AA:0B:CC:01:02',
    '18 F0 AA 0B CC 01',
  ]) {
    t.is(macOfNotation(text), undefined, text);
  }
});

test('reads JSON objects of files, and of objects with a file and a version', (t) => {
  const nested = `{"${mac}": {"file": "DOOR-7-g14f53a19.bin", "version": 1},\n "18-fe-aa-aa-aa-bb": {"version": "2", "file": "b.bin"}}`;
  t.deepEqual(read(nested), { [mac]: door, [other]: 'b.bin' });
  t.deepEqual(read(`{"18feaaaaaaaa": "a.bin"}`), { [mac]: 'a.bin' });
  const list = `[{"mac": "${mac}", "file": "a.bin"},\n {"file": "b.bin", "mac": "18feaaaaaabb"}]`;
  t.deepEqual(read(list), { [mac]: 'a.bin', [other]: 'b.bin' });
});

test('reads the PHP arrays of update scripts', (t) => {
  const flat = `<?PHP
// $db = array("00:00:00:00:00:00" => "old.bin");
header('Content-type: text/plain; charset=utf8', true);
$options = array('debug' => true, "level" => 3);
$db = array(
    "18:FE:AA:AA:AA:AA" => "DOOR-7-g14f53a19.bin", # front door
    '18-fe-aa-aa-aa-bb' => 'TEMP-1.0.0.bin'
);
if (!isset($db[$_SERVER['HTTP_X_ESP8266_STA_MAC']])) { header('500'); }
`;
  const files = { [mac]: door, [other]: 'TEMP-1.0.0.bin' };
  t.deepEqual(read(flat), files);
  const nested = `$db = ["${mac}" => ["file" => "DOOR-7-g14f53a19.bin", "version" => 1], '${other}' => array('file' => 'b.bin')];`;
  t.deepEqual(read(nested), { [mac]: door, [other]: 'b.bin' });
});

test('reads the JSON text in the PHP script of the core documentation', (t) => {
  const script = `<?PHP
header($_SERVER["SERVER_PROTOCOL"].' 200 OK', true, 200);
$db_string = '{
    "18:FE:AA:AA:AA:AA": {"file": "DOOR-7-g14f53a19.bin", "version": 1},
    "18:FE:AA:AA:AA:BB": {"file": "TEMP-1.0.0.bin", "version": 1}}';
$db = json_decode($db_string, true);
`;
  t.deepEqual(read(script), { [mac]: door, [other]: 'TEMP-1.0.0.bin' });
});

test('reads CSV with and without a header, with any separator', (t) => {
  const both = { [mac]: 'a.bin', [other]: 'b,c.bin' };
  t.deepEqual(read(`${mac},a.bin,1\n\n# comment\n${other.replaceAll(':', '')},"b,c.bin"\n`), both);
  t.deepEqual(read(`Firmware;Version;MAC address\r\na.bin;1;${mac}\r\nb,c.bin;;${other}\r\n`), both);
  t.deepEqual(read(`mac\tfile\tversion\n${mac}\ta.bin\t1\n${other}\tb,c.bin`), both);
  t.deepEqual(read(`${mac}\n${other}\n`), { [mac]: '', [other]: '' });
});

test('reads the settings of devices from CSV and JSON', (t) => {
  const settings = { name: 'front door', group: 'hall', labels: ['north', 'ground'], board: 'd1_mini', pin: '1.0' };
  const device = { mac, ...settings };
  const csv = `MAC,name,group,labels,board,pin,project\n${mac},front door,hall,north ground,d1_mini,1.0,door\n`;
  const json = JSON.stringify({ [mac]: { ...settings, project: 'door' } });
  for (const text of [csv, json, JSON.stringify([{ ...device, project: 'door' }])]) {
    t.deepEqual(readDeviceTable(Buffer.from(text), 'table'), [{ device, project: 'door', file: '' }]);
  }
});

test('reads tables in UTF-8 and UTF-16 with a byte order mark', (t) => {
  const json = `\uFEFF{"${mac}": "tür.bin"}`;
  const csv = `\uFEFFmac,file\r\n${mac},tür.bin\r\n`;
  for (const text of [json, csv]) {
    const wide = Buffer.from(text, 'utf16le');
    for (const bytes of [Buffer.from(text), wide, Buffer.from(wide).swap16()]) {
      t.deepEqual(read(bytes), { [mac]: 'tür.bin' });
    }
  }
});

const columns = 'name, group, labels, board, channel, pin, project, file, version';
const nameRule = 'must be 1 to 64 letters, digits, dots, dashes or underscores, and begin with a letter or digit';

test('rejects text that is not UTF-8, with the line', async (t) => {
  const bytes = Buffer.from(`mac,name\n${mac},t\xfcr\n`, 'latin1');
  const { message } = await expectOtaError(t, 'DEVICE_TABLE_INVALID', async () => read(bytes));
  t.regex(message, /line 2: it is not UTF-8 text; save the file as UTF-8$/);
});

test('reports the first error with its line', async (t) => {
  const cases: readonly (readonly [table: string, reason: string])[] = [
    [`{"${mac}": "a.bin",\n "18:FE": "b.bin",\n "x": "c.bin"}`, 'line 2: "18:FE" is not a MAC address'],
    [`{"${mac}": "a.bin",\n\n "18feaaaaaaaa": "b.bin"}`, `line 3: ${mac} is already on line 1`],
    [`{\n"${mac}": "TEMP-1.0.0".bin"}`, 'JSON syntax error at line 2, column 34'],
    [`<?php $db_string = '\n{"a": 1,\n "${mac}": "TEMP-1.0.0".bin"}';`, 'JSON syntax error at line 3, column 35'],
    [`["${mac}"]`, 'it is neither a JSON object with MAC addresses as keys nor an array of objects'],
    [`$db = array("${mac}" => "a.bin",\n"18:FE" => "b.bin");`, 'line 2: "18:FE" is not a MAC address'],
    ['<?php echo "door";', 'it contains no array that maps MAC addresses to files'],
    [`mac,file\n${mac},a.bin\ndoor,b.bin`, 'line 3: "door" is not a MAC address'],
    [`mac,tint\n${mac},red`, `line 1: unknown column "tint"; columns are mac, ${columns}`],
    [`mac,name,Name\n${mac},a,b`, 'line 1: two columns contain the name'],
    [`mac,name\n${mac},a,b`, 'line 2: it has 3 values, but the header has 2'],
    [`${mac},a,1,b`, 'line 1: it has 4 values, but the table has no header'],
    [`{"${mac}": {"tint": "red"}}`, `line 1: unknown field "tint"; fields are mac, ${columns}`],
    [`mac,group\n${mac},a b`, `line 2: group of ${mac}: ${nameRule}`],
    [`[{"name": "lamp"}]`, 'line 1: "" is not a MAC address'],
    ['\n', 'it is empty'],
    ['{}', 'it contains no devices'],
  ];
  for (const [table, reason] of cases) t.is(await reasonOf(t, table), reason, table);
});

test('reads 100,000 rows, and reports a duplicate in the last of them with both lines', async (t) => {
  const macOf = (index: number) => `02${index.toString(16).padStart(10, '0').toUpperCase()}`;
  const table = `mac,name\n${Array.from({ length: 100_000 }, (_, index) => `${macOf(index)},lamp ${index}\n`).join('')}`;
  t.is(readDeviceTable(Buffer.from(table), 'table').length, 100_000);
  t.is(await reasonOf(t, `${table}${macOf(0)},again\n`), 'line 100002: 02:00:00:00:00:00 is already on line 2');
});

test('reads a script with unclosed comments, strings and arrays in linear time', async (t) => {
  // In quadratic time, this would take hours, and the test would reach the time limit of AVA.
  for (const opening of ['/*', "'\\", '"', "('a'=>"]) {
    t.regex(await reasonOf(t, `<?php ${opening.repeat(200_000)}`), /it contains no array/);
  }
});
