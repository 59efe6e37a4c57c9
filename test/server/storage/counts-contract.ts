import fc from 'fast-check';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { blockersOf, deviceStatus } from '../../../src/server/storage/device-status.ts';
import type {
  DecisionRecord,
  DeviceRecord,
  RolloutMember,
  RolloutRecord,
} from '../../../src/server/storage/records.ts';
import type { MemberFilter, RecordPage, RolloutCount, Store } from '../../../src/server/storage/store.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { project, publication, rollout, type StoreTest } from './contract-records.ts';

const roomy = { mostDevices: 1000 };

/** Kept counts that every store must have. */
export function countsContract(storeTest: StoreTest): void {
  storeTest('counts the devices of a rollout in steps, while the devices change', async (t, { store, peer }) => {
    await fill(store);
    for (const index of [1, 2, 3, 4]) await setDevice(store, index, { group: 'a', name: 'pending' });
    const created = await startRollout(store);
    t.false(created.isCounted);
    t.deepEqual(await store.rollouts.counts(created.id), []);
    t.is(await store.rollouts.countNext(created.id, 2, memberOf), 'more');
    t.deepEqual(await store.rollouts.counts(created.id), [{ stage: 0, kind: 'pending', devices: 2 }]);
    await setDevice(peer, 1, { group: 'a', name: 'running', firstSeenAt: 5 });
    await setDevice(peer, 4, { group: 'b', name: 'failed', board: '10.0.0.4' });
    t.deepEqual(await store.rollouts.counts(created.id), [
      { stage: 0, kind: 'pending', devices: 1 },
      { stage: 0, kind: 'running', devices: 1 },
    ]);
    t.is(await peer.rollouts.countNext(created.id, 2, memberOf), 'more');
    t.is(await store.rollouts.countNext(created.id, 2, memberOf), 'complete');
    t.is(await store.rollouts.countNext(created.id, 2, memberOf), 'complete');
    t.true((await store.rollouts.find('door', created.id))?.isCounted);
    t.deepEqual(await store.rollouts.counts(created.id), [
      { stage: 0, kind: 'pending', devices: 2 },
      { stage: 0, kind: 'running', devices: 1 },
      { stage: 1, kind: 'failed', devices: 1 },
    ]);
  });

  storeTest('counts members by the time since which they are in a state, and by address', async (t, { store }) => {
    await fill(store);
    const created = await startRollout(store);
    await store.rollouts.countNext(created.id, 10, memberOf);
    await setDevice(store, 1, { group: 'a', name: 'running', firstSeenAt: 100, board: '10.0.0.1' });
    await setDevice(store, 2, { group: 'b', name: 'running', firstSeenAt: 200 });
    await setDevice(store, 3, { group: 'b', name: 'failed', board: '10.0.0.1' });
    await setDevice(store, 4, { group: 'b', name: 'failed', board: '10.0.0.2' });
    const { soaked, addresses } = store.rollouts;
    t.deepEqual(await soaked(created.id, ['running'], 99), []);
    t.deepEqual(await soaked(created.id, ['running'], 100), [{ stage: 0, devices: 1 }]);
    t.deepEqual(await soaked(created.id, ['running', 'failed'], 250.5), [
      { stage: 0, devices: 1 },
      { stage: 1, devices: 1 },
    ]);
    t.deepEqual(await soaked(created.id, [], 250), []);
    const [one, two] = ['10.0.0.1', '10.0.0.2'].map((address, index) => ({ address, devices: 2 - index }));
    t.deepEqual(await addresses(created.id), { devices: 3, addresses: 2, most: [one, two] });
    const oneOfOne = { devices: 1, addresses: 1, most: [{ address: '10.0.0.1', devices: 1 }] };
    t.deepEqual(await addresses(created.id, ['running']), oneOfOne);
    await setDevice(store, 1, { group: 'a', name: 'pending' });
    t.deepEqual(await soaked(created.id, ['running'], 150), []);
    t.deepEqual(await addresses(created.id, ['running']), { devices: 0, addresses: 0, most: [] });
  });

  storeTest('lists the members of stages and kinds, page by page in both directions', async (t, { store }) => {
    await fill(store);
    const { id } = await startRollout(store);
    for (const index of [1, 2, 3]) await setDevice(store, index, { group: 'a', name: 'pending' });
    await store.rollouts.countNext(id, 10, memberOf);
    await setDevice(store, 2, { group: 'a', name: 'running' });
    await setDevice(store, 4, { group: 'b', name: 'failed' });
    const find = async (page: RecordPage, parts: MemberFilter['parts'], more = {}) => {
      const found = await store.devices.list('door', page, {
        ...more,
        members: { rollout: id, parts, isFinal: false },
      });
      return found.map(({ record }) => Number(record.mac.slice(-2)));
    };
    const [pending, running, failed] = [
      { stage: 0, kind: 'pending' },
      { stage: 0, kind: 'running' },
      { stage: 1, kind: 'failed' },
    ];
    t.deepEqual(await find({ limit: 10 }, []), []);
    t.deepEqual(await find({ limit: 10 }, [pending]), [1, 3]);
    t.deepEqual(await find({ limit: 10 }, [failed, running, pending]), [1, 2, 3, 4]);
    t.deepEqual(await find({ limit: 2 }, [failed, running, pending]), [1, 2]);
    t.deepEqual(await find({ limit: 2, after: macOf(2) }, [failed, running, pending]), [3, 4]);
    t.deepEqual(await find({ limit: 2, before: macOf(4) }, [failed, running, pending]), [2, 3]);
    t.deepEqual(await find({ limit: 10 }, [{ stage: 1, kind: 'pending' }]), []);
    t.deepEqual(await find({ limit: 10 }, [pending, failed], { text: 'FAIL' }), [4]);
    t.deepEqual(await find({ limit: 10 }, [pending, failed], { group: 'a' }), [1, 3]);
    t.deepEqual(await find({ limit: 1, before: macOf(4) }, [pending, failed], { group: 'a' }), [3]);
  });

  storeTest('keeps the devices that an ended rollout had, while the devices change', async (t, opened) => {
    const { store, peer } = opened;
    await fill(store);
    for (const index of [1, 2, 3]) await setDevice(store, index, { group: 'a', name: 'pending' });
    await setDevice(store, 4, { group: 'b', name: 'failed' });
    const { id } = await startRollout(store);
    await countAll(store, id);
    const found = (await store.rollouts.find('door', id)) ?? t.fail();
    const aborted = { ...found, state: 'aborted' } as const;
    const end = (counts: readonly RolloutCount[]) => ({ ...aborted, result: { at: 5, tallies: [], counts } });
    t.is(await store.rollouts.save({ ...aborted, revision: 9 }, undefined, end), 'conflict');
    t.false(await store.rollouts.hasFinalMembers(id), 'nothing is stored');
    const both = await Promise.all([store, peer].map(({ rollouts }) => rollouts.save(aborted, undefined, end)));
    t.is(both.filter((saved) => saved === 'conflict').length, 1);
    const parts = [
      { stage: 0, kind: 'pending', devices: 3 },
      { stage: 1, kind: 'failed', devices: 1 },
    ];
    t.deepEqual((await store.rollouts.find('door', id))?.result?.counts, parts);
    await setDevice(store, 1, { group: 'a', name: 'running' });
    await setDevice(store, 4, { group: 'a', name: 'running' });
    await removeDevice(store, 2);
    await countAll(store, (await startRollout(store)).id);
    const restored = await opened.another();
    await restored.restore(store.dump());
    for (const { rollouts, devices } of [store, restored]) {
      t.true(await rollouts.hasFinalMembers(id));
      const filter = { rollout: id, parts };
      const pages = [undefined, macOf(3)].map((after) => rollouts.finalMembers(filter, { after, limit: 3 }));
      t.deepEqual(await Promise.all(pages), [
        [1, 2, 3].map((index) => ({ mac: macOf(index), stage: 0, kind: 'pending' })),
        [{ mac: macOf(4), stage: 1, kind: 'failed' }],
      ]);
      t.deepEqual(await rollouts.finalMembersOf(filter, [macOf(4), macOf(5)]), [
        { mac: macOf(4), stage: 1, kind: 'failed' },
      ]);
      t.deepEqual(await rollouts.finalMembers({ rollout: id, parts: parts.slice(1) }, { limit: 1 }), [
        { mac: macOf(4), stage: 1, kind: 'failed' },
      ]);
      const members = { ...filter, isFinal: true };
      const listed = await devices.list('door', { limit: 2 }, { members });
      t.deepEqual(
        listed.map(({ record }) => record.mac),
        [macOf(1), macOf(3)],
        'the removed device is not on the page',
      );
    }
    t.is(await store.rollouts.forgetFinalMembers('door', 5, 9), 'complete');
    t.true(await store.rollouts.hasFinalMembers(id));
    t.is(await store.rollouts.forgetFinalMembers('door', 6, 3), 'more');
    t.true(await store.rollouts.hasFinalMembers(id));
    t.is(await store.rollouts.forgetFinalMembers('door', 6, 3), 'more');
    t.is(await store.rollouts.forgetFinalMembers('door', 6, 3), 'complete');
    t.false(await store.rollouts.hasFinalMembers(id));
  });

  storeTest(
    'removes member data of the earlier rollout on a channel while it counts the next',
    async (t, { store }) => {
      await fill(store);
      for (const index of [1, 2, 3]) await setDevice(store, index, { group: 'a', name: 'running', firstSeenAt: 1 });
      const first = await startRollout(store);
      await countAll(store, first.id);
      t.is((await store.rollouts.soaked(first.id, ['running'], 9))[0]?.devices, 3);
      const ended = { ...first, state: 'complete' } as const;
      t.not(await store.rollouts.save(ended, { audit: auditBy('tester') }), 'conflict');
      const second = await startRollout(store);
      await countAll(store, second.id);
      t.deepEqual(await store.rollouts.soaked(first.id, ['running'], 9), []);
      t.is((await store.rollouts.counts(first.id))[0]?.devices, 3, 'the counts stay');
      t.is((await store.rollouts.soaked(second.id, ['running'], 9))[0]?.devices, 3);
    },
  );

  storeTest('counts devices by status, by release and by what blocks them, also after a restore', async (t, opened) => {
    const { store } = opened;
    await fill(store);
    const runs = (version: string) => ({ running: { by: 'version' as const, version } });
    await setDevice(store, 1, { ...runs('1.0'), decisions: decisions[2] ?? {} });
    await setDevice(store, 2, { ...runs('1.0'), decisions: decisions[3] ?? {} });
    await setDevice(store, 3, { ...runs('2.0'), decisions: decisions[1] ?? {} });
    await setDevice(store, 4, { ...runs('9.9') });
    const restored = await opened.another();
    await restored.restore(store.dump());
    for (const { devices } of [store, restored]) {
      t.deepEqual(await devices.countStatuses('door').then(sortedText), [
        '{"status":"blocked","devices":3}',
        '{"status":"unknown","devices":1}',
      ]);
      t.deepEqual(await devices.countVersions('door', 9), [
        { version: '1.0', devices: 2 },
        { version: '2.0', devices: 1 },
      ]);
      t.deepEqual(await devices.countVersions('door', 1), [{ version: '1.0', devices: 2 }]);
      t.deepEqual(await devices.countBlockers('door'), [
        { blockers: ['board-unknown'], devices: 1 },
        { blockers: ['fs-moved', 'no-space', 'wrong-key'], devices: 1 },
        { blockers: ['no-space', 'wrong-key'], devices: 1 },
      ]);
      t.deepEqual(await devices.countBlockers('window'), []);
    }
    await setDevice(store, 1, runs('2.0'));
    await removeDevice(store, 2);
    t.deepEqual(await store.devices.countBlockers('door'), [{ blockers: ['board-unknown'], devices: 1 }]);
    t.deepEqual(await store.devices.countVersions('door', 9), [{ version: '2.0', devices: 2 }]);
  });

  storeTest('counts all devices again, and removes counts of 0', async (t, { store, peer }) => {
    await fill(store);
    for (const index of [1, 2]) await setDevice(store, index, { group: 'a', name: 'running', firstSeenAt: 5 });
    const created = await startRollout(store);
    await countAll(store, created.id);
    const differences = () => peer.counts.differences((_, record) => memberOf(record));
    t.deepEqual(await differences(), []);
    await setDevice(store, 2, { group: 'b', name: 'failed' });
    await removeDevice(store, 1);
    t.deepEqual(await differences(), []);
    const before = await store.rollouts.counts(created.id);
    await peer.counts.recount();
    t.false((await store.rollouts.find('door', created.id))?.isCounted);
    t.deepEqual(await store.rollouts.counts(created.id), []);
    await countAll(store, created.id);
    t.deepEqual(await store.rollouts.counts(created.id), before);
    await store.counts.removeEmpty();
    t.deepEqual(await store.rollouts.counts(created.id), before);
    t.deepEqual(await differences(), []);
  });

  storeTest('keeps counts that equal a recount after any changes at the same time', async (t, opened) => {
    const { store, peer } = opened;
    await fill(store);
    let current = await startRollout(store);
    const operation = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ type: fc.constant('set' as const), index: fc.nat(11), fields: anyFields() }),
      },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), index: fc.nat(11) }) },
      {
        weight: 3,
        arbitrary: fc.record({ type: fc.constant('count' as const), most: fc.integer({ min: 1, max: 4 }) }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
    );
    const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(batches, async (steps) => {
        for (const step of steps) {
          await Promise.all(
            step.map(async (each, at) => {
              const via = at % 2 === 0 ? store : peer;
              if (each.type === 'set') await setDevice(via, each.index, each.fields);
              if (each.type === 'remove') await removeDevice(via, each.index);
              if (each.type === 'count') await via.rollouts.countNext(current.id, each.most, memberOf);
            }),
          );
          if (!step.some(({ type }) => type === 'restart')) continue;
          const latest = await store.rollouts.find('door', current.id);
          if (latest !== undefined)
            await store.rollouts.save({ ...latest, state: 'aborted' }, { audit: auditBy('tester') });
          current = await startRollout(store);
        }
        await countAll(peer, current.id);
        t.deepEqual(await store.rollouts.counts(current.id), await recounted(store));
        t.deepEqual(await tallyText(store), await recountedTally(store));
        t.deepEqual(await store.counts.differences((_, record) => memberOf(record)), []);
        t.deepEqual(await store.devices.countStatuses('door').then(sortedText), await recountedStatuses(store));
        t.deepEqual(await store.devices.countBlockers('door').then(sortedText), await recountedBlockers(store));
        t.is(await store.devices.count('door'), (await store.devices.list('door', { limit: 100 })).length);
      }),
      propertyRuns(12, 200),
    );
  });
}

