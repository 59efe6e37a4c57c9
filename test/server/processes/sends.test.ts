/** Sends and halts of several processes that share one database. */
import test, { type ExecutionContext } from 'ava';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { until } from '../../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { loseNotices, once, type Process, type TwoProcesses, twoProcesses } from './two-processes.ts';

const signer = testSigner();
const [old, young] = [
  await testBuild({ version: '1.0', project: 'door', signer, seed: 1, sizeBytes: 8192 }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 8192 }),
];

function macOf(index: number): string {
  return `02:00:00:00:00:${index.toString(16).padStart(2, '0').toUpperCase()}`;
}

function checkIn({ port }: Process, index: number, { manifest }: Build) {
  return requestAsDevice(port, '/update/door', { mac: macOf(index), sketchMd5: sketchMd5Of(manifest) });
}

/** Two processes with enrolled devices that run 1.0. The draft 2.0 is rolled out to all of them. Notices are lost. */
async function withRollout(t: ExecutionContext, devices: number, halt: object = {}): Promise<TwoProcesses> {
  const processes = await twoProcesses(t);
  const { first, second } = processes;
  loseNotices(first);
  loseNotices(second);
  t.is((await first.publish(old)).status, 201);
  t.is((await first.publish(young, { draft: true })).status, 201);
  for (let index = 0; index < devices; index++) {
    await first.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true });
    await checkIn(index % 2 === 0 ? first : second, index, old);
  }
  const rollout = { version: '2.0', stages: [{ share: 100 }], gate: { soakMs: 0 }, halt };
  t.is((await first.api('POST', '/projects/door/rollouts', rollout)).status, 201);
  return processes;
}

async function rolloutAt({ api }: Process): Promise<RolloutInfo> {
  return (await api('GET', '/projects/door/rollouts/1')).body as unknown as RolloutInfo;
}

test('sends a new release, and stops sending it after a yank, when another process made the change', async (t) => {
  const { first, second } = await twoProcesses(t);
  loseNotices(first);
  t.is((await first.publish(old)).status, 201);
  t.is((await checkIn(second, 0, old)).status, 304);
  t.is((await first.publish(young)).status, 201);
  t.is((await checkIn(second, 0, old)).header('x-version'), '2.0');
  await first.api('POST', '/projects/door/releases/yank', { version: '2.0' });
  t.is((await checkIn(second, 1, old)).status, 404);
  await first.api('PUT', '/projects/door/channels/stable', { version: '1.0' });
  t.is((await checkIn(second, 1, old)).status, 304);
});

test('sends a release of a stage that another process opened, and nothing after another process paused', async (t) => {
  const { first, second } = await withRollout(t, 2);
  t.is((await checkIn(second, 0, old)).header('x-version'), '2.0');
  t.is((await first.api('POST', '/projects/door/rollouts/1/pause', {})).status, 200);
  t.is((await checkIn(second, 1, old)).status, 304);
  t.is((await second.api('POST', '/projects/door/rollouts/1/resume', {})).status, 200);
  t.is((await checkIn(first, 1, old)).header('x-version'), '2.0');
});

for (const [change, act] of [
  ['paused the rollout', ({ api }: Process) => api('POST', '/projects/door/rollouts/1/pause', {})],
  ['yanked the release', ({ api }: Process) => api('POST', '/projects/door/releases/yank', { version: '2.0' })],
] as const) {
  test(`stores no attempt that was decided before another process ${change}`, async (t) => {
    const { first, second } = await withRollout(t, 2);
    await second.parts.catalog.update();
    once(second.parts.store.devices, 'check', 'after', () => act(first));
    const { decisions } = second.parts.counters;
    decisions.clear();
    t.is((await checkIn(second, 0, old)).status, 304);
    t.is(decisions.size, 1, 'the decision that was not stored is not counted');
    t.deepEqual((await first.parts.records.find('door', macOf(0)))?.attempts, []);
    t.is((await rolloutAt(first)).tally.updating, 0);
  });
}

test('counts at most the permitted attempts of a device that asks two processes at the same time', async (t) => {
  const { first, second } = await withRollout(t, 1, { failures: 9, notConfirmed: 9 });
  const statuses: number[] = [];
  for (let round = 0; round < 6; round++) {
    const responses = await Promise.all([checkIn(first, 0, old), checkIn(second, 0, old)]);
    statuses.push(...responses.map(({ status }) => status));
  }
  const [attempt] = (await first.parts.records.find('door', macOf(0)))?.attempts ?? [];
  t.is(attempt?.sends, statuses.filter((status) => status === 200).length);
  t.true(attempt !== undefined && attempt.sends - attempt.interruptions <= 3, `${attempt?.sends} sends`);
});

