/** Requests to send a release to one device once. */
import test, { type ExecutionContext } from 'ava';
import type { RolloutRequest } from '../../src/api/rollout.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { requestInstall } from '../../src/server/services/devices/request-install.ts';
import { theBroker } from '../../src/server/services/events/domain-event.ts';
import { sketchMd5Of, testBuild, testFilesystem, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import { receiptsNoted, startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const recipe = { project: 'door', signer, sizeBytes: 8192 };
const [old, young] = [
  await testBuild({ ...recipe, version: '1.0' }),
  await testBuild({ ...recipe, version: '2.0', seed: 2 }),
];
const files = await testFilesystem({ ...recipe, version: '2.0', content: Buffer.from('page') });
const [canary, mac] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const stages = [{ canaries: [canary] }, { share: 100 }];

/** Server with a rollout of 2.0 that waits for the canary. Two enrolled devices run 1.0. */
async function fleet(t: ExecutionContext, request: Partial<RolloutRequest> = {}): Promise<TestServer> {
  const server = await startTestServer(t);
  await server.publish(old);
  for (const build of [young, files]) t.is((await server.publish(build, { draft: true })).status, 201);
  for (const each of [canary, mac]) {
    await server.api('PUT', `/projects/door/devices/${each}`, { enrolled: true });
    await checkIn(server, { mac: each });
  }
  const rollout = { version: '2.0', stages, gate: { soakMs: 0 }, ...request };
  t.is((await server.api('POST', '/projects/door/rollouts', rollout)).status, 201);
  return server;
}

interface CheckIn {
  readonly mac?: string;
  readonly runs?: Build;
  readonly mode?: 'sketch' | 'spiffs' | 'version';
}

function checkIn({ port }: TestServer, { mac: from = mac, runs = old, mode = 'sketch' }: CheckIn = {}) {
  return requestAsDevice(port, '/update/door', { mac: from, mode, sketchMd5: sketchMd5Of(runs.manifest) });
}

function install({ parts }: TestServer, version = '2.0') {
  return requestInstall(parts, { project: 'door', mac, version, by: theBroker });
}

async function recordOf({ parts }: TestServer) {
  const record = await parts.records.find('door', mac);
  if (record === undefined) throw new Error('no device');
  return record;
}

test('sends the release once before the stage of the device is open, and pins nothing', async (t) => {
  const server = await fleet(t);
  t.is((await checkIn(server)).status, 304);
  t.is(await install(server), undefined);
  t.is((await checkIn(server, { mode: 'version' })).header('x-version'), '2.0');
  t.is((await checkIn(server)).header('x-version'), '2.0');
  await receiptsNoted(server, mac, 1);
  t.is((await checkIn(server)).status, 304, 'the release is sent once');
  t.is((await checkIn(server, { runs: young })).status, 304);
  t.like(await recordOf(server), { pin: undefined, running: { version: '2.0' } });
  t.deepEqual(
    (await server.parts.store.audit.ofDevice('door', mac, 1)).map(({ action, actor, detail }) => [
      action,
      actor,
      detail['version'],
    ]),
    [['device.install-requested', 'mqtt', '2.0']],
  );
});

test('sends the sketch and the filesystem image of the release once each', async (t) => {
  const server = await fleet(t);
  await install(server);
  t.is((await checkIn(server, { mode: 'spiffs' })).header('x-version'), '2.0');
  t.deepEqual((await recordOf(server)).install, { version: '2.0', kinds: ['sketch'] });
  t.is((await checkIn(server)).header('x-version'), '2.0');
  t.is((await recordOf(server)).install, undefined);
});

for (const action of ['pause', 'abort'] as const) {
  test(`does not send a requested release after ${action}`, async (t) => {
    const server = await fleet(t);
    t.is(await install(server), undefined);
    t.is((await server.api('POST', `/projects/door/rollouts/1/${action}`, {})).status, 200);
    t.is((await checkIn(server)).status, 304);
    t.deepEqual((await recordOf(server)).install?.kinds, ['filesystem'], 'the update check ends the request');
    const reasons = {
      pause: 'Waiting until the rollout of 2.0 is resumed.',
      abort: 'Runs 1.0, identified by sketch MD5.',
    };
    t.is(await install(server), reasons[action]);
  });
}

test('does not send a requested release after it was yanked, which halts its rollout', async (t) => {
  const server = await fleet(t);
  await install(server);
  t.is((await server.api('POST', '/projects/door/releases/yank', { version: '2.0', reason: 'smoke' })).status, 200);
  t.is((await checkIn(server)).status, 304);
  t.regex((await install(server)) ?? '', /^(Runs 1\.0|Waiting until the rollout of 2\.0 is resumed)/);
});

test('sends a release again that the device did not install', async (t) => {
  const server = await fleet(t, { stages: [{ share: 100 }], halt: { failures: 9 } });
  await server.api('PUT', '/projects/door', { mostSends: 1 });
  t.is((await checkIn(server)).status, 200);
  await receiptsNoted(server, mac, 1);
  t.is((await checkIn(server)).status, 304, 'the update failed');
  t.is((await recordOf(server)).decisions.sketch?.code, 'failed');
  t.is(await install(server), undefined);
  t.is((await checkIn(server)).status, 200);
});

test('rejects a release that preflight blocks, that the device runs, or that it would not be sent', async (t) => {
  const server = await fleet(t, { stages: [{ share: 100 }] });
  await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true, board: 'nodemcu' });
  t.regex((await install(server, '3.0')) ?? '', /would be sent 2\.0 instead of 3\.0/);
  const other = { mac, sketchMd5: 'c'.repeat(32), freeSpace: 8192, chipSize: 524_288 };
  t.is((await requestAsDevice(server.port, '/update/door', other)).status, 304);
  await server.parts.lastSeen.flush();
  t.regex((await install(server)) ?? '', /^2\.0 blocked: /);
  t.is((await recordOf(server)).install, undefined);
  t.is((await checkIn(server, { runs: young })).status, 304);
  t.is(await install(server), 'Runs 2.0, identified by sketch MD5.');
  const unknown = { project: 'door', mac: '02:00:00:00:00:09', version: '2.0', by: theBroker };
  t.is(await requestInstall(server.parts, unknown), 'The device is unknown.');
});