type Fields = Partial<
  Pick<DeviceRecord, 'group' | 'name' | 'board' | 'firstSeenAt' | 'enrolled' | 'pin' | 'decisions' | 'running'>
>;

/** Decision to send no update. */
function noUpdate(code: string): DecisionRecord {
  return { action: 'none', code, text: '', at: 1 };
}

const decisions: readonly DeviceRecord['decisions'][] = [
  {},
  { sketch: noUpdate('board-unknown') },
  { sketch: noUpdate('blocked wrong-key no-space') },
  { sketch: noUpdate('blocked wrong-key no-space'), filesystem: noUpdate('blocked fs-moved no-space') },
];

function anyFields(): fc.Arbitrary<Fields> {
  return fc.record({
    group: fc.constantFrom('a', 'b'),
    name: fc.constantFrom('pending', 'running', 'failed'),
    enrolled: fc.boolean(),
    board: fc.constantFrom(undefined, '10.0.0.1'),
    firstSeenAt: fc.constantFrom(undefined, 7),
    pin: fc.constantFrom(undefined, undefined, '1.0'),
    decisions: fc.constantFrom(...decisions),
  });
}

/** Contribution to a rollout, in the same way as a service computes it: from the record alone. */
function memberOf({ group, name, firstSeenAt, board, pin }: DeviceRecord): RolloutMember | undefined {
  if (pin !== undefined) return undefined;
  return { stage: group === 'a' ? 0 : 1, kind: name ?? 'pending', sinceMs: firstSeenAt, address: board };
}

