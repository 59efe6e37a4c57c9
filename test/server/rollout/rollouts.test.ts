/** Rollouts on a running server. The tests use the API and device requests. */
import test, { type ExecutionContext } from 'ava';
import type { RolloutRequest } from '../../../src/api/rollout.ts';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { overdue } from '../../../src/server/services/devices/attempts.ts';
import { memberOf } from '../../../src/server/services/rollouts/tally.ts';
import { auditBy } from '../audit-by.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { receiptsNoted, startTestServer, type TestServer } from '../running-server.ts';

const signer = testSigner();
const [old, young, other] = await Promise.all(
  ['1.0', '2.0', '3.0'].map((version, seed) => testBuild({ version, project: 'door', signer, seed, sizeBytes: 8192 })),
);

function macOf(index: number): string {
  return `02:00:00:00:00:${index.toString(16).padStart(2, '0').toUpperCase()}`;
}

/** Server whose devices run `old`, the current release on `stable`. The release `young` is a draft. */
async function fleet(t: ExecutionContext, devices: number): Promise<TestServer> {
  const server = await startTestServer(t);
  if (old === undefined || young === undefined) throw new Error('no builds');
  t.is((await server.publish(old)).status, 201);
  t.is((await server.publish(young, { draft: true })).status, 201);
  for (let index = 0; index < devices; index++) {
    await server.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true, name: `device-${index}` });
    await checkIn(server, index, old);
  }
  return server;
}

function checkIn(server: TestServer, index: number, runs: Build | undefined, path = '/update/door') {
  if (runs === undefined) throw new Error('no build');
  return requestAsDevice(server.port, path, { mac: macOf(index), sketchMd5: sketchMd5Of(runs.manifest) });
}

async function start(server: TestServer, request: Partial<RolloutRequest> = {}): Promise<RolloutInfo> {
  const whole: RolloutRequest = { version: '2.0', gate: { soakMs: 0 }, ...request };
  const { status, body } = await server.api('POST', '/projects/door/rollouts', whole);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body as unknown as RolloutInfo;
}

async function show(server: TestServer, id: number): Promise<RolloutInfo> {
  return (await server.api('GET', `/projects/door/rollouts/${id}`)).body as unknown as RolloutInfo;
}

const canaries = { stages: [{ canaries: ['device-0', 'device-1'] }, { share: 100 }] };

test('updates only devices in open stages, and opens the next stage when those devices run the release', async (t) => {
  const server = await fleet(t, 4);
  const { id, previous } = await start(server, { ...canaries, gate: { soakMs: 0, runningPercent: 100 } });
  t.is(previous, '1.0');
  t.is((await checkIn(server, 0, old)).header('x-version'), '2.0');
  t.is((await checkIn(server, 2, old)).status, 304, 'its stage is not open');
  t.is(
    (await requestAsDevice(server.port, '/update/door', { mac: macOf(9) })).header('x-version'),
    '1.0',
    'a stranger',
  );

  await server.parts.rollouts.maintain();
  t.regex((await show(server, id)).waitingFor ?? '', /2 of 2 devices to run 2\.0 \(0 so far\)/);
  await checkIn(server, 1, old);
  await checkIn(server, 0, young);
  await checkIn(server, 1, young);
  await server.parts.rollouts.maintain();
  t.is((await show(server, id)).openStages, 2);
  t.is((await checkIn(server, 2, old)).header('x-version'), '2.0');
  t.is((await checkIn(server, 3, old)).header('x-version'), '2.0');
  t.is((await checkIn(server, 0, young)).status, 304);

  for (const index of [2, 3]) await checkIn(server, index, young);
  await server.parts.rollouts.maintain();
  t.is((await show(server, id)).state, 'complete');
  t.is((await checkIn(server, 9, old)).header('x-version'), '2.0', 'the channel offers it to all');
  const { body } = await server.api('GET', '/audit');
  const actions = (body as { entries: { action: string }[] }).entries.map(({ action }) => action);
  for (const action of ['rollout.started', 'rollout.stage-opened', 'rollout.completed'])
    t.true(actions.includes(action), action);
});

