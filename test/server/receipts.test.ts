import { cp } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { Changes } from '../../src/server/changes.ts';
import { afterReceipt, afterSend } from '../../src/server/device/attempts.ts';
import { DeviceRecords, newRecord } from '../../src/server/device/device-records.ts';
import { LastSeen } from '../../src/server/device/last-seen.ts';
import { QuickAnswers } from '../../src/server/device/quick-answers.ts';
import { newProject } from '../../src/server/project.ts';
import type { DeviceRecord } from '../../src/server/store/records.ts';
import { openSqliteStore } from '../../src/server/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/server/store/store.ts';
import { testFolder } from '../support/test-folder.ts';
import { testBuild } from './builds.ts';

const mac = '18:FE:34:00:00:01';
const { manifest } = await testBuild();
const release = {
  id: 1,
  version: '1.0',
  kind: 'sketch',
  project: 'door',
  board: '',
  purpose: 'serve',
  publishedAt: 0,
  manifest,
} as const;
const patience = { confirmWithinMs: 1000, mostSends: 3 };

function recordsOf({ devices }: Store): DeviceRecords {
  const helpers = { lastSeen: new LastSeen(devices), quick: new QuickAnswers(), changes: new Changes() };
  return new DeviceRecords(devices, helpers, 1000);
}

/** A device that was sent a release. */
async function sent(t: ExecutionContext) {
  const folder = await testFolder(t);
  const store = await openSqliteStore(folder.at('data'), 'a test');
  t.teardown(() => store.close());
  await store.catalogue.saveProject(newProject('door', []), 'test');
  const records = recordsOf(store);
  const attempts = afterSend([], release, patience, { wallMs: 0, servedMs: 0 });
  await records.save({ ...newRecord('door', mac), attempts });
  return { folder, store, records };
}

const received = (record: DeviceRecord | undefined) =>
  record && { ...record, attempts: afterReceipt(record.attempts, release.id) };
const named = (record: DeviceRecord | undefined) => record && { ...record, name: 'front door' };

test('a receipt is known at once in this process, though it waits to be written', async (t) => {
  const { store, records } = await sent(t);
  const written = records.change('door', mac, received, { mayBeLost: true });
  await new Promise(setImmediate);
  t.is((await records.find('door', mac))?.attempts[0]?.state, 'received');
  t.is((await store.devices.get('door', mac))?.record.attempts[0]?.state, 'sent', 'it was not written yet');
  await written;
  t.is((await store.devices.get('door', mac))?.record.attempts[0]?.state, 'received', 'a second later it is');
});

test('what is decided on a receipt that waits is written behind it, both or the receipt alone', async (t) => {
  const { store, records } = await sent(t);
  const receipt = records.change('door', mac, received, { mayBeLost: true });
  await new Promise(setImmediate);
  const decision = await records.change('door', mac, named);
  t.like(decision, { name: 'front door', revision: 3 });
  t.like((await store.devices.get('door', mac))?.record, { name: 'front door', revision: 3 });
  t.is((await store.devices.get('door', mac))?.record.attempts[0]?.receipts, 1);
  await receipt;
});

test('a crash takes a receipt that waited, and nothing before it', async (t) => {
  const { folder, records } = await sent(t);
  const receipt = records.change('door', mac, received, { mayBeLost: true });
  await new Promise(setImmediate);
  // What a process leaves that is killed now.
  await cp(folder.at('data'), folder.at('after the crash'), { recursive: true });
  const after = await openSqliteStore(folder.at('after the crash'), 'a test');
  t.like((await after.devices.get('door', mac))?.record.attempts[0], { state: 'sent', sends: 1, receipts: 0 });
  await after.close();
  await receipt;
});