async function fill(store: Store): Promise<void> {
  const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
  await store.catalog.saveProject(project(), auditBy('tester'));
  await store.catalog.publish(publication(first.manifest, '1.0'));
  await store.catalog.publish(publication(second.manifest, '2.0', { channel: undefined }));
}

async function startRollout(store: Store): Promise<RolloutRecord> {
  const created = await store.rollouts.create(rollout(2, 1), () => auditBy('tester'));
  if (created === undefined) throw new Error('another rollout is in progress');
  return created;
}

async function countAll(store: Store, id: number): Promise<void> {
  while ((await store.rollouts.countNext(id, 3, memberOf)) === 'more');
}

function macOf(index: number): string {
  return `18:FE:34:00:00:${String(index).padStart(2, '0')}`;
}

/** Changes a device in the same way as a service: based on the view of the project with this revision. */
async function changeDevice(
  store: Store,
  index: number,
  change: (before: DeviceRecord | undefined) => DeviceRecord | undefined,
): Promise<void> {
  const mac = macOf(index);
  for (;;) {
    const revision = (await store.catalog.project('door'))?.revision ?? 0;
    const rollouts = await store.rollouts.current('door');
    const found = await store.devices.check('door', mac);
    if (found?.revision !== revision) continue;
    const before = found.record;
    const after = change(before);
    const members = rollouts.map(({ id }) => ({
      rollout: id,
      before: before && memberOf(before),
      after: after && memberOf(after),
    }));
    const outcome =
      after === undefined
        ? await store.devices.remove('door', mac, {
            projectRevision: revision,
            revision: before?.revision ?? 0,
            members,
            audit: auditBy('tester'),
          })
        : await store.devices.save(after, { ...roomy, projectRevision: revision, members });
    if (outcome !== 'stale' && outcome !== 'conflict') return;
  }
}

