/** Rotates the key of a project on a real server: devices hop from key to key, and the server counts which keys they hold. */
import test from 'ava';
import type { KeyHolders } from '../../src/api/key-holders.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import { startTestServer } from './running-server.ts';

const [a, b, c] = [testSigner(), testSigner(), testSigner()];
const [first, second, third] = [a, b, c].map(({ publicKey }) => publicKey.fingerprint);
const names = { project: 'door', board: 'd1' };

test('sends stragglers through each hop that they need, and counts the keys that devices hold', async (t) => {
  const server = await startTestServer(t);
  const builds = {
    '1.0': await testBuild({ ...names, seed: 1, version: '1.0', signer: a }),
    '1.1': await testBuild({ ...names, seed: 2, version: '1.1', signer: b, hopFrom: a }),
    '2.0': await testBuild({ ...names, seed: 3, version: '2.0', signer: b }),
    '2.1': await testBuild({ ...names, seed: 4, version: '2.1', signer: c, hopFrom: b }),
    '3.0': await testBuild({ ...names, seed: 5, version: '3.0', signer: c }),
  } as const;
  const request = async (number: number, runs: keyof typeof builds) => {
    const mac = `18:FE:34:00:00:0${number}`;
    const sketchMd5 = sketchMd5Of(builds[runs].manifest);
    const response = await requestAsDevice(server.port, '/update/door', { mac, sketchMd5 });
    return response.status === 304 ? 'up to date' : response.header('x-version');
  };
  const publicKeys = [a, b, c].map(({ publicKey }) => publicKey.pem);
  t.is((await server.publish(builds['1.0'])).status, 201);
  t.like((await server.publish(builds['1.1'])).body, { error: { code: 'wrong-key' } });
  t.is((await server.api('PUT', '/projects/door', { publicKeys: publicKeys.slice(1) })).status, 200);
  const rejected = await server.publish(builds['1.1']);
  t.like(rejected.body, { error: { code: 'wrong-key' } });
  t.regex(JSON.stringify(rejected.body), /is a hop from key/);
  t.is((await server.api('PUT', '/projects/door', { publicKeys })).status, 200);
  for (const number of [1, 2, 3]) t.is(await request(number, '1.0'), 'up to date');

  t.is((await server.publish(builds['1.1'])).status, 201);
  for (const number of [1, 2]) {
    t.is(await request(number, '1.0'), '1.1', 'a device with the previous key installs the hop');
    t.is(await request(number, '1.1'), 'up to date');
  }
  await server.publish(builds['2.0']);
  t.is(await request(1, '1.1'), '2.0');
  t.is(await request(1, '2.0'), 'up to date');
  let released: readonly (readonly (string | undefined)[])[] = [];
  const counts = async () => {
    const { groups, hops, ...others } = (await server.api('GET', '/projects/door/keys')).body as unknown as KeyHolders;
    released = hops.map(({ board, from, to }) => [board, from, ...to]);
    return { ...Object.fromEntries(groups.map(({ keys, devices }) => [keys.join(), devices])), ...others };
  };
  t.deepEqual(await counts(), { [String(first)]: 1, [String(second)]: 2, unverified: 0, unknown: 0 });
  const toSecond = ['d1', first, second];
  t.deepEqual(released, [toSecond]);

  await server.publish(builds['2.1']);
  await server.publish(builds['3.0']);
  const path: unknown[] = [];
  for (let runs: keyof typeof builds | undefined = '1.0'; runs !== undefined; ) {
    const next: string | undefined = await request(3, runs);
    path.push(next);
    runs = next === '1.1' || next === '2.1' || next === '3.0' ? next : undefined;
  }
  t.deepEqual(path, ['1.1', '2.1', '3.0', 'up to date'], 'the straggler takes one hop for each key');
  t.is(
    await requestAsDevice(server.port, '/update/door', { mac: '18:FE:34:00:00:04' }).then(({ status }) => status),
    200,
  );
  t.deepEqual(await counts(), { [String(second)]: 2, [String(third)]: 1, unverified: 0, unknown: 1 });
  t.deepEqual(released, [['d1', second, third], toSecond]);
});
