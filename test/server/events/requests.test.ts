/** Events caused by API requests. Each event is emitted once, after the change and its audit entry are stored. */
import test from 'ava';
import { testBuild, testSigner } from '../builds.ts';
import { releaseRequest, startTestServer, upload } from '../running-server.ts';
import { keepJournal } from './journal.ts';

const signer = testSigner();
const recipe = { project: 'door', signer, sizeBytes: 8192 };
const [first, second, otherSecond, third] = [
  await testBuild({ ...recipe, version: '1.0' }),
  await testBuild({ ...recipe, version: '2.0', seed: 2 }),
  await testBuild({ ...recipe, version: '2.0', seed: 3 }),
  await testBuild({ ...recipe, version: '3.0', seed: 4 }),
];
const mac = '18:FE:34:AA:BB:CC';
const releases = '/projects/door/releases';
const device = `/projects/door/devices/${mac}`;
const rollouts = '/projects/door/rollouts';
const stages = [{ canaries: [mac] }, { share: 50 }, { share: 100 }];

interface Step {
  readonly request: readonly [method: string, path: string, body?: unknown];
  readonly status: number;
  /** Expected journal lines. */
  readonly lines: readonly string[];
}

const unchanged: readonly string[] = [];

const steps: readonly Step[] = [
  {
    request: ['POST', releases, releaseRequest(first.manifest)],
    status: 201,
    lines: ['stored', 'project.created', 'release.published'],
  },
  {
    request: ['POST', releases, releaseRequest(second.manifest, { draft: true })],
    status: 201,
    lines: ['stored', 'release.published'],
  },
  { request: ['POST', releases, releaseRequest(second.manifest, { draft: true })], status: 200, lines: ['stored'] },
  { request: ['POST', releases, releaseRequest(otherSecond.manifest)], status: 409, lines: ['stored'] },
  {
    request: ['POST', releases, releaseRequest(first.manifest, { channel: 'beta' })],
    status: 200,
    lines: ['stored', 'release.promoted'],
  },
  {
    request: ['PUT', '/projects/door/channels/gamma', { version: '1.0' }],
    status: 200,
    lines: ['stored', 'release.promoted'],
  },
  { request: ['PUT', '/projects/door', { mostSends: 2 }], status: 200, lines: ['stored', 'project.changed'] },
  { request: ['PUT', '/projects/window', {}], status: 200, lines: ['stored', 'project.created'] },
  { request: ['PUT', device, { name: 'front door' }], status: 200, lines: ['stored', 'device.enrolled'] },
  { request: ['PUT', device, { group: 'hall' }], status: 200, lines: ['stored', 'device.edited'] },
  {
    request: [
      'POST',
      '/projects/door/devices/import',
      { devices: [{ mac: '02:00:00:00:00:01', defaultName: 'a.bin' }] },
    ],
    status: 200,
    lines: ['stored', 'device.enrolled'],
  },
  {
    request: [
      'POST',
      '/projects/door/devices/import',
      { devices: [{ mac: '02:00:00:00:00:01', defaultName: 'a.bin' }] },
    ],
    status: 200,
    lines: unchanged,
  },
  { request: ['POST', `${device}/retry`], status: 200, lines: ['stored', 'device.retried'] },
  {
    request: ['DELETE', '/projects/door/devices/02:00:00:00:00:01'],
    status: 200,
    lines: ['stored', 'device.removed'],
  },
  { request: ['DELETE', '/projects/door/devices/02:00:00:00:00:01'], status: 404, lines: unchanged },
  { request: ['POST', rollouts, { version: '2.0', stages }], status: 201, lines: ['stored', 'rollout.started'] },
  { request: ['POST', rollouts, { version: '2.0', stages }], status: 409, lines: unchanged },
  { request: ['POST', `${rollouts}/1/pause`, {}], status: 200, lines: ['stored', 'rollout.paused'] },
  { request: ['POST', `${rollouts}/1/resume`, {}], status: 200, lines: ['stored', 'rollout.resumed'] },
  { request: ['POST', `${rollouts}/1/advance`, {}], status: 200, lines: ['stored', 'rollout.stage-opened'] },
  { request: ['POST', `${rollouts}/1/abort`, {}], status: 200, lines: ['stored', 'rollout.aborted'] },
  { request: ['POST', `${rollouts}/1/pause`, {}], status: 409, lines: unchanged },
  {
    request: ['PUT', '/projects/door/channels/stable', { version: '1.0' }],
    status: 200,
    lines: ['stored', 'release.promoted', 'stored', 'rollout.rolled-back'],
  },
  { request: ['POST', rollouts, { version: '2.0', stages }], status: 201, lines: ['stored', 'rollout.started'] },
  {
    request: ['POST', `${rollouts}/2/rollback`, {}],
    status: 200,
    lines: ['stored', 'rollout.rolled-back'],
  },
  {
    request: ['POST', releases, releaseRequest(third.manifest, { draft: true })],
    status: 201,
    lines: ['stored', 'release.published'],
  },
  { request: ['POST', rollouts, { version: '3.0', stages }], status: 201, lines: ['stored', 'rollout.started'] },
  {
    request: ['POST', `${releases}/yank`, { version: '3.0', reason: 'does not boot' }],
    status: 200,
    lines: ['stored', 'release.yanked', 'stored', 'rollout.halted'],
  },
  { request: ['POST', `${releases}/yank`, { version: '3.0' }], status: 404, lines: unchanged },
  { request: ['POST', '/tokens', { roles: ['read'], name: 'ci' }], status: 201, lines: ['stored', 'token.created'] },
  { request: ['DELETE', '/tokens/TOKEN'], status: 200, lines: ['stored', 'token.revoked'] },
  { request: ['DELETE', '/tokens/TOKEN'], status: 404, lines: unchanged },
];