function setDevice(store: Store, index: number, fields: Fields): Promise<void> {
  return changeDevice(store, index, (before) => ({
    ...newRecord('door', macOf(index)),
    revision: before?.revision ?? 0,
    enrolled: true,
    ...fields,
  }));
}

function removeDevice(store: Store, index: number): Promise<void> {
  return changeDevice(store, index, () => undefined);
}

async function recounted(store: Store) {
  const counts = new Map<string, number>();
  for (const { record } of await store.devices.list('door', { limit: 100 })) {
    const member = memberOf(record);
    if (member === undefined) continue;
    const key = `${member.stage} ${member.kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, devices]) => {
      const [stage, kind] = key.split(' ');
      return { stage: Number(stage), kind: kind ?? '', devices };
    });
}

async function tallyText(store: Store): Promise<readonly string[]> {
  const tally = await store.devices.tally('door');
  return tally.flatMap(({ status, group, devices }) => Array(devices).fill(`${status} ${group}`)).sort();
}

async function recountedTally(store: Store): Promise<readonly string[]> {
  const listed = await store.devices.list('door', { limit: 100 });
  return listed.map(({ record }) => `${deviceStatus(record)} ${record.group}`).sort();
}

function sortedText(counts: readonly { readonly devices: number }[]): readonly string[] {
  return counts
    .filter(({ devices }) => devices > 0)
    .map((count) => JSON.stringify(count))
    .sort();
}

async function recountedStatuses(store: Store): Promise<readonly string[]> {
  const found = (await store.devices.list('door', { limit: 100 })).map(({ record }) => deviceStatus(record));
  return sortedText(
    [...new Set(found)].map((status) => ({ status, devices: found.filter((each) => each === status).length })),
  );
}

async function recountedBlockers(store: Store): Promise<readonly string[]> {
  const found = (await store.devices.list('door', { limit: 100 }))
    .map(({ record }) => blockersOf(record).join(' '))
    .filter((text) => text !== '');
  return sortedText(
    [...new Set(found)].map((text) => ({
      blockers: text.split(' '),
      devices: found.filter((each) => each === text).length,
    })),
  );
}
