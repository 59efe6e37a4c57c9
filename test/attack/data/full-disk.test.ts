/** A server whose disk fills up: a tmpfs of 3 MB, which only root can mount. */
import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { limitRepeats } from '../../../src/server/observability/log-repeats.ts';
import { Health } from '../../../src/server/services/health.ts';
import { sketchMd5Of } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { digestOf, startTestServer, type TestServer, upload } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { firstBuild, secondBuild } from './data-folder.ts';

async function smallDisk(t: ExecutionContext): Promise<string | undefined> {
  const folder = await testFolder(t, { 'disk/.keep': '' });
  const disk = folder.at('disk');
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { reject: false });
  if (mounted.failed) {
    t.log(`not tested: ${mounted.stderr}`);
    t.pass();
    return undefined;
  }
  t.teardown(() => execa('umount', ['--lazy', disk]));
  return disk;
}

/** Fills the disk until at most `freeBytes` are free. */
async function fill(disk: string, freeBytes: number): Promise<void> {
  await rm(join(disk, 'ballast'), { force: true });
  const { bavail, bsize } = await statfs(disk);
  await writeFile(join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - freeBytes)));
}

async function health({ url }: TestServer, path: string): Promise<{ status: number; problems: readonly string[] }> {
  const response = await fetch(url + path);
  const { problems = [] } = (await response.json()) as { problems?: string[] };
  return { status: response.status, problems };
}

/** Writes records until one does not fit. */
async function exhaust({ api }: TestServer): Promise<void> {
  for (let count = 0; count < 500; count++) {
    const { status } = await api('POST', '/tokens', { roles: ['read'], name: 'x'.repeat(60) });
    if (status === 507) return;
  }
  throw new Error('the disk did not fill up');
}

test('never responds with "nothing to install" on a full disk, and recovers without a restart', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const server = await startTestServer(t, { data: join(disk, 'data') });
  t.is((await server.publish(firstBuild)).status, 201);
  t.deepEqual(await health(server, '/readyz'), { status: 200, problems: [] });
  const upToDate = { sketchMd5: sketchMd5Of(firstBuild.manifest), mac: '02:00:00:00:01:00' };
  t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304);

  await fill(disk, 0);
  await exhaust(server);
  for (let count = 0; count < 50; count++) {
    const mac = `02:00:00:00:00:${String(count).padStart(2, '0')}`;
    const response = await requestAsDevice(server.port, '/update/door', { mac });
    t.is(response.status, 503);
    t.regex(response.header('retry-after') ?? '', /^\d+$/);
  }
  t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304, 'it has nothing to install');
  const errors = server.logged.filter(({ message }) => message === 'Device request failed');
  t.true(errors.length <= 2, `${errors.length} lines for 50 devices`);

  await rm(join(disk, 'ballast'));
  t.is((await server.publish(secondBuild)).status, 201);
  t.is((await requestAsDevice(server.port, '/update/door', { mac: '02:00:00:00:00:01' })).status, 200);
  countAttacks({ kind: 'update checks on a full disk', tried: 51, withstood: 51 });
});

test('reports a full disk and a disk without space for uploads in /readyz', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const server = await startTestServer(t, { data: join(disk, 'data') });
  const checkOf = () => new Health(server.parts).problems();
  t.deepEqual(await checkOf(), []);
  await fill(disk, 200_000);
  t.deepEqual(await checkOf(), ['uploads-refused']);
  await fill(disk, 0);
  t.true((await checkOf()).includes('disk-full'));
  const { status, problems } = await health(server, '/readyz');
  t.is(status, 503);
  t.true(problems.includes('disk-full'));
  t.is((await health(server, '/healthz')).status, 200, 'a restart would not help');
});

test('removes an upload that does not fit, and keeps the reserve available for records', async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return;
  const server = await startTestServer(t, { data: join(disk, 'data') });
  const large = Buffer.alloc(4_000_000, 7);
  const sha256 = await digestOf(large);
  const rejected = await upload(server.url, large, server.token);
  t.is(rejected.status, 507);
  t.deepEqual(await readdir(join(disk, 'data', 'uploads')), []);
  for (const [size, seed] of [
    [900_000, 1],
    [900_000, 2],
    [900_000, 3],
  ] as const) {
    await upload(server.url, Buffer.alloc(size, seed), server.token);
  }
  t.deepEqual(await readdir(join(disk, 'data', 'uploads')), []);
  const { freeBytes, reserveBytes } = await server.parts.blobs.room();
  t.true(freeBytes >= reserveBytes, `${freeBytes} of ${reserveBytes} are left`);
  t.is((await server.api('POST', '/tokens', { roles: ['read'], name: 'small' })).status, 201);
  t.like((await server.api('GET', `/uploads/${sha256}`)).body, { complete: false, offset: 0 });
});

test('logs the same fault once a minute, with the number of repetitions', (t) => {
  const lines: object[] = [];
  let now = 0;
  const none = () => undefined;
  const log = limitRepeats(
    { debug: none, info: none, warn: none, error: (fields) => void lines.push(fields) },
    () => now,
  );
  const full = () => Object.assign(new Error('disk full'), { code: 'SQLITE_FULL' });
  for (let count = 0; count < 100; count++)
    log.error({ err: full(), path: `/update/${count}` }, 'Device request failed');
  log.error({ err: new Error('another') }, 'Device request failed');
  log.error({ err: full() }, 'Request failed');
  t.is(lines.length, 3);
  now = 60_000;
  log.error({ err: full() }, 'Device request failed');
  t.like(lines[3], { repeated: 99 });
});