test('keeps the next stage closed until devices have run the release for the soak time', async (t) => {
  const server = await fleet(t, 3);
  const { id } = await start(server, { ...canaries, gate: { soakMs: 3_600_000 } });
  for (const index of [0, 1]) {
    await checkIn(server, index, old);
    await checkIn(server, index, young);
  }
  await server.parts.rollouts.maintain();
  const { openStages, waitingFor, tally } = await show(server, id);
  t.is(openStages, 1);
  t.is(tally.running, 2);
  t.regex(waitingFor ?? '', /run 2\.0 for 60 min \(0 so far\)/);
});

test('halts a rollout after two unconfirmed updates, and resumes it only when the failures are accepted', async (t) => {
  const server = await fleet(t, 6);
  const { id } = await start(server, { stages: [{ canaries: ['device-0', 'device-1'] }, { share: 100 }] });
  for (const index of [0, 1]) {
    t.is((await checkIn(server, index, old)).status, 200);
    await receiptsNoted(server, macOf(index), 1);
  }
  t.is((await show(server, id)).tally.updating, 2);
  const later = Number.POSITIVE_INFINITY;
  for (const index of [0, 1]) {
    await server.parts.records.change('door', macOf(index), (record) => {
      return record && { ...record, attempts: overdue(record.attempts, { wallMs: Date.now(), servedMs: later }) };
    });
  }
  const halted = await show(server, id);
  t.is(halted.state, 'halted');
  t.regex(halted.reason ?? '', /2 devices did not confirm 2\.0 \(limit: 2\)/);
  for (const index of [0, 1, 2, 3]) t.is((await checkIn(server, index, old)).status, 304);
  const file = young?.manifest.artifacts.find(
    ({ signature, encoding }) => signature !== 'none' && encoding === 'identity',
  );
  t.is((await checkIn(server, 2, old, `/files/door/2.0/${file?.file}`)).status, 304);
  t.is((await checkIn(server, 2, old, `/files/door/@stable/${file?.file}`)).status, 304);

  const refused = await server.api('POST', `/projects/door/rollouts/${id}/resume`, {});
  t.is(refused.status, 409);
  t.regex(JSON.stringify(refused.body), /accept-failures/);
  await server.api('POST', `/projects/door/rollouts/${id}/resume`, { acceptFailures: true, reason: 'a power cut' });
  await server.parts.rollouts.maintain();
  t.is((await show(server, id)).state, 'active', 'those that are known do not halt it again');
});

test('opens the next stage despite accepted failures, and halts the rollout on a new failure', async (t) => {
  const server = await fleet(t, 4);
  const stages = [{ canaries: ['device-0', 'device-1', 'device-2'] }, { share: 100 }];
  const { id } = await start(server, { stages, halt: { failures: 1 } });
  for (let checkIns = 0; checkIns < 4; checkIns++) await checkIn(server, 0, old);
  t.is((await show(server, id)).state, 'halted');
  await server.api('POST', `/projects/door/rollouts/${id}/resume`, { acceptFailures: true });
  await server.parts.rollouts.maintain();
  t.regex((await show(server, id)).waitingFor ?? '', /2 of 2 devices to run 2\.0 \(0 so far\)/);
  for (const index of [1, 2]) {
    await checkIn(server, index, old);
    await checkIn(server, index, young);
  }
  await server.parts.rollouts.maintain();
  t.is((await show(server, id)).openStages, 2);
  for (let checkIns = 0; checkIns < 4; checkIns++) await checkIn(server, 3, old);
  t.is((await show(server, id)).state, 'halted', 'a new failure counts');
});

