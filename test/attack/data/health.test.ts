import { rename, truncate } from 'node:fs/promises';
import test from 'ava';
import { Health } from '../../../src/server/services/health.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { firstBuild } from './data-folder.ts';

test('writes at most once per second for health requests', async (t) => {
  const { parts } = await startTestServer(t);
  let now = 0;
  let writes = 0;
  const finish: (() => void)[] = [];
  const store = {
    ping() {
      writes++;
      return new Promise<void>((resolve) => finish.push(resolve));
    },
  };
  const health = new Health({ ...parts, store }, () => now);
  const slow = Array.from({ length: 100 }, () => health.problems());
  now += 5000;
  const during = health.problems();
  t.is(writes, 1, 'a check that takes longer than a second is shared as well');
  finish[0]?.();
  t.deepEqual(await Promise.all([...slow, during]), Array(101).fill([]));
  now += 999;
  await Promise.all(Array.from({ length: 100 }, () => health.problems()));
  t.is(writes, 1);
  now += 1;
  const next = health.problems();
  t.is(writes, 2);
  finish[1]?.();
  t.deepEqual(await next, []);
  countAttacks({ kind: 'health requests within a second', tried: 201, withstood: 201 });
});

test('responds to health requests while the store of the files does not respond', async (t) => {
  const { parts } = await startTestServer(t);
  let now = 0;
  let isStuck = false;
  const blobs = {
    ...parts.blobs,
    room: () => parts.blobs.room(),
    state: (sha256: string) => parts.blobs.state(sha256),
    seals: () => (isStuck ? new Promise<never>(() => undefined) : parts.blobs.seals()),
  };
  const health = new Health({ ...parts, blobs }, () => now);
  t.deepEqual(await health.problems(), []);
  isStuck = true;
  now += 5000;
  t.deepEqual(await health.problems(), []);
  countAttacks({ kind: 'health requests during an outage', tried: 1, withstood: 1 });
});

test('reports a missing file of a current release, and returns 503 to devices', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.publish(firstBuild)).status, 201);
  // The result of a check is cached for a minute, so each call uses a new `Health`.
  const problems = () => new Health(server.parts).problems();
  const digests = firstBuild.manifest.artifacts.map(({ sha256 }) => sha256);
  const paths = await server.parts.blobs.withFiles(digests, async (files) => [...files.values()]);
  t.deepEqual(await problems(), []);
  for (const path of paths) await rename(path, `${path}-lost`);
  t.deepEqual(await problems(), ['firmware-missing']);
  const readyz = await fetch(`${server.url}/readyz`);
  t.is(readyz.status, 200, 'other releases are served');
  t.deepEqual(await readyz.json(), { status: 'degraded', problems: ['firmware-missing'] });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 503);
  for (const path of paths) await rename(`${path}-lost`, path);
  t.deepEqual(await problems(), []);
  await truncate(paths[0] ?? '', 100);
  t.deepEqual(await problems(), ['firmware-missing']);
});
