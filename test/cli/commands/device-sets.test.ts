/** Commands on sets of devices: lists with filters, names, retries and bulk changes. */
import test, { type ExecutionContext } from 'ava';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt, DeviceRecord } from '../../../src/server/storage/records.ts';
import { testBuild } from '../../server/builds.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { serverCommands } from '../../support/server-commands.ts';

const build = await testBuild({ version: '2.0', project: 'door' });

function macOf(index: number): string {
  const digits = index.toString(16).toUpperCase().padStart(6, '0');
  return `18:FE:34:${digits.replace(/..(?!$)/g, '$&:')}`;
}

/** Adds devices to the project `door`, without update checks. */
async function add({ parts }: TestServer, records: readonly Partial<DeviceRecord>[]): Promise<void> {
  const macs = records.map((_, index) => macOf(index));
  const recordOf = (mac: string) => ({ ...newRecord('door', mac), enrolled: true, ...records[macs.indexOf(mac)] });
  for (let at = 0; at < macs.length; at += 1000) {
    await parts.records.changeAll('door', macs.slice(at, at + 1000), (before, mac) => before ?? recordOf(mac));
  }
}

const running = (version: string): Pick<DeviceRecord, 'running'> => ({ running: { by: 'version', version } });

const attempt: Attempt = {
  ...{ releaseId: 1, version: '2.0', kind: 'sketch', state: 'failed', failure: 'not-installed' },
  ...{ sends: 3, receipts: 3, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 },
};
const failed: Partial<DeviceRecord> = {
  attempts: [attempt],
  decisions: { sketch: { action: 'none', code: 'failed', text: 'not installed', version: '2.0', at: 1 } },
};

async function place(t: ExecutionContext, records: readonly Partial<DeviceRecord>[]) {
  const server = await startTestServer(t);
  await server.publish(build);
  await add(server, records);
  return { server, ...serverCommands(server, server.folder) };
}

test('devices list shows the devices that match all filters, up to the limit', async (t) => {
  const { json, run } = await place(t, [
    { group: 'hall', labels: ['north'], ...running('1.0'), ...failed },
    { group: 'hall', labels: ['north', 'old'], ...running('2.0') },
    { group: 'Hall', labels: ['North'], ...running('1.0') },
    { name: 'lamp', ...running('1.0'), ...failed },
  ]);
  const list = async (...argv: string[]) =>
    (await json('devices', 'list', 'door', ...argv)).map(({ mac }: DeviceInfo) => mac);
  t.is((await list()).length, 4);
  t.deepEqual(await list('--status', 'failed'), [macOf(0), macOf(3)]);
  t.deepEqual(await list('--failed', '--group', 'hall'), [macOf(0)]);
  t.deepEqual(await list('--label', 'north'), [macOf(0), macOf(1)]);
  t.deepEqual(await list('--label', 'old', '--version', '2.0', '--group', 'hall'), [macOf(1)]);
  t.deepEqual(await list('--label', 'north', '--version', '3.0'), []);
  t.deepEqual(await list('--version', '1.0', '--limit', '2'), [macOf(0), macOf(2)]);
  t.is((await run('devices', 'list', 'door', '--status', 'broken')).exitCode, 2);
  t.is((await run('devices', 'list', 'door', '--group', 'a b')).error?.code, 'SERVER_REJECTED');
});