test('counts devices and halts a rollout with the failures of both processes', async (t) => {
  const { first, second } = await withRollout(t, 6, { failures: 2, failurePercent: 100, minimumSample: 100 });
  const at = (index: number) => (index % 2 === 0 ? first : second);
  for (const index of [0, 1]) {
    await checkIn(at(index), index, old);
    await checkIn(at(index + 1), index, young);
  }
  t.like((await rolloutAt(second)).tally, { members: 6, running: 2, pending: 4 });
  for (const index of [2, 3]) {
    for (let sends = 0; sends < 3; sends++) t.is((await checkIn(at(sends), index, old)).status, 200);
    t.is((await checkIn(at(index), index, old)).status, 304);
  }
  t.like(await rolloutAt(first), { state: 'halted', tally: { failed: 2, running: 2, pending: 2 } });
  t.is((await checkIn(first, 4, old)).status, 304);
  t.is((await checkIn(second, 5, old)).status, 304);
});

test('lets only one of two actions at the same time succeed, and reports a conflict for the other one', async (t) => {
  const { first, second } = await withRollout(t, 1);
  const pause = (process: Process) => process.api('POST', '/projects/door/rollouts/1/pause', {});
  once(second.parts.store.rollouts, 'save', 'before', () => pause(first));
  const { status, body } = await pause(second);
  t.is(status, 409);
  t.regex(JSON.stringify(body), /was changed at the same time and is paused now/);
  t.deepEqual(
    (await rolloutAt(second)).history.map(({ event }) => event),
    ['started', 'paused'],
  );
});

test('performs an action although the leading process adds a progress sample at the same time', async (t) => {
  const { first, second } = await withRollout(t, 1);
  await checkIn(first, 0, old);
  once(second.parts.store.rollouts, 'save', 'before', () => first.parts.rollouts.maintain());
  t.is((await second.api('POST', '/projects/door/rollouts/1/pause', {})).status, 200);
  const { state, samples } = await rolloutAt(first);
  t.is(state, 'paused');
  t.true(samples.length >= 1);
});

test('opens each stage once when two processes evaluate a rollout at the same time', async (t) => {
  const { first, second } = await withRollout(t, 1);
  await checkIn(first, 0, old);
  await checkIn(second, 0, young);
  await Promise.all([first, second].map(({ parts }) => parts.rollouts.maintain()));
  t.deepEqual(
    (await rolloutAt(first)).history.map(({ event }) => event),
    ['started', 'completed'],
  );
  t.is((await checkIn(second, 9, old)).header('x-version'), '2.0', 'the channel serves the release');
});

test('continues the count of a rollout whose process ended while counting, and waits with the gates until then', async (t) => {
  const { first, second } = await withRollout(t, 3);
  await first.api('POST', '/projects/door/rollouts/1/abort', {});
  const { store, rollouts } = second.parts;
  const last = await store.rollouts.find('door', 1);
  if (last === undefined) throw new Error('no rollout');
  const { id: _, revision: __, isCounted: ___, ...ended } = last;
  const again = { ...ended, state: 'active', endedAt: undefined, result: undefined, history: [] } as const;
  const created = await store.rollouts.create(again, () => ({ at: 0, actor: 'test', action: 'start', detail: {} }));
  const path = `/projects/door/rollouts/${created?.id}`;
  // A device that is saved before it is counted counts once.
  await checkIn(first, 2, old);
  t.like((await first.api('GET', path)).body, { waitingFor: 'the devices to be counted' });
  await rollouts.maintain();
  t.like((await first.api('GET', path)).body, { tally: { members: 3, updating: 1, pending: 2 } });
  await checkIn(second, 2, young);
  t.like((await first.api('GET', path)).body, { tally: { members: 3, running: 1 } });
});

test('starts a rollout before all devices are counted, and the leading process counts the rest', async (t) => {
  const { first, second } = await twoProcesses(t);
  t.is((await first.publish(old)).status, 201);
  t.is((await first.publish(young, { draft: true })).status, 201);
  const devices = Array.from({ length: 25 }, (_, index) => ({ mac: macOf(index) }));
  t.is((await first.api('POST', '/projects/door/devices/import', { devices })).status, 200);
  const { rollouts } = first.parts.store;
  const { countNext } = rollouts;
  rollouts.countNext = (id, _, memberIn) => countNext(id, 1, memberIn);
  const rollout = { version: '2.0', stages: [{ share: 100 }], gate: { soakMs: 0 } };
  const started = await first.api('POST', '/projects/door/rollouts', rollout);
  t.is(started.status, 201);
  t.like(started.body, { waitingFor: 'the devices to be counted', tally: { members: 20 } });
  t.is((await checkIn(first, 24, old)).header('x-version'), '2.0', 'a device that is not counted yet');
  await second.parts.rollouts.maintain();
  t.like(await rolloutAt(first), { tally: { members: 25, updating: 1, pending: 24 } });
});

