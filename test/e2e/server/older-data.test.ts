/** A server that is killed while it migrates older data to the newest layout: no data is lost. */
import { cp, rm } from 'node:fs/promises';
import test from 'ava';
import Database from 'libsql';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import { apiRoot } from '../../../src/api/release.ts';
import { makeToken } from '../../../src/server/auth/tokens.ts';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { newestLayout } from '../../../src/server/storage/sqlite/migrations.ts';
import { openSqliteStore } from '../../../src/server/storage/sqlite/sqlite-store.ts';
import { auditBy } from '../../server/audit-by.ts';
import { testFolder } from '../../support/test-folder.ts';
import { serveWith } from './serving-process.ts';

const kills = Number(process.env['OTA_HOOKS_MIGRATION_KILLS'] ?? 70);
const devices = 1500;
const oldestLayout = 1;

function macOf(index: number): string {
  const hex = (value: number) => (value & 255).toString(16).padStart(2, '0').toUpperCase();
  return `02:00:00:00:${hex(index >> 8)}:${hex(index)}`;
}

/** Data in the layout of the first version: with devices, without the columns and indexes for device lists. */
async function writeOldData(folder: string): Promise<string> {
  const store = await openSqliteStore(`${folder}/ota.db`, 'a test');
  const { record, token } = makeToken({ role: 'admin', project: undefined, name: 'me' });
  await store.tokens.create(record, auditBy('test'));
  await store.catalog.saveProject(newProject('door', []), auditBy('test'));
  const running = { by: 'md5', version: '1.0' } as const;
  await Promise.all(
    Array.from({ length: devices }, (_, index) =>
      store.devices.save({ ...newRecord('door', macOf(index)), running, enrolled: true }, { mostDevices: devices }),
    ),
  );
  await store.close();
  const database = new Database(`${folder}/ota.db`);
  database.exec('DROP INDEX devices_told; DROP INDEX audit_of_devices; DROP TABLE rollouts');
  for (const column of ['standing', 'name', 'runs', 'device_group']) {
    database.exec(`ALTER TABLE devices DROP COLUMN ${column}`);
  }
  database.exec(`PRAGMA user_version = ${oldestLayout}`);
  database.close();
  return token;
}

/** Layout version that a killed server left. */
function layoutIn(folder: string): number {
  const database = new Database(`${folder}/ota.db`);
  try {
    // libsql returns a pragma as a row with a column of its name.
    return Number((database.prepare('PRAGMA user_version').get([]) as { user_version: number }).user_version);
  } finally {
    database.close();
  }
}

test.serial(`completes a migration of older data that kill -9 interrupted (${kills} times)`, async (t) => {
  t.timeout(9 * 60_000);
  const folder = await testFolder(t);
  const token = await writeOldData(folder.at('old'));
  const began = performance.now();
  await cp(folder.at('old'), folder.at('first'), { recursive: true });
  const unharmed = await serveWith(folder.at('first'));
  let killAfterMs = performance.now() - began;
  unharmed.kill('SIGTERM');
  await unharmed.ended;

  const found = new Map<number, number>();
  for (let count = 0; count < kills; count++) {
    const data = folder.at(`data${count}`);
    await cp(folder.at('old'), data, { recursive: true });
    const killed = await serveWith(data, count === 0 ? 0 : killAfterMs);
    killed.kill('SIGKILL');
    await killed.ended;
    await cp(data, `${data}-looked-at`, { recursive: true });
    const layout = layoutIn(`${data}-looked-at`);
    found.set(layout, (found.get(layout) ?? 0) + 1);
    // Kill later if the migration had not begun and earlier if it was done, so that kills hit it on every machine.
    if (count > 0 && layout === oldestLayout) killAfterMs *= 1 + 0.1 * Math.random();
    if (layout === newestLayout) killAfterMs *= 1 - 0.1 * Math.random();
    // Before the first step and after the last one less can go wrong, so only every fifth kill is checked.
    const isBetween = layout !== oldestLayout && layout !== newestLayout;
    if (isBetween || count % 5 === 0) await requireAll(data);
    for (const each of [data, `${data}-looked-at`]) await rm(each, { recursive: true, force: true });
  }
  t.log(`layouts that were left: ${[...found].map(([layout, times]) => `${layout}: ${times}`).join(', ')}`);
  t.true((found.get(oldestLayout) ?? 0) > 0, 'some were killed before the first step was done');

  async function requireAll(data: string): Promise<void> {
    const server = await serveWith(data);
    const headers = { authorization: `Bearer ${token}` };
    const get = async (path: string) => (await fetch(`${server.url}${apiRoot}${path}`, { headers })).json();
    const project = (await get('/projects/door')) as { devices: number };
    t.is(project.devices, devices);
    const last = (await get(`/projects/door/devices/${macOf(devices - 1)}`)) as DeviceInfo;
    t.like(last, { enrolled: true, running: { version: '1.0' } });
    server.kill('SIGKILL');
    await server.ended;
  }
});