test('halts a rollout by the percentage of failed devices after the minimum sample is reached', async (t) => {
  const server = await fleet(t, 5);
  const halt = { failures: 3, failurePercent: 50, minimumSample: 4, notConfirmed: 9 };
  const { id } = await start(server, { stages: [{ share: 100 }], halt });
  for (let sends = 0; sends < 3; sends++) await checkIn(server, 0, old);
  await checkIn(server, 0, old);
  t.is((await show(server, id)).tally.failed, 1);
  t.is((await show(server, id)).state, 'active', 'one alone is no share');
  for (const index of [1, 2]) {
    await checkIn(server, index, old);
    await checkIn(server, index, young);
  }
  for (let sends = 0; sends < 4; sends++) await checkIn(server, 3, old);
  const halted = await show(server, id);
  t.is(halted.state, 'halted');
  t.regex(halted.reason ?? '', /2 of 4 devices failed to update to 2\.0 \(limit: 50%\)/);
  t.is((await checkIn(server, 4, old)).status, 304);
});

test('pauses, resumes, advances and aborts a rollout without reverting updated devices', async (t) => {
  const server = await fleet(t, 4);
  const { id } = await start(server, canaries);
  const act = async (action: string, body: object = {}) =>
    (await server.api('POST', `/projects/door/rollouts/${id}/${action}`, body)).status;
  await checkIn(server, 0, old);
  await checkIn(server, 0, young);
  t.is(await act('pause', { reason: 'lunch' }), 200);
  t.is((await checkIn(server, 1, old)).status, 304);
  t.is((await checkIn(server, 0, young)).status, 304, 'it is not put back to what the channel offers');
  t.is(await act('advance'), 409);
  t.is(await act('resume'), 200);
  t.is((await checkIn(server, 1, old)).status, 200);
  t.is(await act('advance'), 200);
  t.is((await checkIn(server, 2, old)).header('x-version'), '2.0');
  t.is(await act('abort'), 200);
  t.is((await checkIn(server, 3, old)).status, 304);
  t.is((await checkIn(server, 0, young)).status, 304);
  t.is(await act('abort'), 409);
  t.deepEqual(
    (await show(server, id)).history.map(({ event }) => event),
    ['started', 'paused', 'resumed', 'stage 2 opened', 'aborted'],
  );
});

test('sends the previous release to updated devices after a rollback', async (t) => {
  const server = await fleet(t, 3);
  const { id } = await start(server, { stages: [{ share: 100 }] });
  await checkIn(server, 0, old);
  await checkIn(server, 0, young);
  await server.api('POST', `/projects/door/rollouts/${id}/rollback`, { reason: 'it smokes' });
  const back = await checkIn(server, 0, young);
  t.is(back.header('x-version'), '1.0');
  t.is((await checkIn(server, 0, old)).status, 304);
  t.is((await checkIn(server, 1, old)).status, 304);
});

test('rolls back a completed rollout for all devices on the channel', async (t) => {
  const server = await fleet(t, 1);
  const { id } = await start(server, { stages: [{ share: 100 }] });
  await checkIn(server, 0, old);
  await checkIn(server, 0, young);
  await server.parts.rollouts.maintain();
  t.is((await show(server, id)).state, 'complete');
  t.is((await server.api('POST', `/projects/door/rollouts/${id}/rollback`, {})).status, 200);
  t.is((await checkIn(server, 0, young)).header('x-version'), '1.0');
  t.is((await requestAsDevice(server.port, '/update/door', { mac: macOf(77) })).header('x-version'), '1.0');
});

