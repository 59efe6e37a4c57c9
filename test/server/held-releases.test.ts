import test from 'ava';
import type { ReleaseAnswer, ReleaseInfo } from '../../src/api/release-info.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { askAsDevice } from './raw-device.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
const next = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });

async function current(server: TestServer): Promise<string[]> {
  const { body } = await server.api('GET', '/projects/door/releases');
  const { releases } = body as unknown as { releases: ReleaseInfo[] };
  return releases.map(({ version, purpose, channels }) => `${version} ${purpose} ${channels.join()}`.trim());
}

test('sends a draft release only after the release is promoted to a channel', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const held = await server.publish(next, { draft: true });
  t.is(held.status, 201);
  t.like(held.body as unknown as ReleaseAnswer, { outcome: 'published', release: { channels: [] } });
  t.deepEqual(await current(server), ['2.0 serve', '1.0 serve stable']);

  const device = { sketchMd5: sketchMd5Of(build.manifest) };
  t.is((await askAsDevice(server.port, '/update/door', device)).status, 304);
  t.is((await server.api('PUT', '/projects/door/channels/stable', { version: '2.0' })).status, 200);
  const sent = await askAsDevice(server.port, '/update/door', device);
  t.deepEqual([sent.status, sent.header('x-version')], [200, '2.0']);
});

test('promotes a draft when it is published again without the draft flag', async (t) => {
  const server = await startTestServer(t);
  const outcome = async (request: { draft?: boolean; channel?: string }) => {
    const { body } = await server.publish(build, request);
    const { outcome: came, release } = body as unknown as ReleaseAnswer;
    return `${came} ${release.channels.join()}`.trim();
  };
  t.is(await outcome({ draft: true, channel: 'beta' }), 'published');
  t.is(await outcome({ draft: true }), 'unchanged');
  t.is(await outcome({}), 'promoted stable');
  t.is(await outcome({ draft: true }), 'unchanged stable');
  const restarted = await server.restart();
  t.deepEqual(await current(restarted), ['1.0 serve stable']);
});

test('recognizes a device that runs a draft, and sends the device the current release of its channel', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  await server.publish(next, { draft: true });
  const answer = await askAsDevice(server.port, '/update/door', { sketchMd5: sketchMd5Of(next.manifest) });
  t.is(answer.header('x-version'), '1.0');
  const { body } = await server.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.like(body, { running: { version: '2.0', by: 'md5' } });
});
