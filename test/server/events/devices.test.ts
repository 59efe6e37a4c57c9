/** Events caused by device requests and by the server itself. Each event is emitted once, after the change is stored. */
import test, { type ExecutionContext } from 'ava';
import type { Build } from '../../../src/core/pack/build.ts';
import { failOverdueDevices } from '../../../src/server/services/maintenance.ts';
import { until } from '../../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice, sendRaw, updateRequest } from '../raw-device.ts';
import { receiptsNoted, startTestServer, type TestServer } from '../running-server.ts';
import { type Journal, keepJournal } from './journal.ts';

const signer = testSigner();
const recipe = { project: 'door', signer, sizeBytes: 8192 };
const [old, young, youngest] = [
  await testBuild({ ...recipe, version: '1.0' }),
  await testBuild({ ...recipe, version: '2.0', seed: 2 }),
  await testBuild({ ...recipe, version: '3.0', seed: 3 }),
];
const mac = '18:FE:34:AA:BB:CC';
const device = `/projects/door/devices/${mac}`;

/** Server with `old` as the current release and one device that runs `old`. */
async function withDevice(t: ExecutionContext): Promise<{ server: TestServer; journal: Journal }> {
  const server = await startTestServer(t);
  await server.publish(old);
  await server.api('PUT', device, { enrolled: true });
  await server.api('PUT', '/projects/door', { mostSends: 1 });
  await check(server, old);
  return { server, journal: keepJournal(server) };
}

function check({ port }: TestServer, { manifest }: Build) {
  return requestAsDevice(port, '/update/door', { mac, sketchMd5: sketchMd5Of(manifest) });
}

/** Publishes `young` and sends the release to the device. */
async function download(server: TestServer): Promise<void> {
  await server.publish(young);
  await check(server, old);
  await endOfDownload(server);
}

/** Waits until the end of a download is stored. */
async function endOfDownload({ parts }: TestServer): Promise<void> {
  await receiptsNoted({ parts }, mac, 1);
  await until(() => parts.downloads.active === 0);
}

test('emits device.first-seen only on the first check-in', async (t) => {
  const server = await startTestServer(t);
  await server.publish(old);
  const journal = keepJournal(server);
  await check(server, old);
  t.deepEqual(journal.lines, ['stored', 'device.first-seen']);
  t.like(journal.seen[0]?.event, { project: 'door', mac, actor: 'device' });
  await check(server, old);
  await requestAsDevice(server.port, '/update/door', { mac, version: 'x', sketchMd5: sketchMd5Of(old.manifest) });
  t.deepEqual(
    journal.lines.filter((line) => line.startsWith('device.')),
    ['device.first-seen'],
  );
});

test('emits device.updated when the device runs the release', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  journal.take();
  await check(server, young);
  t.deepEqual(journal.lines, ['stored', 'device.updated']);
  t.like(journal.seen[0]?.event, { mac, version: '2.0', kind: 'sketch', actor: 'device' });
  await check(server, young);
  t.deepEqual(journal.lines, ['stored', 'device.updated']);
  t.deepEqual(
    (await server.parts.store.audit.ofDevice('door', mac, 9)).map(({ action }) => action),
    ['device.enrolled'],
    'the audit log has no entries for device requests',
  );
});

test('emits device.updated when the same request also starts the next update', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  await server.publish(youngest);
  journal.take();
  t.is((await check(server, young)).header('x-version'), '3.0');
  t.deepEqual(
    journal.seen.map(({ event }) => event),
    [{ ...journal.seen[0]?.event, type: 'device.updated', version: '2.0' }],
  );
});

test('emits device.updated once when the device record changes at the same time', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  journal.take();
  journal.trouble = 'conflict';
  await check(server, young);
  t.deepEqual(journal.take(), ['stored', 'device.updated']);
  await server.publish(youngest);
  await check(server, young);
  journal.take();
  await Promise.all([check(server, youngest), check(server, youngest), check(server, youngest)]);
  t.deepEqual(
    journal.lines.filter((line) => line !== 'stored'),
    ['device.updated'],
  );
});

test('does not emit device.updated when the device record cannot be stored', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  journal.take();
  journal.trouble = 'reject';
  t.is((await check(server, young)).status, 503);
  t.deepEqual(journal.lines, []);
  journal.trouble = 'none';
  await check(server, young);
  t.deepEqual(journal.lines, ['stored', 'device.updated']);
});

test('emits device.updated once when a rollout is paused before the decision to send its release is stored', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  await server.publish(youngest, { draft: true });
  await server.api('POST', '/projects/door/rollouts', { version: '3.0', stages: [{ share: 100 }] });
  journal.take();
  journal.beforeWrite = () => {
    journal.beforeWrite = undefined;
    return server.api('POST', '/projects/door/rollouts/1/pause', {});
  };
  t.is((await check(server, young)).status, 304);
  t.deepEqual(
    journal.lines.filter((line) => line !== 'stored'),
    ['rollout.paused', 'device.updated'],
  );
  const { body } = await server.api('GET', device);
  t.like(body['attempts'], { 0: { version: '2.0', state: 'running' }, length: 1 });
});

