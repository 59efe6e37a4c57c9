import { cp, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import Database from 'libsql';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { saveDevice } from '../../server/save-device.ts';
import { startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { crashedData, sealsIn, secondBuild, stoppedData } from './data-folder.ts';

const pageBytes = 4096;

/** Starts a server on the data. Returns the code of the error for users; an error without a code is a bug and fails the test. */
async function outcomeOfStart(t: ExecutionContext, data: string): Promise<string> {
  try {
    const server = await startTestServer(t, { data });
    await requestAsDevice(server.port, '/update/door');
    await server.api('GET', '/projects/door/devices');
    await server.close(0);
    return 'started';
  } catch (error) {
    if (error instanceof OtaError) return error.code;
    throw error;
  }
}

async function outcomeOf(argv: readonly string[]): Promise<string> {
  const { exitCode, error } = await runCommand(argv, { cwd: '/' });
  return error?.code ?? String(exitCode);
}

/** Data with enough records for several pages in each table. */
async function fullData(t: ExecutionContext): Promise<string> {
  const { data, token } = await stoppedData(t);
  const server = await startTestServer(t, { data });
  for (let count = 0; count < 80; count++) {
    const mac = `02:00:00:00:00:${count.toString(16).padStart(2, '0').toUpperCase()}`;
    await saveDevice(server.parts, { ...newRecord('door', mac), enrolled: true, name: `device ${count}` });
  }
  await server.publish(secondBuild, { draft: true }, token);
  t.is((await server.api('POST', '/projects/door/rollouts', { version: '2.0' }, token)).status, 201);
  await server.close(0);
  return data;
}

test('reports a named error for a damaged page in every command, and never crashes', async (t) => {
  const data = await fullData(t);
  const folder = await testFolder(t);
  const pages = (await stat(join(data, 'ota.db'))).size / pageBytes;
  t.true(pages > 20);
  let withstood = 0;
  const named = ['started', '0', 'SERVER_DATA_UNREADABLE', 'SERVER_DATA_DAMAGED', 'SERVER_DATABASE_LOST'];
  for (let page = 0; page < pages; page++) {
    const copy = folder.at(`page${page}`);
    await cp(data, copy, { recursive: true, preserveTimestamps: true });
    const file = await open(join(copy, 'ota.db'), 'r+');
    await file.write(Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, page * pageBytes);
    await file.close();
    const outcomes = [
      await outcomeOf(['server', 'check', '--data', copy]),
      await outcomeOf(['server', 'backup', '--data', copy, '--out', folder.at('backup.ndjson')]),
      await outcomeOf(['server', 'check', '--data', copy, '--repair']),
      await outcomeOfStart(t, copy),
    ];
    const isNamed = outcomes.every((outcome) => named.includes(outcome));
    t.true(isNamed, `page ${page}: ${outcomes.join(', ')}`);
    if (isNamed) withstood++;
  }
  countAttacks({ kind: 'damaged database pages', tried: pages, withstood });
});

test('keeps the records on the other pages when it repairs a damaged page', async (t) => {
  const data = await fullData(t);
  const content = await readFile(join(data, 'ota.db'));
  const devicesOn = (page: number) =>
    content
      .subarray(page * pageBytes, (page + 1) * pageBytes)
      .toString('latin1')
      .split('"name":"device ').length;
  // Considers only leaf pages (their first byte is 10), because damage to a page above them would affect all devices.
  const pages = Array.from({ length: content.length / pageBytes }, (_, page) => page).filter(
    (page) => content[page * pageBytes] === 10,
  );
  const page = pages.reduce((best, other) => (devicesOn(other) > devicesOn(best) ? other : best));
  content.fill(0xa5, page * pageBytes, (page + 1) * pageBytes);
  await writeFile(join(data, 'ota.db'), content);
  t.is(await outcomeOf(['server', 'check', '--data', data]), 'SERVER_DATA_DAMAGED');
  const { exitCode, stderr } = await runCommand(['server', 'check', '--data', data, '--repair'], { cwd: '/' });
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /Dropped the unreadable rows of devices/);
  const server = await startTestServer(t, { data });
  const count = await server.parts.store.devices.count('door');
  t.true(count > 30 && count < 80, `${count} of 80 devices`);
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

test('reports a named error for damage to whole files', async (t) => {
  const damages: readonly ((data: string) => Promise<void>)[] = [
    (data) => truncate(join(data, 'ota.db'), 1),
    (data) => truncate(join(data, 'ota.db'), 100),
    (data) => truncate(join(data, 'ota.db'), pageBytes),
    (data) => truncate(join(data, 'ota.db'), 5 * pageBytes),
    (data) => truncate(join(data, 'ota.db'), 5 * pageBytes + 17),
    (data) => writeFile(join(data, 'ota.db'), Buffer.alloc(9 * pageBytes)),
    (data) =>
      writeFile(join(data, 'ota.db'), 'not a database, but long enough to be read as the header of one '.repeat(90)),
    (data) => writeFile(join(data, 'ota.db-wal'), Buffer.alloc(9 * pageBytes, 0x37)),
    (data) => truncate(join(data, 'ota.db-wal'), 100),
    async (data) => writeFile((await sealsIn(data))[0] ?? '', '{"database":'),
    async (data) => writeFile((await sealsIn(data))[0] ?? '', ''),
    async (data) => writeFile((await sealsIn(data))[0] ?? '', Buffer.alloc(1000, 0xff)),
  ];
  for (const [index, damage] of damages.entries()) {
    for (const make of [stoppedData, crashedData]) {
      const { data } = await make(t);
      await damage(data).catch((error) => t.is(error.code, 'ENOENT'));
      const checked = await outcomeOf(['server', 'check', '--data', data]);
      t.true(['0', 'SERVER_DATA_DAMAGED'].includes(checked), `damage ${index}: ${checked}`);
      const started = await outcomeOfStart(t, data);
      const expected = ['started', 'SERVER_DATA_UNREADABLE', 'SERVER_DATABASE_LOST', 'SERVER_DATABASE_OLDER'];
      t.true(expected.includes(started), `damage ${index}: ${started}`);
    }
  }
  countAttacks({ kind: 'damaged data folders', tried: 2 * damages.length, withstood: 2 * damages.length });
});

test('reports a named error at startup for a document that the server would not write', async (t) => {
  const changes = [
    "UPDATE projects SET doc = 'x'",
    "UPDATE projects SET doc = 'null'",
    "UPDATE projects SET doc = '{}'",
    'UPDATE projects SET doc = \'{"createdAt":1}\'',
    "UPDATE releases SET manifest = ''",
    "UPDATE releases SET manifest = '[]'",
    'UPDATE releases SET manifest = \'{"image":{}}\'',
    "UPDATE rollouts SET doc = '{'",
    "UPDATE rollouts SET doc = '{}'",
    "UPDATE meta SET value = '{' WHERE key = 'identity'",
  ];
  for (const change of changes) {
    const data = await fullData(t);
    const database = new Database(join(data, 'ota.db'));
    database.exec(change);
    database.close();
    t.is(await outcomeOfStart(t, data), 'SERVER_DATA_UNREADABLE', change);
  }
  countAttacks({ kind: 'stored documents of another shape', tried: changes.length, withstood: changes.length });
});

test('reports a named error when no file descriptor is available, and loses no firmware', async (t) => {
  const { folder, data } = await stoppedData(t);
  // The seal beside the firmware files counts the starts.
  const firmware = async () => (await folder.list()).filter((name) => /^data\/blobs\/..\//.test(name));
  const before = await firmware();
  const argv = ['serve', '--data', data, '--listen', '127.0.0.1:0'];
  let named = 0;
  let tried = 0;
  for (let limit = 19; limit < 46; limit += 1) {
    const server = startCli(argv, folder.path, {}, ['prlimit', `--nofile=${limit}`]);
    server.stderr?.on('data', (text) => {
      if (/Serving on/.test(String(text))) server.kill('SIGTERM');
    });
    const { exitCode, stderr } = await server;
    tried++;
    // Node.js itself needs some descriptors, and ends with a signal or its own message if they are unavailable.
    t.not(exitCode, 70, `limit ${limit}: ${stderr}`);
    if (/error\[(OPEN_FILES_LIMIT|SERVER_DATA_UNREADABLE)\]/.test(stderr)) named++;
    t.notRegex(stderr, /Unexpected error/, `limit ${limit}`);
  }
  t.true(named > 0);
  t.deepEqual(await firmware(), before);
  await startTestServer(t, { data });
  countAttacks({ kind: 'starts with few file descriptors', tried, withstood: tried });
});
