/** Final numbers of rollouts that have ended. */
import test, { type ExecutionContext } from 'ava';
import { memberSelections, type RolloutDevices, type RolloutInfo } from '../../../src/api/rollout-info.ts';
import { makeApi } from '../../../src/server/http/api/app.ts';
import { HistoryCleaner } from '../../../src/server/services/history.ts';
import { checkIn, draft, macOf, maintained, running, startFleet, startRollout } from '../../attack/rollouts/fleet.ts';
import { serverCommands } from '../../support/server-commands.ts';
import { testFolder } from '../../support/test-folder.ts';
import { browserAt } from '../dashboard/browsing.ts';
import { startTestServer, type TestServer } from '../running-server.ts';

async function show(server: TestServer, id: number, token = server.token): Promise<RolloutInfo> {
  const { body } = await server.api('GET', `/projects/door/rollouts/${id}`, undefined, token);
  return body as unknown as RolloutInfo;
}

async function list(server: TestServer, id: number, query = '', token = server.token): Promise<RolloutDevices> {
  const { status, body } = await server.api('GET', `/projects/door/rollouts/${id}/devices${query}`, undefined, token);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as unknown as RolloutDevices;
}

/** Returns the names and statuses of all devices of a rollout, and the size of the list of each selection. */
async function lists(server: TestServer, id: number, token = server.token) {
  const all = (await list(server, id, '', token)).devices.map(({ mac, status, reason }) => ({ mac, status, reason }));
  const totals: number[] = [];
  for (const status of memberSelections) totals.push((await list(server, id, `?status=${status}`, token)).total);
  return { all, totals };
}

/** Server on which two of three devices run the release of a completed rollout. */
async function completed(t: ExecutionContext) {
  const server = await startFleet(t, 3);
  const { id } = await startRollout(server, { gate: { soakMs: 0, runningPercent: 60 } });
  for (const index of [0, 1]) {
    await checkIn(server, index, running);
    await checkIn(server, index, draft);
  }
  const before = await maintained(server, id);
  t.like(before, { state: 'complete', tally: { members: 3, running: 2, pending: 1 } });
  t.is(before.finalAt, before.endedAt);
  return { server, before };
}

/** Changes the fleet, which changes the numbers of a rollout in progress. */
async function changeFleet(server: TestServer): Promise<void> {
  await checkIn(server, 0, running);
  await server.api('DELETE', `/projects/door/devices/${macOf(1)}`);
  await server.api('PUT', `/projects/door/devices/${macOf(5)}`, { enrolled: true });
  await server.parts.rollouts.maintain();
}