test('emits device.failed once, with the kind of failure', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  journal.take();
  await check(server, old);
  await check(server, old);
  t.deepEqual(
    journal.lines.filter((line) => line !== 'stored'),
    ['device.failed'],
  );
  t.like(journal.seen[0]?.event, { mac, version: '2.0', kind: 'sketch', how: 'not-installed', actor: 'device' });

  journal.take();
  await server.api('POST', `${device}/retry`);
  t.like(journal.seen[0]?.event, { type: 'device.retried', versions: ['2.0'] });
  const request = updateRequest('/update/door', { mac, sketchMd5: sketchMd5Of(old.manifest) });
  await sendRaw(server.port, request, { during: (socket) => socket.once('data', () => socket.resetAndDestroy()) });
  await until(() => server.parts.downloads.active === 0);
  journal.take();
  await check(server, old);
  t.deepEqual(journal.seen, [], 'an interrupted download is not a failure');
  await server.api('POST', `${device}/retry`);
  t.like(journal.seen[0]?.event, { type: 'device.retried', versions: ['2.0'] });
});

test('emits and audits device.failed when a device does not confirm an update', async (t) => {
  const { server, journal } = await withDevice(t);
  await download(server);
  journal.take();
  server.parts.clock.atLeast(1e12);
  journal.trouble = 'reject';
  await failOverdueDevices(server.parts);
  t.deepEqual(journal.take(), []);
  journal.trouble = 'none';
  await failOverdueDevices(server.parts);
  await failOverdueDevices(server.parts);
  t.deepEqual(journal.lines, ['stored', 'device.failed']);
  const facts = { mac, version: '2.0', kind: 'sketch', how: 'not-confirmed' };
  t.like(journal.seen[0]?.event, { actor: 'server', ...facts });
  t.like((await journal.seen[0]?.audit)?.[0], { action: 'device.failed', actor: 'server', detail: facts });
});

test('emits device.blocked once when preflight blocks an update', async (t) => {
  const { server, journal } = await withDevice(t);
  await server.publish(young);
  journal.take();
  const full = { mac, sketchMd5: sketchMd5Of(old.manifest), freeSpace: 0, sketchSize: 1_000_000 };
  for (let checks = 0; checks < 2; checks++) await requestAsDevice(server.port, '/update/door', full);
  t.deepEqual(
    journal.lines.filter((line) => line !== 'stored'),
    ['device.blocked'],
  );
  const { event } = journal.seen[0] ?? {};
  t.like(event, { mac, version: '2.0', kind: 'sketch' });
  t.true(event?.type === 'device.blocked' && event.rules.length > 0 && event.artifact?.startsWith('door.bin'));
});

test('emits rollout.halted after the halt is stored, before the failed device gets its response', async (t) => {
  const { server, journal } = await withDevice(t);
  await server.publish(young, { draft: true });
  const start = { version: '2.0', stages: [{ share: 100 }], halt: { failures: 1 } };
  await server.api('POST', '/projects/door/rollouts', start);
  await check(server, old);
  await endOfDownload(server);
  journal.take();
  const stateAtEvent: unknown[] = [];
  server.parts.events.subscribe(async ({ type }) => {
    const stored = await server.parts.store.rollouts.find('door', 1);
    if (type === 'device.failed' || type === 'rollout.halted') stateAtEvent.push([type, stored?.state]);
  });
  await check(server, old);
  t.deepEqual(journal.lines, ['stored', 'device.failed', 'stored', 'rollout.halted']);
  t.like(journal.seen[1]?.event, { rollout: 1, version: '2.0', channel: 'stable', actor: 'server', state: 'halted' });
  t.deepEqual(stateAtEvent, [
    ['device.failed', 'active'],
    ['rollout.halted', 'halted'],
  ]);
});

test('does not emit rollout.halted when the halt cannot be stored', async (t) => {
  const { server, journal } = await withDevice(t);
  await server.publish(young, { draft: true });
  const start = { version: '2.0', stages: [{ share: 100 }], halt: { failures: 1 } };
  await server.api('POST', '/projects/door/rollouts', start);
  await check(server, old);
  await endOfDownload(server);
  journal.take();
  // The store accepts the device failure and rejects the resulting halt.
  journal.afterWrite = async () => {
    journal.trouble = 'reject';
  };
  t.is((await check(server, old)).status, 503);
  t.deepEqual(journal.take(), ['stored', 'device.failed']);
  t.like((await server.api('GET', '/projects/door/rollouts/1')).body, { state: 'active' });
  journal.afterWrite = undefined;
  journal.trouble = 'none';
  await server.parts.rollouts.maintain();
  t.deepEqual(journal.lines, ['stored', 'rollout.halted']);
});

test('emits an event for each stage that the server opens and for the completion of the rollout', async (t) => {
  const { server, journal } = await withDevice(t);
  await server.publish(young, { draft: true });
  const stages = [{ canaries: [mac] }, { share: 100 }];
  await server.api('POST', '/projects/door/rollouts', { version: '2.0', stages, gate: { soakMs: 0 } });
  await check(server, old);
  await endOfDownload(server);
  journal.take();
  // From this point, the server's own maintenance may open the stage as well.
  await check(server, young);
  await server.parts.rollouts.maintain();
  await server.parts.rollouts.maintain();
  await server.parts.rollouts.maintain();
  t.deepEqual(journal.lines, [
    ...['stored', 'device.updated'],
    ...['stored', 'rollout.stage-opened'],
    ...['stored', 'rollout.completed'],
  ]);
  t.deepEqual(
    journal.seen.map(({ event }) => event.actor),
    ['device', 'server', 'server'],
  );
});
