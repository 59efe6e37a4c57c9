/** Forged update checks without downloads that try to open the stages of a rollout, or to remove devices from it. */
import test, { type ExecutionContext } from 'ava';
import type { TestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import {
  attackerAddresses,
  checkIn,
  createSecrets,
  draft,
  maintained,
  running,
  startFleet,
  startRollout,
} from './fleet.ts';

const [attacker = ''] = attackerAddresses(1);
const forged = { from: attacker };
/** Report for which preflight finds every artifact too large. */
const full = { freeSpace: 4096, chipSize: 524_288 };
const stages = [
  { canaries: ['device-0', 'device-1'] },
  { canaries: ['device-2', 'device-3', 'device-4'] },
  { share: 100 },
];

/** Fleet of eight devices in three stages: two, three and three. */
async function startStages(t: ExecutionContext): Promise<{ server: TestServer; id: number }> {
  const server = await startFleet(t, 8);
  const { id } = await startRollout(server, { stages, gate: { soakMs: 0, runningPercent: 60 } });
  return { server, id };
}

async function update(server: TestServer, ...devices: readonly number[]): Promise<void> {
  for (const index of devices) {
    await checkIn(server, index, running);
    await checkIn(server, index, draft);
  }
}

test('keeps devices in a rollout when forged requests name a different channel', async (t) => {
  const { server, id } = await startStages(t);
  await server.api('PUT', '/projects/door/channels/beta', { version: '1.0' });
  let tried = 0;
  for (const channel of ['no-such-channel', 'beta', 'x'.repeat(40)]) {
    for (let index = 0; index < 8; index++, tried++) {
      await checkIn(server, index, running, { path: `/update/door/${channel}`, ...forged });
    }
  }
  const { state, openStages, tally } = await maintained(server, id);
  t.deepEqual([state, openStages, tally.members], ['active', 1, 8]);
  for (let downloads = 0; downloads < 4; downloads++) await checkIn(server, 0, running);
  t.is((await maintained(server, id)).tally.failed, 1, 'its failures still count');
  countAttacks({ kind: 'forged channels', tried, withstood: tried });
});

test('counts a device on a different channel after an operator or an authenticated request moves the device', async (t) => {
  const server = await startFleet(t, 3);
  await server.api('PUT', '/projects/door/channels/beta', { version: '1.0' });
  const { id } = await startRollout(server);
  await server.api('PUT', '/projects/door/devices/02:00:00:00:00:00', { channel: 'beta' });
  const { headers } = await createSecrets(server, 2);
  await checkIn(server, 1, running, { path: '/update/door/beta', authorization: headers[1] });
  t.is((await maintained(server, id)).tally.members, 1);
});

test('does not open a stage when forged reports make preflight block its devices', async (t) => {
  const { server, id } = await startStages(t);
  const block = async (...devices: readonly number[]) => {
    for (const index of devices) t.is((await checkIn(server, index, running, { ...full, ...forged })).status, 304);
  };
  await block(0, 1);
  const blocked = await maintained(server, id);
  t.is(blocked.openStages, 1);
  t.like(blocked.tally, { blocked: 2, unprovenBlocked: 2 });
  t.regex(blocked.waitingFor ?? '', /2 blocked, reported without credentials\): check them, then advance/);

  await update(server, 0, 1);
  t.is((await maintained(server, id)).openStages, 2);
  // In this order, because the server may evaluate the rollout between two reports, and one device can prove it for one that is left out.
  await block(3, 4);
  await update(server, 2);
  const reduced = await maintained(server, id);
  t.is(reduced.openStages, 2, 'one device cannot prove it for two that are left out');
  t.is(
    reduced.waitingFor,
    '2 devices in stage 2 to run 2.0 (1 so far), as many as are left out: 2 blocked, reported without credentials; check them, then advance or remove their enrollment',
  );
  await update(server, 3);
  t.is((await maintained(server, id)).openStages, 3, 'a majority of real devices opens it');
  countAttacks({ kind: 'forged reports of blocked devices', tried: 4, withstood: 4 });
});

test('does not wait for a device that preflight blocks by its authenticated report', async (t) => {
  const server = await startFleet(t, 3);
  const { headers } = await createSecrets(server, 3);
  for (const index of [0, 1, 2]) await checkIn(server, index, running, { authorization: headers[index] });
  const { id } = await startRollout(server, {
    stages: [{ canaries: ['device-0'] }, { canaries: ['device-1'] }, { share: 100 }],
  });
  await checkIn(server, 0, running, { authorization: headers[0], ...full });
  t.is((await maintained(server, id)).openStages, 2);
  t.is((await maintained(server, id)).openStages, 2, 'the last stage needs a device that proves the release');
});

test('does not open a stage or complete the rollout when devices only report the release', async (t) => {
  const { server, id } = await startStages(t);
  await update(server, 0, 1);
  t.is((await maintained(server, id)).openStages, 2);
  for (let index = 2; index < 8; index++) await checkIn(server, index, draft, forged);
  const second = await maintained(server, id);
  t.is(second.openStages, 2);
  t.regex(
    second.waitingFor ?? '',
    /^3 devices in stage 2 to run 2\.0 \(0 so far\).*3 run it, not downloaded here; check them/,
  );
  t.is((await server.api('POST', `/projects/door/rollouts/${id}/advance`, {})).status, 200);
  const last = await maintained(server, id);
  t.is(last.state, 'active');
  t.regex(last.waitingFor ?? '', /^3 devices in stage 3 .*; check them, then remove their enrollment$/);
  for (const index of [5, 6, 7]) {
    await server.api('PUT', `/projects/door/devices/02:00:00:00:00:0${index}`, { enrolled: false });
  }
  t.is((await maintained(server, id)).state, 'complete');
  countAttacks({ kind: 'forged reports of running devices', tried: 6, withstood: 6 });
});

test('waits for a device of each stage, even if the devices of earlier stages suffice for the percentage', async (t) => {
  const server = await startFleet(t, 8);
  const canaries = ['device-0', 'device-1', 'device-2', 'device-3', 'device-4'];
  const own = [{ canaries }, { canaries: ['device-5'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages: own, gate: { soakMs: 0, runningPercent: 80 } });
  await update(server, 0, 1, 2, 3, 4);
  t.is((await maintained(server, id)).openStages, 2);
  const { openStages, waitingFor } = await maintained(server, id);
  t.deepEqual([openStages, waitingFor], [2, '1 device in stage 2 to run 2.0 (0 so far)']);
  await update(server, 5);
  t.is((await maintained(server, id)).openStages, 3);
});
