import { newProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt, DecisionRecord, DeviceRecord } from '../../../src/server/storage/records.ts';
import type { DeviceFilter, Store } from '../../../src/server/storage/store.ts';
import { auditBy } from '../audit-by.ts';
import type { StoreTest } from './contract-records.ts';

const roomy = { mostDevices: 1000 };

/** Device list behavior that every store must have. */
export function deviceListContract(storeTest: StoreTest): void {
  storeTest('filters devices by part of the name or MAC, by status, by version and by group', async (t, { store }) => {
    await fill(store);
    const find = async (filter: DeviceFilter) =>
      (await store.devices.list('door', { limit: 100 }, filter)).map(({ record }) => record.mac.slice(-2));
    t.deepEqual(await find({}), ['01', '02', '03', '04', '05', '06']);
    t.deepEqual(await find({ text: 'KITCHEN' }), ['01', '03']);
    t.deepEqual(await find({ text: '34:00:00:02' }), ['02']);
    t.deepEqual(await find({ text: 'fe3400000' }), ['01', '02', '03', '04', '05', '06']);
    t.deepEqual(await find({ text: '18FE34000004' }), ['04'], 'without colons');
    t.deepEqual(await find({ text: '%' }), ['04'], 'wildcards of the query language are plain text');
    t.deepEqual(await find({ text: "_'" }), []);
    t.deepEqual(await find({ status: 'failed' }), ['03', '04']);
    t.deepEqual(await find({ status: 'blocked' }), ['05']);
    t.deepEqual(await find({ status: 'unknown' }), ['06']);
    t.deepEqual(await find({ group: 'beta' }), ['01']);
    t.deepEqual(await find({ runs: '1.0' }), ['02', '03']);
    t.deepEqual(await find({ runs: '1.0', status: 'pending' }), ['02']);
    t.deepEqual(await find({ runs: '1.0', status: 'failed', text: 'cellar' }), []);
  });

  storeTest(
    'pages in both directions without skipping any device while other devices are being added',
    async (t, { store }) => {
      await fill(store);
      const page = async (where: { after?: string; before?: string }) =>
        (await store.devices.list('door', { ...where, limit: 2 })).map(({ record }) => record.mac);
      const first = await page({});
      t.deepEqual(first, [macOf(1), macOf(2)]);
      await store.devices.save(newRecord('door', '00:00:00:00:00:00'), roomy);
      const second = await page({ after: macOf(2) });
      t.deepEqual(second, [macOf(3), macOf(4)]);
      t.deepEqual(await page({ before: macOf(3) }), first);
      t.deepEqual(await page({ after: macOf(6) }), []);
      t.deepEqual(await page({ before: '00:00:00:00:00:00' }), []);
    },
  );

  storeTest(
    'counts devices by status, version and group, and updates the counts with each change',
    async (t, opened) => {
      await fill(opened.store);
      const counts = async (store: Store) =>
        (await store.devices.tally('door'))
          .map(({ status, runs, group, devices }) => `${status} ${runs ?? '-'} ${group ?? ''}${devices}`)
          .sort();
      const asFilled = [
        'blocked 0.9 1',
        'failed - 1',
        'failed 1.0 1',
        'pending 1.0 1',
        'unknown - 1',
        'up-to-date 2.0 beta1',
      ];
      t.deepEqual(await counts(opened.store), asFilled);
      const { devices } = opened.store;
      const { record } = (await devices.get('door', macOf(2))) ?? { record: device(2, {}) };
      await devices.save({ ...record, ...runs('2.0'), decisions: { sketch: decided('up-to-date', 'running') } }, roomy);
      await devices.save(record, roomy);
      await devices.save(device(7, {}), roomy);
      await devices.remove('door', macOf(5), { audit: auditBy('tester') });
      const changed = ['failed - 1', 'failed 1.0 1', 'unknown - 2', 'up-to-date 2.0 1', 'up-to-date 2.0 beta1'];
      t.deepEqual(await counts(opened.store), changed);
      t.deepEqual(await counts(await opened.reopen()), changed);
      t.deepEqual(await (await opened.another()).devices.tally('door'), []);
    },
  );

  storeTest('counts the devices on a channel, and updates the counts with each change', async (t, opened) => {
    const { store } = opened;
    await fill(store);
    const { devices } = store;
    const on = async (channel: string, onlyEnrolled = false) => devices.countOn('door', channel, { onlyEnrolled });
    t.is(await on('stable'), 6, 'before their first request, devices are on the default channel');
    t.is(await on('beta'), 0);
    await devices.save(device(7, { channel: 'beta', requestedChannels: ['stable'] }), roomy);
    await devices.save(device(8, { requestedChannels: ['stable', 'beta'], enrolled: false }), roomy);
    await devices.save(device(9, { channel: 'beta', pin: '1.0' }), roomy);
    t.deepEqual([await on('stable'), await on('stable', true)], [7, 6]);
    t.deepEqual([await on('beta'), await on('beta', true)], [2, 1]);
    const { record } = (await devices.get('door', macOf(1))) ?? { record: device(1, {}) };
    await devices.save({ ...record, pin: '1.0' }, roomy);
    await devices.remove('door', macOf(7), { audit: auditBy('tester') });
    t.deepEqual([await on('stable'), await on('beta'), await on('bet')], [6, 1, 0]);
    t.is(await (await opened.another()).devices.countOn('door', 'stable', { onlyEnrolled: false }), 0);
  });

  storeTest('finds changes to a device in the audit log', async (t, { store }) => {
    await fill(store);
    const of = (actor: string, action: string, detail = {}) => {
      return { ...auditBy(actor, action, { mac: macOf(8), ...detail }), project: 'door' };
    };
    await store.devices.save(device(8, { name: 'new' }), {
      ...roomy,
      audit: [of('a', 'device.edited', { name: 'new' })],
    });
    await store.devices.save(
      { ...device(8, { name: 'newer' }), revision: 1 },
      { ...roomy, audit: [of('b', 'device.retried', { name: 'newer' })] },
    );
    await store.devices.save(device(9, {}), { ...roomy, audit: [auditBy('c', 'device.edited', { mac: macOf(9) })] });
    await store.devices.remove('door', macOf(8), { audit: of('d', 'device.removed') });
    const entries = await store.audit.ofDevice('door', macOf(8), 10);
    t.deepEqual(
      entries.map(({ actor, action, detail }) => [actor, action, detail['name']]),
      [
        ['d', 'device.removed', undefined],
        ['b', 'device.retried', 'newer'],
        ['a', 'device.edited', 'new'],
      ],
    );
    t.is((await store.audit.ofDevice('door', macOf(8), 1)).length, 1);
    t.deepEqual(await store.audit.ofDevice('window', macOf(8), 10), []);
  });
}