test('commands name devices by MAC in any notation or by name', async (t) => {
  const { json, run } = await place(t, [{ name: 'lamp' }, { name: 'lamp' }, { name: 'front door' }]);
  t.is((await json('devices', 'show', 'door', 'front door')).mac, macOf(2));
  t.is((await json('devices', 'show', 'door', macOf(2).replaceAll(':', '').toLowerCase())).mac, macOf(2));
  const labeled = await json('devices', 'set', 'door', 'front door', '--label', 'south', '--label', 'north');
  t.deepEqual(labeled.labels, ['north', 'south']);
  t.is((await json('devices', 'set', 'door', 'front door', '--label', '')).labels, undefined);
  t.deepEqual(await json('devices', 'enroll', 'door', 'front door', '--group', 'hall'), { matched: 1, changed: 1 });
  t.deepEqual(await json('devices', 'retry', 'door', 'front door'), { matched: 1, changed: 0 });
  const ambiguous = await run('devices', 'show', 'door', 'lamp');
  t.is(ambiguous.exitCode, 2);
  t.is(ambiguous.error?.message, `Several devices have the name "lamp": ${macOf(0)}, ${macOf(1)}`);
  t.is((await run('devices', 'remove', 'door', 'cellar', '--yes')).error?.code, 'DEVICE_NAME_UNKNOWN');
  t.regex((await run('devices', 'show', 'door', 'front-dor')).error?.hint ?? '', /^Did you mean front door\? List the/);
  t.regex((await run('devices', 'show', 'door', 'cellar')).error?.hint ?? '', /^List the/);
  t.deepEqual(await json('devices', 'remove', 'door', 'front door', '--yes'), { removed: macOf(2) });
  const { stderr, stdout } = await run('devices', 'enroll', 'door', '02:00:00:00:00:01', '--remove');
  t.regex(stderr, /does not know 1 device: 02:00:00:00:00:01/);
  t.is(stdout, 'Unenrolled 0 devices\n');
});

test('commands warn about boards and projects that the server does not know yet, with the nearest names', async (t) => {
  const { run, server } = await place(t, [{ name: 'lamp' }]);
  await server.publish(await testBuild({ version: '3.0', project: 'garden', board: 'd1_mini' }), { purpose: 'serve' });
  const set = async (project: string, board: string) =>
    (await run('devices', 'set', project, macOf(7), '--board', board)).stderr;
  t.is(await set('garden', 'd1_mni'), 'warning: no image of garden is for the board d1_mni. Did you mean d1_mini?\n');
  t.is(await set('garden', 'd1_mini'), '');
  t.is(await set('garden', ''), '');
  t.is(await set('door', 'd1_mni'), '', 'an image without a board is for every board');
  const { stderr, exitCode } = await run('tokens', 'create', '--project', 'dor');
  t.regex(stderr, /warning: the server has no project dor yet\. Did you mean door\?\n/);
  t.is(exitCode, 0);
  t.notRegex((await run('tokens', 'create', '--project', 'door')).stderr, /warning/);
});

test('devices retry --failed clears the failures of the devices that match, each with an audit entry', async (t) => {
  const { server, json, run } = await place(t, [
    { group: 'hall', ...failed },
    { group: 'attic', ...failed },
    { group: 'hall' },
  ]);
  t.deepEqual(await json('devices', 'retry', 'door', '--failed', '--group', 'hall'), { matched: 1, changed: 1 });
  t.like(await json('devices', 'show', 'door', macOf(0)), { status: 'pending', attempts: [] });
  t.is((await json('devices', 'show', 'door', macOf(1))).status, 'failed');
  const { body } = await server.api('GET', '/audit');
  t.like(body, { entries: [{ action: 'device.retried', detail: { mac: macOf(0), versions: ['2.0'] } }] });
  t.is(
    (await run('devices', 'retry', 'door', '--failed')).stdout.split('.')[0],
    'Cleared the failed updates of 1 device',
  );
  t.is((await run('devices', 'retry', 'door')).error?.code, 'OPTION_MISSING');
  t.is((await run('devices', 'retry', 'door', macOf(0), '--failed')).error?.code, 'OPTIONS_CONFLICT');
});

test('devices enroll --seen enrolls thousands of devices with few requests, and counts them for rollouts', async (t) => {
  const { server, json, run } = await place(
    t,
    Array.from({ length: 2500 }, () => ({})),
  );
  await server.parts.store.devices.list('door', { limit: 1 });
  t.is((await run('devices', 'enroll', 'door', '--seen', '--remove')).stdout, 'Unenrolled 2,500 devices\n');
  t.is(await server.parts.store.devices.countOn('door', 'stable', { onlyEnrolled: true }), 0);
  t.deepEqual(await json('devices', 'enroll', 'door', '--seen', '--group', 'hall'), { matched: 2500, changed: 2500 });
  t.is(await server.parts.store.devices.countOn('door', 'stable', { onlyEnrolled: true }), 2500);
  t.deepEqual(await json('devices', 'enroll', 'door', '--seen'), { matched: 2500, changed: 0 });
  t.deepEqual(await server.parts.store.counts.differences(() => undefined), []);
});
