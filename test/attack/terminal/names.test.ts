/** Names and reasons with control characters: the server stores none of them, regardless of the client. */
import test from 'ava';
import { parseManifest } from '../../../src/core/model/manifest.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { releaseRequest, startTestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { unprintable } from './hostile-text.ts';

const mac = '18:FE:34:00:00:01';

test('rejects names and reasons with control characters', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 1e9 } });
  const build = await testBuild({ version: '1.0', project: 'door', board: 'd1', signer: testSigner() });
  t.like(await server.publish(build, { channel: 'beta' }), { status: 201 });
  await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true, board: 'd1' });
  const rollout = await server.api('POST', '/projects/door/rollouts', {
    version: '1.0',
    stages: [{ share: 50, canaries: [mac] }, { share: 100 }],
  });
  t.is(rollout.status, 201, JSON.stringify(rollout.body));
  const requests = (text: string): readonly (readonly [string, string, unknown])[] => [
    ['POST', '/tokens', { role: 'read', name: text }],
    ['PUT', `/projects/door/devices/${mac}`, { name: text }],
    ['PUT', `/projects/door/devices/${mac}`, { board: text }],
    ['PUT', `/projects/door/devices/${mac}`, { group: text }],
    ['PUT', `/projects/door/devices/${mac}`, { pin: text }],
    ['PUT', `/projects/door/devices/${mac}`, { channel: text }],
    ['PUT', `/projects/door/devices/${mac}`, { credential: { user: text, password: 'open sesame' } }],
    ['PUT', '/projects/door', { credential: { user: text, password: 'open sesame' } }],
    ['PUT', '/projects/door', { aliases: [{ path: `/${text}` }] }],
    ['PUT', `/projects/${encodeURIComponent(text)}`, {}],
    ['POST', '/projects/door/releases/yank', { version: '1.0', reason: text }],
    ['POST', '/projects/door/releases/yank', { version: text }],
    ['POST', '/projects/door/releases/yank', { version: '1.0', parts: [{ board: text }] }],
    ['PUT', `/projects/door/channels/${encodeURIComponent(text)}`, { version: '1.0' }],
    ['POST', '/projects/door/rollouts/1/pause', { reason: text }],
    ['POST', '/projects/door/rollouts', { version: '1.0', stages: [{ canaries: [text], share: 100 }] }],
    ['POST', '/projects/door/rollouts', { version: '1.0', stages: [{ groups: [text], share: 100 }] }],
    ['POST', '/projects/door/releases', { ...releaseRequest(build.manifest, {}), version: text }],
    ['POST', '/projects/door/releases', { ...releaseRequest(build.manifest, {}), channel: text }],
    ['POST', '/projects/door/releases', releaseRequest({ ...build.manifest, board: text }, {})],
  ];
  let tried = 0;
  // The first and last character of each range, and the characters that terminals interpret. Trying all characters would be too slow.
  for (const character of '\0\n\r\u001b\u001f\u007f\u009b\u009f\u061c\u200f\u2028\u202e\u2066\u2069') {
    for (const [method, path, body] of requests(`a${character}b`)) {
      const { status } = await server.api(method, path, body);
      t.true([400, 404, 422].includes(status), `${method} ${path} ${JSON.stringify(body).slice(0, 80)}: ${status}`);
      tried++;
    }
  }
  const { image } = build.manifest;
  for (const character of unprintable) {
    const file = `door${character}.bin`;
    for (const manifest of [
      { ...build.manifest, image: { ...image, file } },
      { ...build.manifest, artifacts: build.manifest.artifacts.map((artifact) => ({ ...artifact, file })) },
      { ...build.manifest, project: file },
    ]) {
      t.true('reason' in parseManifest(JSON.stringify(manifest)));
      tried++;
    }
  }
  countAttacks({ kind: 'names and reasons with control characters', tried, withstood: tried });
});