test('keeps the numbers of a completed rollout while its devices change, and across a restart', async (t) => {
  const { server, before } = await completed(t);
  await changeFleet(server);
  t.deepEqual(await show(server, before.id), before);
  const { body } = await server.api('GET', '/projects/door/rollouts');
  t.deepEqual(body, { rollouts: [before] });
  const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.token}` } });
  t.regex(await metrics.text(), /ota_rollout_devices\{[^}]*state="running"\} 2\n/);
  const { run } = serverCommands(server, server.folder);
  const { stdout } = await run('rollouts', 'show', 'door');
  t.regex(stdout, /^final +numbers of \S+; later changes to devices are not included$/m);
  t.regex(stdout, /^1 +100% .* 2 of 3 updated; 1 pending$/m);
  const browser = browserAt(makeApi(server.parts));
  t.is((await browser.post('/login', { token: server.token })).status, 303);
  const { text } = await browser.get(`/projects/door/rollouts/${before.id}`);
  t.regex(text, /All devices: 2 updated, 1 pending[\s\S]*Final numbers of/);
  const restarted = await server.restart();
  await restarted.parts.rollouts.maintain();
  t.deepEqual(await show(restarted, before.id), before);
});

test('keeps the numbers of a completed rollout in a backup, and after a rollback and a newer rollout', async (t) => {
  const { server, before } = await completed(t);
  const { finalAt, tally, stages, samples } = before;
  await server.api('POST', `/projects/door/rollouts/${before.id}/rollback`, { reason: 'it smokes' });
  await changeFleet(server);
  t.like(await show(server, before.id), { state: 'rolled-back', finalAt, tally, stages, samples });
  const newer = await startRollout(server);
  t.is(newer.finalAt, undefined);

  const folder = await testFolder(t);
  const { run } = serverCommands(server, folder.path);
  t.is((await run('backup', '--out', 'backup.ndjson')).exitCode, 0);
  t.is((await run('restore', 'backup.ndjson', '--data', 'restored')).exitCode, 0);
  const restored = await startTestServer(t, { data: folder.at('restored') });
  await restored.parts.rollouts.maintain();
  t.like(await show(restored, before.id, server.token), { state: 'rolled-back', finalAt, tally, stages, samples });
  t.deepEqual(await lists(restored, before.id, server.token), await lists(server, before.id));
});

test('stores the numbers of an aborted rollout after all of its devices are counted', async (t) => {
  const server = await startFleet(t, 2);
  const { id } = await startRollout(server);
  await server.parts.store.counts.recount();
  t.is((await server.api('POST', `/projects/door/rollouts/${id}/abort`, {})).status, 200);
  const { finalAt, tally } = await maintained(server, id);
  t.truthy(finalAt);
  t.like(tally, { members: 2, pending: 2 });
  await changeFleet(server);
  t.like(await show(server, id), { finalAt, tally });
});

test('lists the devices of a completed rollout as they were, for every count on its page', async (t) => {
  const { server, before } = await completed(t);
  const { id } = before;
  const listed = await lists(server, id);
  t.deepEqual(listed.all, [
    { mac: macOf(0), status: 'running', reason: 'Ran 2.0.' },
    { mac: macOf(1), status: 'running', reason: 'Ran 2.0.' },
    { mac: macOf(2), status: 'pending', reason: '2.0 had not been sent to the device.' },
  ]);
  await changeFleet(server);
  const { all, totals } = await lists(server, id);
  t.deepEqual(totals, listed.totals);
  const [first, second, third] = listed.all;
  t.deepEqual(all, [first, { ...second, reason: 'Ran 2.0. The device has been removed since.' }, third]);
  t.like(await list(server, id, '?stage=1&status=running&limit=1'), { total: 2, next: macOf(0) });

  const browser = browserAt(makeApi(server.parts));
  t.is((await browser.post('/login', { token: server.token })).status, 303);
  const { text } = await browser.get(`/projects/door/rollouts/${id}`);
  const links = [...text.matchAll(/href="([^"]*rollout=\d+[^"]*)" aria-label="([^"]*)"/g)];
  t.deepEqual(
    links.map(([, , label]) => label),
    [
      'All devices: 2 updated',
      'All devices: 1 pending',
      'Stage 1: 3 devices',
      'Stage 1: 2 updated',
      'Stage 1: 1 pending',
      'All: 3 devices',
      'Without credentials: a device without credentials',
      'Reports without credentials: 2',
    ],
  );
  for (const [, path = '', label = ''] of links) {
    const page = (await browser.get(path.replaceAll('&amp;', '&'))).text;
    const count = /: (\d)/.exec(label)?.[1] ?? '3';
    t.regex(page, new RegExp(`Rollout of[^<]*</a>: [^<]*\\b${count} devices?<`), label);
    t.regex(page, /The rollout has ended\. The list shows the stage and the status of the devices at that time/);
  }
  const updated = (await browser.get(links[0]?.[1]?.replaceAll('&amp;', '&') ?? '')).text;
  t.regex(updated, /Ran 2\.0\./);
  t.notRegex(updated, new RegExp(macOf(1)), 'the device was removed');

  const { run } = serverCommands(server, server.folder);
  const shown = (await run('rollouts', 'show', 'door')).stdout;
  t.regex(shown, /^credentials +0 of 3 devices authenticate; list: --status without-credentials$/m);
  t.regex(shown, /^unproven +2 reports without credentials, .*; list: --status unproven$/m);
  t.regex(shown, /^devices +ota-hooks server rollouts show door --id \d+ --status pending\|running$/m);
  const unproven = await run('rollouts', 'show', 'door', '--status', 'unproven');
  t.regex(unproven.stdout, /: 2 devices\n[\s\S]*The device has been removed since\./);
});

test('removes the devices of a rollout when the project no longer keeps attempts, and keeps its numbers', async (t) => {
  const { server, before } = await completed(t);
  const { id, tally, finalAt } = before;
  const cleaner = new HistoryCleaner(server.parts);
  const hours = (count: number) => Date.parse(finalAt ?? '') + count * 60 * 60_000;
  await cleaner.step(hours(365 * 24 - 1));
  t.is((await list(server, id)).total, 3);
  for (let step = 0; step < 3; step++) await cleaner.step(hours(366 * 24) + step);
  t.like(await show(server, id), { tally, finalAt, hasDeviceLists: false });
  const { status, body } = await server.api('GET', `/projects/door/rollouts/${id}/devices`);
  t.is(status, 409);
  t.regex(JSON.stringify(body), /the rollout of 2\.0 is complete, and its devices are not stored/);
  const browser = browserAt(makeApi(server.parts));
  t.is((await browser.post('/login', { token: server.token })).status, 303);
  const { text } = await browser.get(`/projects/door/rollouts/${id}`);
  t.regex(text, /2 updated[\s\S]*The devices behind the numbers are not stored\./);
  t.notRegex(text, /href="[^"]*rollout=/);
  const { text: fleet } = await browser.get(`/projects/door/devices?rollout=${id}`);
  t.regex(fleet, /The devices of this rollout are not stored\. The list contains all devices\./);
  const { stdout } = await serverCommands(server, server.folder).run('rollouts', 'show', 'door');
  t.notRegex(stdout, /^devices /m);
});