test('emits the events of a request once, after the change is stored', async (t) => {
  const server = await startTestServer(t);
  const journal = keepJournal(server);
  for (const { files } of [first, second, otherSecond, third]) {
    for (const bytes of files.values()) await upload(server.url, bytes, server.token);
  }
  const actor = server.token.split('_')[1] ?? '';
  let made = '';
  for (const { request, status, lines } of steps) {
    const [method, path, body] = request;
    const send = () => server.api(method, path.replace('TOKEN', made), body);
    const title = `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)}`;
    if (lines.length > 0) {
      journal.trouble = 'reject';
      t.is((await send()).status, 500, title);
      t.deepEqual(journal.take(), [], `${title}: a write that fails`);
      journal.trouble = 'none';
    }
    const response = await send();
    t.is(response.status, status, `${title}: ${JSON.stringify(response.body)}`);
    t.deepEqual(journal.lines, lines, title);
    for (const { event, audit } of journal.seen) {
      t.is(event.actor, actor);
      const { type, actor: _, at, project, ...facts } = event;
      const entry = (await audit).find((each) => each.action === type);
      t.like(entry, { actor, at, project, detail: JSON.parse(JSON.stringify(facts)) }, title);
    }
    journal.take();
    if (path === '/tokens') made = String(response.body['id']);
  }
});

test('emits one event for each concurrent change to a device', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  const journal = keepJournal(server);
  const names = ['a', 'b', 'c'];
  await Promise.all(names.map((name) => server.api('PUT', device, { name })));
  t.deepEqual(
    journal.lines.filter((line) => line !== 'stored'),
    ['device.enrolled', 'device.edited', 'device.edited'],
  );
  const { body } = await server.api('GET', '/audit');
  const entries = body['entries'] as readonly { action: string }[];
  t.is(entries.filter(({ action }) => action.startsWith('device.')).length, names.length);
});

test('emits one event for two concurrent requests to yank a release', async (t) => {
  const server = await startTestServer(t);
  await server.publish(first);
  const journal = keepJournal(server);
  const yank = () => server.api('POST', `${releases}/yank`, { version: '1.0' });
  await Promise.all([yank(), yank()]);
  t.deepEqual(
    journal.lines.filter((line) => line !== 'stored'),
    ['release.yanked'],
  );
});
