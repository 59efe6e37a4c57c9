/** Rollouts that do not progress. The tests move the server's clock. */
import test, { type ExecutionContext } from 'ava';
import type { AuditInfo } from '../../../src/api/admin-info.ts';
import type { DeliveryInfo } from '../../../src/api/webhooks.ts';
import { isStalled } from '../../../src/server/services/rollouts/stall.ts';
import { checkIn, draft, macOf, maintained, running, startFleet, startRollout } from '../../attack/rollouts/fleet.ts';
import { requestAsDevice } from '../raw-device.ts';
import type { TestServer } from '../running-server.ts';

const dayMs = 24 * 3_600_000;

/** Moves the clock that counts the time of running servers. */
async function pass({ parts }: TestServer, ms: number): Promise<void> {
  await parts.store.advanceServedMs(ms);
  await parts.clock.update();
}

/** Returns the events of the audit log about stalls, oldest first. */
async function stallEvents(server: TestServer): Promise<readonly string[]> {
  const { entries } = (await server.api('GET', '/audit')).body as unknown as { entries: readonly AuditInfo[] };
  const events = entries.map(({ action }) => action).filter((action) => /stalled|progressed/.test(action));
  return events.reverse();
}

async function metric({ url, token }: TestServer, name: string): Promise<string | undefined> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.text()).split('\n').find((line) => line.startsWith(`${name}{`));
}

/** Waits until the server has noted this number of updated devices, which it does together with the next sample. */
async function progressed(server: TestServer, id: number, devices: number): Promise<void> {
  await server.parts.lastSeen.flush();
  while ((await server.parts.store.rollouts.find('door', id))?.progress?.running !== devices)
    await maintained(server, id);
}

/** Rollout in whose first stage one of three devices is updated. */
async function halfDone(t: ExecutionContext) {
  const server = await startFleet(t, 4);
  const url = 'http://127.0.0.1:9/hook';
  const hook = { url, events: ['rollout.stalled', 'rollout.progressed'], allowPrivate: true };
  t.is((await server.api('POST', '/webhooks', hook)).status, 201);
  const stages = [{ canaries: ['device-0', 'device-1', 'device-2'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages });
  await checkIn(server, 0, running);
  await checkIn(server, 0, draft);
  const tight = { mac: macOf(1), version: '0.5', freeSpace: 4096 };
  t.is((await requestAsDevice(server.port, '/update/door', tight)).status, 304);
  await progressed(server, id, 1);
  return { server, id };
}

test('reports a rollout without progress once, with the cause, and reports that it progresses again', async (t) => {
  const { server, id } = await halfDone(t);
  await pass(server, dayMs - 60_000);
  t.is((await maintained(server, id)).stalled, undefined);
  await pass(server, 120_000);
  for (let times = 0; times < 3; times++) await maintained(server, id);
  const { stalled, state, history } = await maintained(server, id);
  t.is(state, 'active');
  t.regex(
    stalled?.cause ?? '',
    /^waiting for 2 of 2 devices to run 2\.0 \(1 so far\); 1 pending, last seen \d{4}-\d\d-\d\d \d\d:\d\d UTC, 1 cannot take it \(blocked by no-space\)$/,
  );
  t.is(history.at(-1)?.event, 'stalled');
  t.deepEqual(await stallEvents(server), ['rollout.stalled']);
  t.regex((await metric(server, 'ota_rollout_stalled')) ?? '', / 1$/);

  await checkIn(server, 2, running);
  t.truthy((await maintained(server, id)).stalled, 'a download is not progress');
  await checkIn(server, 2, draft);
  const after = await maintained(server, id);
  t.is(after.stalled, undefined);
  t.deepEqual(await stallEvents(server), ['rollout.stalled', 'rollout.progressed']);
  t.regex((await metric(server, 'ota_rollout_stalled')) ?? '', / 0$/);
  await progressed(server, id, 2);
  await pass(server, 2 * dayMs);
  for (let times = 0; times < 3; times++) await maintained(server, id);
  t.deepEqual(await stallEvents(server), ['rollout.stalled', 'rollout.progressed', 'rollout.stalled']);
  const { deliveries } = (await server.api('GET', '/webhooks/1/deliveries')).body as unknown as {
    deliveries: readonly DeliveryInfo[];
  };
  t.deepEqual(
    deliveries.map(({ event }) => event),
    ['rollout.stalled', 'rollout.progressed', 'rollout.stalled'],
  );
});

test('uses the time of the project in addition to the soak time, and does not report paused rollouts', async (t) => {
  const server = await startFleet(t, 2);
  const { status, body } = await server.api('PUT', '/projects/door', { stalledAfterMs: 3_600_000 });
  t.like({ status, ...body }, { status: 200, stalledAfterMs: 3_600_000 });
  t.is((await server.api('PUT', '/projects/door', { stalledAfterMs: 10 })).status, 422);
  const { id } = await startRollout(server, { gate: { soakMs: 7_200_000 } });
  await server.api('POST', `/projects/door/rollouts/${id}/pause`, {});
  await pass(server, 9 * dayMs);
  await maintained(server, id);
  await server.api('POST', `/projects/door/rollouts/${id}/resume`, {});
  await progressed(server, id, 0);
  t.is((await maintained(server, id)).stalled, undefined, 'the time starts when the rollout is resumed');
  await pass(server, 10_000_000);
  t.is((await maintained(server, id)).stalled, undefined);
  await pass(server, 1_000_000);
  t.regex((await maintained(server, id)).stalled?.cause ?? '', /2 pending, last seen .* or earlier$/);
  await server.api('POST', `/projects/door/rollouts/${id}/pause`, {});
  t.is((await maintained(server, id)).stalled, undefined);
  t.deepEqual(await stallEvents(server), ['rollout.stalled']);
});

test('names devices that never checked in as the cause of a stall', async (t) => {
  const server = await startFleet(t, 2);
  for (const index of [0, 1]) await server.api('DELETE', `/projects/door/devices/${macOf(index)}`);
  for (const index of [5, 6]) await server.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true });
  const { id } = await startRollout(server, {});
  await progressed(server, id, 0);
  await pass(server, dayMs + 60_000);
  t.is(
    (await maintained(server, id)).stalled?.cause,
    'waiting for 2 of 2 devices to run 2.0 (0 so far); 2 pending, which never checked in',
  );
});

test('waits a day longer for a rollout with a window, which may be closed for most of the day', (t) => {
  const rollout = {
    state: 'active',
    gate: { soakMs: 0, runningPercent: 90 },
    progress: { running: 1, servedMs: 0 },
  } as const;
  const window = { from: '01:00', to: '02:00', timeZone: 'UTC' };
  t.true(isStalled(rollout, dayMs, dayMs));
  t.false(isStalled({ ...rollout, window }, 2 * dayMs - 1, dayMs));
  t.true(isStalled({ ...rollout, window }, 2 * dayMs, dayMs));
});