test('counts a download as delivered during a rollout that a process with a faster clock started', async (t) => {
  const { first, second } = await withRollout(t, 1);
  await first.api('POST', '/projects/door/rollouts/1/abort', {});
  first.parts.clock.atLeast(1e9);
  const again = { version: '2.0', stages: [{ share: 100 }] };
  t.is((await first.api('POST', '/projects/door/rollouts', again)).status, 201);
  t.is((await checkIn(second, 0, old)).status, 200);
  first.parts.clock.atLeast(1e9 + 1000);
  await checkIn(first, 0, young);
  const { body } = await first.api('GET', '/projects/door/rollouts/2');
  t.like(body, { tally: { running: 1, undelivered: 0 } });
});

test('keeps the counts right when devices are changed and removed in two processes', async (t) => {
  const { first, second } = await withRollout(t, 4);
  await Promise.all([checkIn(first, 0, old), checkIn(second, 0, old), checkIn(second, 1, old)]);
  await Promise.all([first.api('DELETE', `/projects/door/devices/${macOf(0)}`), checkIn(second, 0, young)]);
  await second.api('PUT', `/projects/door/devices/${macOf(1)}`, { pin: '1.0' });
  await first.api('DELETE', `/projects/door/devices/${macOf(0)}`);
  t.like((await rolloutAt(first)).tally, { members: 2, pending: 2, updating: 0, running: 0 });
});

test('waits with the shutdown until the end of a download is stored', async (t) => {
  const { first } = await twoProcesses(t);
  t.is((await first.publish(old)).status, 201);
  const { devices } = first.parts.store;
  const save = devices.save;
  let saves = 0;
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  devices.save = async (...values) => {
    // The first save stores the attempt, and the second one the end of the download.
    if (++saves === 2) await gate;
    return save(...values);
  };
  t.is((await requestAsDevice(first.port, '/update/door', { mac: macOf(0) })).status, 200);
  let isIdle = false;
  const idle = first.parts.downloads.idle().then(() => {
    isIdle = true;
  });
  await until(() => saves >= 2);
  t.false(isIdle);
  goOn();
  await idle;
  t.like((await first.parts.records.find('door', macOf(0)))?.attempts[0], { state: 'received', receipts: 1 });
});

test('stores the end of a download without reading the device again', async (t) => {
  const { first } = await twoProcesses(t);
  t.is((await first.publish(old)).status, 201);
  const calls: string[] = [];
  const { devices } = first.parts.store;
  const { check, save } = devices;
  devices.check = (...values) => {
    calls.push('check');
    return check(...values);
  };
  devices.save = (...values) => {
    calls.push('save');
    return save(...values);
  };
  t.is((await requestAsDevice(first.port, '/update/door', { mac: macOf(0) })).status, 200);
  await first.parts.downloads.idle();
  t.deepEqual(calls, ['check', 'save', 'save']);
  t.like((await first.parts.records.find('door', macOf(0)))?.attempts[0], { state: 'received', receipts: 1 });
});

test('stores the end of a download of a device that another process has changed since', async (t) => {
  const { first, second } = await twoProcesses(t);
  t.is((await first.publish(old)).status, 201);
  once(first.parts.store.devices, 'save', 'after', () =>
    second.api('PUT', `/projects/door/devices/${macOf(0)}`, { name: 'front' }),
  );
  t.is((await requestAsDevice(first.port, '/update/door', { mac: macOf(0) })).status, 200);
  await first.parts.downloads.idle();
  const record = await first.parts.records.find('door', macOf(0));
  t.is(record?.name, 'front');
  t.like(record?.attempts[0], { state: 'received', receipts: 1 });
});

test('rejects none of 200 concurrent requests with the same MAC at two processes, and records each of them', async (t) => {
  const { first, second } = await twoProcesses(t);
  t.is((await first.publish(old)).status, 201);
  // Each process decides its requests one after the other.
  readTogether([first, second], 2);
  const responses = await Promise.all(
    Array.from({ length: 200 }, (_, index) => {
      // Each request reports another version, which changes the record.
      const forged = { mac: macOf(0), sketchMd5: '0'.repeat(32), version: `9.${index}`, freeSpace: 0 };
      return requestAsDevice((index % 2 === 0 ? first : second).port, '/update/door', forged);
    }),
  );
  t.deepEqual([...new Set(responses.map(({ status }) => status))], [304]);
  t.is((await first.parts.records.find('door', macOf(0)))?.revision, 200);
  t.deepEqual(await first.parts.store.counts.differences(() => undefined), []);
});

/** Makes the first requests wait until all of them have read a device, so that each is decided before another one is saved. */
function readTogether(processes: readonly Process[], requests: number): void {
  let reads = 0;
  let go = () => {};
  const allRead = new Promise<void>((resolve) => {
    go = resolve;
  });
  for (const { parts } of processes) {
    const { check } = parts.store.devices;
    parts.store.devices.check = async (...device) => {
      const checked = await check(...device);
      reads++;
      if (reads < requests) await allRead;
      else if (reads === requests) go();
      return checked;
    };
  }
}
