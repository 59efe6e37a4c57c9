/** Forged update checks against rollouts of devices without credentials. */
import test from 'ava';
import { attackerAddresses, checkIn, draft, halted, maintained, running, startFleet, startRollout } from './fleet.ts';

const [attacker = ''] = attackerAddresses(1);

test('does not complete a rollout when devices are reported to run a release that they never downloaded', async (t) => {
  const devices = 100;
  const server = await startFleet(t, devices);
  const { id } = await startRollout(server);
  for (let index = 0; index < devices; index++) await checkIn(server, index, draft, { from: attacker });
  const { state, tally, waitingFor, unproven } = await maintained(server, id);
  t.is(state, 'active');
  t.like(tally, { members: devices, running: 0, undelivered: devices });
  t.is(
    waitingFor,
    'a device in the open stages to download 2.0 (100 run it, not downloaded here): check them, then remove their enrollment',
  );
  t.deepEqual(unproven, { devices, addresses: 1, most: [{ address: attacker, devices }] });
});

test('does not skip a stage whose devices are all reported to run a release that they never downloaded', async (t) => {
  const server = await startFleet(t, 4);
  const stages = [{ canaries: ['device-0'] }, { canaries: ['device-1'] }, { share: 100 }];
  const { id } = await startRollout(server, { stages });
  for (const index of [0, 1, 2]) await checkIn(server, index, draft, { from: attacker });
  t.is((await maintained(server, id)).openStages, 1);
});

test('does not wait for a device that was flashed by other means, and counts one that downloads the release', async (t) => {
  const server = await startFleet(t, 3);
  const { id } = await startRollout(server, { gate: { soakMs: 0, runningPercent: 100 } });
  await checkIn(server, 0, draft);
  for (const index of [1, 2]) {
    t.is((await checkIn(server, index, running)).status, 200);
    await checkIn(server, index, draft);
  }
  const { state, tally } = await maintained(server, id);
  t.is(state, 'complete');
  t.like(tally, { running: 2, undelivered: 1 });
});

test('counts a device that downloaded the release from this server before the rollout started', async (t) => {
  const server = await startFleet(t, 2);
  await server.api('PUT', '/projects/door/channels/beta', { version: '2.0' });
  await checkIn(server, 0, running, { path: '/update/door/beta' });
  await checkIn(server, 0, draft, { path: '/update/door/beta' });
  await server.api('PUT', '/projects/door/devices/02:00:00:00:00:00', { channel: 'stable' });
  const { id } = await startRollout(server);
  t.like((await maintained(server, id)).tally, { running: 1, undelivered: 0, pending: 1 });
});

test('shows which address sent the reports when every device is forged', async (t) => {
  const server = await startFleet(t, 10);
  const { id } = await startRollout(server, { gate: { soakMs: 3_600_000 } });
  for (let index = 0; index < 10; index++) {
    await checkIn(server, index, running, { from: attacker });
    await checkIn(server, index, draft, { from: attacker });
  }
  const { tally, unproven } = await maintained(server, id);
  t.like(tally, { running: 10, unproven: 10, withCredentials: 0 });
  t.deepEqual(unproven, { devices: 10, addresses: 1, most: [{ address: attacker, devices: 10 }] });
  await server.api('POST', `/projects/door/rollouts/${id}/abort`, {});
  t.deepEqual((await maintained(server, id)).unproven, { devices: 10, addresses: 1, most: [] }, 'without addresses');
});

test('halts on forged failures, names their address, and needs twice as many after each further resumption', async (t) => {
  const server = await startFleet(t, 60);
  const { id } = await startRollout(server, { halt: { failures: 4, minimumSample: 20 } });
  const failuresPerHalt: number[] = [];
  let forged = 0;
  while (forged < 60) {
    const before = forged;
    while (forged < 60 && !(await halted(server, id))) {
      for (let downloads = 0; downloads < 4; downloads++) await checkIn(server, forged, running, { from: attacker });
      forged++;
    }
    const { state, reason } = await maintained(server, id);
    if (state !== 'halted') break;
    t.regex(reason ?? '', /^\d+ devices failed to update to 2\.0 \(limit: 4\); all reports from 1 address, unproven$/);
    failuresPerHalt.push(forged - before);
    await server.api('POST', `/projects/door/rollouts/${id}/resume`, { acceptFailures: true });
  }
  t.deepEqual(failuresPerHalt, [4, 4, 8, 16]);
});

test('serves no file of a draft', async (t) => {
  const server = await startFleet(t, 1);
  for (const { file } of draft.manifest.artifacts) {
    const path = `/files/door/2.0/${file}`;
    t.is((await fetch(server.url + path)).status, 404, file);
    t.not((await checkIn(server, 0, running, { path })).status, 200, file);
  }
});

test('serves the files of a rollout only to devices in its open stages', async (t) => {
  const server = await startFleet(t, 2);
  await startRollout(server, { stages: [{ canaries: ['device-0'] }, { share: 100 }] });
  const served: string[] = [];
  for (const { file } of draft.manifest.artifacts) {
    for (const from of ['2.0', '@stable']) {
      const path = `/files/door/${from}/${file}`;
      t.not((await fetch(server.url + path)).headers.get('x-version'), '2.0', path);
      t.not((await checkIn(server, 1, running, { path })).header('x-version'), '2.0', path);
      if ((await checkIn(server, 0, running, { path })).header('x-version') === '2.0') served.push(path);
    }
  }
  t.true(served.length > 0);
});

test('serves the files of a release that a channel served before', async (t) => {
  const server = await startFleet(t, 0);
  await server.api('PUT', '/projects/door/channels/stable', { version: '2.0' });
  for (const { file } of running.manifest.artifacts) {
    t.is((await fetch(`${server.url}/files/door/1.0/${file}`)).status, 200, file);
  }
});
