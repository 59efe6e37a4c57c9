import test from 'ava';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { askAsDevice } from './raw-device.ts';
import { startTestServer } from './running-server.ts';

test('a device that runs an old build gets the new one, and 304 once it runs it', async (t) => {
  const server = await startTestServer(t);
  const signer = testSigner();
  const [old, young] = [await testBuild({ version: '1.0', signer }), await testBuild({ version: '2.0', signer, seed: 2 })];
  t.is((await server.publish(old)).status, 201);
  t.is((await server.publish(young)).status, 201);

  const answer = await askAsDevice(server.port, '/update/door', { sketchMd5: sketchMd5Of(old.manifest) });
  console.log(JSON.stringify((await server.api('GET', '/projects/door/devices')).body, null, 1));
  t.is(answer.status, 200, answer.body.toString());
  t.is(answer.header('x-md5'), answer.md5);
  t.is(answer.header('content-length'), String(answer.body.length));
  t.is(answer.header('x-version'), '2.0');
  const after = await askAsDevice(server.port, '/update/door', { sketchMd5: sketchMd5Of(young.manifest) });
  t.is(after.status, 304);
  t.is(after.body.length, 0);
  console.log(answer.headers, after.headers, server.logged);
  console.log(JSON.stringify((await server.api('GET', '/projects/door/devices')).body, null, 1));
});
