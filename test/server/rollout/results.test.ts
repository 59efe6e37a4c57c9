/** Final numbers of rollouts that have ended. */
import test, { type ExecutionContext } from 'ava';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import { makeApi } from '../../../src/server/http/api/app.ts';
import { checkIn, draft, macOf, maintained, running, startFleet, startRollout } from '../../attack/rollouts/fleet.ts';
import { serverCommands } from '../../support/server-commands.ts';
import { testFolder } from '../../support/test-folder.ts';
import { browserAt } from '../dashboard/browsing.ts';
import { startTestServer, type TestServer } from '../running-server.ts';

async function show(server: TestServer, id: number, token = server.token): Promise<RolloutInfo> {
  const { body } = await server.api('GET', `/projects/door/rollouts/${id}`, undefined, token);
  return body as unknown as RolloutInfo;
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
