import test from 'ava';
import type { ReleaseInfo, ReleaseResponse } from '../../src/api/release-info.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
const next = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });

async function current(server: TestServer): Promise<string[]> {
  const { body } = await server.api('GET', '/projects/door/releases');
  const { releases } = body as unknown as { releases: ReleaseInfo[] };
  const images = releases.flatMap((release) => release.images);
  return images.map(({ version, purpose, channels }) => `${version} ${purpose} ${channels.join()}`.trim());
}

test('sends a draft release only after the release is promoted to a channel', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const held = await server.publish(next, { draft: true });
  t.is(held.status, 201);
  t.like(held.body as unknown as ReleaseResponse, { outcome: 'published', release: { channels: [] } });
  t.deepEqual(await current(server), ['2.0 serve', '1.0 serve stable']);

  const device = { sketchMd5: sketchMd5Of(build.manifest) };
  t.is((await requestAsDevice(server.port, '/update/door', device)).status, 304);
  t.is((await server.api('PUT', '/projects/door/channels/stable', { version: '2.0' })).status, 200);
  const sent = await requestAsDevice(server.port, '/update/door', device);
  t.deepEqual([sent.status, sent.header('x-version')], [200, '2.0']);
});

test('promotes a draft when it is published again without the draft flag', async (t) => {
  const server = await startTestServer(t);
  const outcome = async (request: { draft?: boolean; channel?: string }) => {
    const { body } = await server.publish(build, request);
    const { outcome: came, release } = body as unknown as ReleaseResponse;
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
  const response = await requestAsDevice(server.port, '/update/door', { sketchMd5: sketchMd5Of(next.manifest) });
  t.is(response.header('x-version'), '1.0');
  const { body } = await server.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.like(body, { running: { version: '2.0', by: 'md5' } });
});
