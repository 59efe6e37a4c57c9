import { mkdir, rename, rm, truncate } from 'node:fs/promises';
import test from 'ava';
import { Health } from '../../../src/server/services/health.ts';
import { Outage } from '../../../src/server/services/outage.ts';
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
    isInPlace: async () => true,
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
  const outage = new Outage(parts.log);
  t.deepEqual(await new Health({ ...parts, blobs, outage }).problems(), [], 'no result yet');
  outage.begin('bucket', new Error('no response'));
  t.deepEqual(await new Health({ ...parts, blobs, outage }).problems(), ['bucket-unreachable']);
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

test('reports a data folder that was removed or replaced while the server uses it', async (t) => {
  const server = await startTestServer(t);
  const statusOf = async (path: string) => (await fetch(server.url + path)).status;
  const health = () => new Health(server.parts);
  t.deepEqual([await statusOf('/healthz'), await statusOf('/readyz')], [200, 200]);
  const watched = health();
  t.deepEqual(await watched.losses(), []);

  const { folder } = server;
  await rename(folder, `${folder}-moved`);
  t.deepEqual(await health().losses(), ['database-removed', 'files-unreachable']);
  await mkdir(`${folder}/uploads`, { recursive: true });
  await mkdir(`${folder}/blobs`);
  t.deepEqual(await health().losses(), ['database-removed'], 'a new folder does not replace the open database');
  t.true((await health().problems()).includes('database-removed'));

  await rm(folder, { recursive: true });
  await rename(`${folder}-moved`, folder);
  t.deepEqual(await health().losses(), []);
  countAttacks({ kind: 'removed data folders', tried: 2, withstood: 2 });
});

test('reports an empty folder in place of the firmware files', async (t) => {
  const server = await startTestServer(t);
  let now = 0;
  const health = new Health(server.parts, () => now);
  t.deepEqual(await health.losses(), []);
  await rename(`${server.folder}/blobs`, `${server.folder}/moved`);
  await mkdir(`${server.folder}/blobs`);
  for (let time = 0; time < 2; time++) {
    now += 1000;
    t.deepEqual(await health.losses(), ['files-unreachable']);
  }
});