test('keeps a rollout across a restart, and halts it for stored failures before serving devices', async (t) => {
  const server = await fleet(t, 4);
  const { id } = await start(server, { ...canaries, halt: { notConfirmed: 1 } });
  await checkIn(server, 0, old);
  await checkIn(server, 0, young);
  const again = await server.restart();
  t.like(await show(again, id), { state: 'active', openStages: 1, tally: { running: 1, members: 4 } });
  t.is((await checkIn(again, 2, old)).status, 304);
  t.is((await checkIn(again, 1, old)).status, 200);
  await receiptsNoted(again, macOf(1), 1);
  // After a crash between the two writes, the failure is stored and the halt is not.
  const store = again.parts.store;
  const record = await again.parts.records.find('door', macOf(1));
  if (record === undefined) throw new Error('no record');
  const failed = record.attempts.map((attempt) => ({ ...attempt, state: 'failed', failure: 'not-confirmed' }) as const);
  const rollout = await store.rollouts.find('door', id);
  if (rollout === undefined) throw new Error('no rollout');
  const after = { ...record, attempts: failed };
  const members = [{ rollout: id, before: memberOf(rollout, record), after: memberOf(rollout, after) }];
  t.is(await store.devices.save(after, { mostDevices: 100, members }), 'saved');
  const third = await again.restart();
  t.is((await show(third, id)).state, 'halted');
  t.is((await checkIn(third, 1, old)).status, 304);
});

test('rejects promoting a different release to a channel with an active rollout, and accepts drafts', async (t) => {
  const server = await fleet(t, 1);
  const { id } = await start(server, { stages: [{ share: 100 }] });
  if (other === undefined) throw new Error('no build');
  const direct = await server.publish(other);
  t.is(direct.status, 409);
  t.regex(JSON.stringify(direct.body), /promoted to stable: the rollout of 2\.0 is active.*--draft/);
  t.is((await server.publish(other, { draft: true })).status, 201);
  t.is((await server.api('PUT', '/projects/door/channels/stable', { version: '3.0' })).status, 409);
  t.is((await server.api('POST', '/projects/door/rollouts', { version: '3.0' })).status, 409);
  t.is((await server.publish(other, { channel: 'beta' })).status, 200, 'another channel');
  await server.api('POST', `/projects/door/rollouts/${id}/abort`, {});
  t.is((await server.api('PUT', '/projects/door/channels/stable', { version: '3.0' })).status, 200);
  t.is((await checkIn(server, 0, old)).header('x-version'), '3.0');
});

test('reverts updated devices when the previous release is promoted after an abort', async (t) => {
  const server = await fleet(t, 1);
  const { id } = await start(server, { stages: [{ share: 100 }] });
  await checkIn(server, 0, old);
  await checkIn(server, 0, young);
  await server.api('POST', `/projects/door/rollouts/${id}/abort`, {});
  t.is((await checkIn(server, 0, young)).status, 304);
  await server.api('PUT', '/projects/door/channels/stable', { version: '1.0' });
  t.is((await checkIn(server, 0, young)).header('x-version'), '1.0');
});

test('halts a rollout if the process that yanked its release ended before it halted the rollout', async (t) => {
  const server = await fleet(t, 2);
  const { id } = await start(server, { stages: [{ share: 100 }] });
  const { store, rollouts, catalog } = server.parts;
  const releases = await store.catalog.withVersion('door', '2.0');
  const ids = releases.map((release) => release.id);
  await store.catalog.yank('door', ids, 'it smokes', () => auditBy('tester', 'release.yanked'));
  t.is((await checkIn(server, 0, old)).status, 304);
  await catalog.update();
  await rollouts.maintain();
  t.like(await show(server, id), { state: 'halted', reason: 'yanked: it smokes' });
});

test('maintains the other rollouts if one of them cannot be evaluated', async (t) => {
  const server = await fleet(t, 3);
  await server.api('PUT', `/projects/door/devices/${macOf(2)}`, { channel: 'beta' });
  const first = await start(server, { ...canaries, gate: { soakMs: 0, runningPercent: 100 } });
  const second = await start(server, { channel: 'beta', stages: [{ share: 100 }] });
  for (const runs of [old, young]) await checkIn(server, 2, runs);
  const { store, rollouts } = server.parts;
  const { counts } = store.rollouts;
  Object.assign(store.rollouts, {
    counts: async (id: number) => {
      if (id === first.id) throw new Error('the counts cannot be read');
      return counts(id);
    },
  });
  t.teardown(() => Object.assign(store.rollouts, { counts }));
  await rollouts.maintain();
  await rollouts.haltAll();
  Object.assign(store.rollouts, { counts });
  t.like(await show(server, first.id), { state: 'active' });
  t.like(await show(server, second.id), { state: 'complete' });
  const errors = server.logged.filter(({ message }) => message === 'Rollout maintenance failed');
  t.like(errors[0], { level: 'error', fields: { project: 'door', rollout: first.id } });
});