/** Saves a fleet that has devices with every status. */
async function fill(store: Store): Promise<void> {
  await store.catalog.saveProject(newProject('door', []), auditBy('tester'));
  const send = decided('send', 'update abc');
  const fleet = [
    device(1, {
      name: 'Kitchen 1',
      group: 'beta',
      ...runs('2.0'),
      decisions: { sketch: decided('up-to-date', 'running') },
    }),
    device(2, { ...runs('1.0'), decisions: { sketch: decided('none', 'rollout-pending') } }),
    device(3, { name: 'kitchen 2', ...runs('1.0'), decisions: { sketch: decided('none', 'failed') } }),
    device(4, { name: '100 %', decisions: { sketch: send }, attempts: [attempt('failed'), attempt('running')] }),
    device(5, { ...runs('0.9'), decisions: { sketch: decided('none', 'blocked flash-size') } }),
    device(6, {}),
  ];
  for (const each of fleet) await store.devices.save(each, roomy);
}

function device(last: number, more: Partial<DeviceRecord>): DeviceRecord {
  return { ...newRecord('door', macOf(last)), enrolled: true, ...more };
}

function macOf(last: number): string {
  return `18:FE:34:00:00:0${last}`;
}

function runs(version: string): Pick<DeviceRecord, 'running'> {
  return { running: { by: 'md5', version, releaseId: 1 } };
}

function decided(action: DecisionRecord['action'], code: string): DecisionRecord {
  return { action, code, text: code, version: '2.0', at: 1 };
}

function attempt(state: Attempt['state']): Attempt {
  return {
    releaseId: 1,
    version: '2.0',
    kind: 'sketch',
    state,
    sends: 1,
    receipts: 1,
    interruptions: 0,
    lastSentAt: 1,
    dueMs: 1,
    sentMs: 1,
  };
}