test('halts a rollout when its release is yanked', async (t) => {
  const server = await fleet(t, 2);
  const { id } = await start(server, { stages: [{ share: 100 }] });
  await server.api('POST', '/projects/door/releases/yank', { version: '2.0', reason: 'it smokes' });
  t.like(await show(server, id), { state: 'halted', reason: 'yanked: it smokes' });
  t.is((await checkIn(server, 0, old)).status, 304);
});

test('sends a pinned device only the pinned version, and does not count the device in a rollout', async (t) => {
  const server = await fleet(t, 2);
  t.is((await server.api('PUT', `/projects/door/devices/${macOf(0)}`, { pin: '9.9' })).status, 404);
  t.is((await server.api('PUT', `/projects/door/devices/${macOf(0)}`, { pin: '1.0' })).status, 200);
  const { tally } = await start(server, { stages: [{ share: 100 }] });
  t.is(tally.members, 1);
  t.is((await checkIn(server, 0, old)).status, 304);
  t.is((await checkIn(server, 0, young)).header('x-version'), '1.0', 'back to its version');
  await server.api('PUT', `/projects/door/devices/${macOf(0)}`, { pin: null });
  t.is((await checkIn(server, 0, old)).header('x-version'), '2.0');
});

test('opens a stage by device group, and shows the stage of a device', async (t) => {
  const server = await fleet(t, 3);
  await server.api('PUT', `/projects/door/devices/${macOf(2)}`, { group: 'hall' });
  await start(server, { stages: [{ groups: ['hall'] }, { share: 100 }] });
  t.is((await checkIn(server, 2, old)).status, 200);
  t.is((await checkIn(server, 0, old)).status, 304);
  const { body } = await server.api('GET', `/projects/door/devices/${macOf(0)}`);
  t.like(body, {
    group: undefined,
    rollout: { version: '2.0', stage: 2, stages: 2, isOpen: false, progress: 'pending' },
  });
});

test('rejects invalid rollout requests and unknown rollouts', async (t) => {
  const server = await fleet(t, 1);
  const refusal = async (request: object) => {
    const { status, body } = await server.api('POST', '/projects/door/rollouts', request);
    return `${status} ${JSON.stringify(body)}`;
  };
  t.regex(await refusal({ version: '9.9' }), /^404.*--draft/);
  t.regex(await refusal({ version: '1.0' }), /^409.*1\.0 is already the current release of stable/);
  t.regex(await refusal({ version: '2.0', stages: [{ share: 50 }] }), /^422.*last stage/);
  t.regex(await refusal({ version: '2.0', stages: [{ share: 50 }, { share: 10 }, { share: 100 }] }), /^422.*smaller/);
  t.regex(
    await refusal({ version: '2.0', stages: [{ canaries: ['nobody'] }, { share: 100 }] }),
    /^422.*the name or MAC nobody/,
  );
  t.regex(await refusal({ version: '2.0', stages: [{ share: 0 }, { share: 100 }] }), /^422.*stages before the last/);
  await server.api('PUT', `/projects/door/devices/${macOf(0)}`, { enrolled: false });
  t.regex(await refusal({ version: '2.0' }), /^422.*no device of door is enrolled/);
  t.is((await server.api('GET', '/projects/door/rollouts/7')).status, 404);
  t.is((await server.api('POST', '/projects/door/rollouts/7/pause', {})).status, 404);
  t.is((await server.api('POST', '/projects/door/rollouts/7/dance', {})).status, 422);
});
