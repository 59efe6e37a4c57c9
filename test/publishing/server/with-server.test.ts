import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { ReleaseImageInfo, ReleaseInfo } from '../../../src/api/release-info.ts';
import { startServer } from '../../../src/server/start.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { folderWith, nextDoor, packDoor, packedDoor, packFile } from '../packed-door.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Place {
  readonly folder: TestFolder;
  readonly url: string;
  readonly token: string;
  publish(...argv: string[]): Promise<CommandRun>;
  /** Publishes successfully and returns the outcome. */
  outcome(...argv: string[]): Promise<string>;
  /** Published images, with the version of their release. */
  images(): Promise<readonly (ReleaseImageInfo & { readonly version: string })[]>;
}

/** A separate update server and a folder with builds. */
async function place(t: ExecutionContext, builds: Parameters<typeof folderWith>[1]): Promise<Place> {
  const data = await testFolder(t);
  const server = await startServer({ data: data.path, host: '127.0.0.1', port: 0, log: silent });
  t.teardown(() => server.close(1000));
  const token = server.token ?? '';
  const folder = await folderWith(t, builds);
  const publish = (...argv: string[]) =>
    runCommand(['publish', '--to', server.url, '--project', 'door', ...argv], {
      cwd: folder.path,
      env: { OTA_TOKEN: token },
    });
  return {
    folder,
    url: server.url,
    token,
    publish,
    async outcome(...argv) {
      const { stdout, error } = await publish('--json', ...argv);
      t.is(error, undefined, `${error?.message}; ${error?.hint}`);
      const [first] = JSON.parse(stdout).published;
      return `${first.outcome} ${first.current ? 'current' : 'not current'}`;
    },
    async images() {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch(`${server.url}/api/v1/projects/door/releases`, { headers });
      const { releases } = (await response.json()) as { releases: ReleaseInfo[] };
      return releases.flatMap(({ version, images }) => images.map((image) => ({ ...image, version })));
    },
  };
}

test('publish is idempotent, promotes to a second channel and does not roll back', async (t) => {
  const { outcome, images } = await place(t, { build: packedDoor, next: nextDoor });
  t.is(await outcome('build'), 'published current');
  t.is(await outcome('build'), 'unchanged current');
  t.is(await outcome('build', '--channel', 'beta'), 'promoted current');
  t.is(await outcome('next'), 'published current');
  t.is(await outcome('build'), 'unchanged not current');
  t.deepEqual(
    (await images()).map(({ version, channels }) => [version, channels]),
    [
      ['1.1.0', ['stable']],
      ['1.0.0', ['beta']],
    ],
  );
});

test('publish names the use of each artifact, and leaves out unsigned ones where the configuration says so', async (t) => {
  const { folder, publish, images } = await place(t, { build: packedDoor, next: nextDoor });
  const all = await publish('build');
  t.is(all.error, undefined, all.error?.message);
  const sent = [...all.stderr.matchAll(/^Sending (\S+) \([^)]+\): (.*)$/gm)].map(([, file, use]) => [file, use]);
  t.deepEqual(sent, [
    ['door.ino.bin', 'for all devices that do not verify signatures yet'],
    [
      'door.ino.bin.gz',
      'smaller, for devices that do not verify signatures yet on core 2.7.0 or later with a known flash mode',
    ],
    ['door.ino.bin.signed', 'for all devices'],
    ['door.ino.bin.gz.signed', 'smaller, for devices on core 3.0.0 or later with a known flash mode'],
  ]);

  await folder.write('ota.config.json', JSON.stringify({ publish: { unsigned: false } }));
  const signed = await publish('next', '--json');
  t.is(signed.error, undefined, signed.error?.message);
  const [published] = JSON.parse(signed.stdout).published;
  t.deepEqual(
    published.artifacts.map(({ file, use }: { file: string; use: string }) => [file, use]),
    sent.slice(2),
  );
  const [latest] = await images();
  t.is(latest?.version, '1.1.0');
  t.deepEqual(latest?.channels, ['stable']);
});

test('a signed artifact that contains a different image is rejected without the image', async (t) => {
  const { folder, publish } = await place(t, { build: packedDoor });
  await folder.write('ota.config.json', JSON.stringify({ publish: { unsigned: false } }));
  // The manifest claims an image that is not in front of the signature.
  const path = 'build/door.ino.bin.ota.json';
  const manifest = JSON.parse(await folder.text(path));
  const image = { ...manifest.image, sha256: '0'.repeat(64) };
  await folder.write(path, JSON.stringify({ ...manifest, image }));
  await rm(folder.at('build/door.ino.bin'));
  const { error } = await publish('build/door.ino.bin.ota.json');
  t.is(error?.code, 'SERVER_REJECTED', error?.message);
  t.regex(`${error?.message}`, /the size or digests of door\.ino\.bin do not match/);
});

test('publish --draft leaves a release without a channel, and --channel overrides the configuration', async (t) => {
  const { folder, publish, outcome, images } = await place(t, { build: packedDoor, next: nextDoor });
  const offers = async () => (await images()).map(({ version, channels }) => [version, channels.join()]);
  const { stderr } = await publish('build', '--draft');
  t.regex(stderr, /Published draft door 1\.0\.0 \(sketch, d1_mini\); no channel serves this release: http/);
  t.regex(
    (await publish('build', '--draft')).stderr,
    /Already published: door 1\.0\.0 .*; no channel serves this release/,
  );
  t.deepEqual(await offers(), [['1.0.0', '']]);
  t.is(await outcome('build'), 'promoted current');
  t.is(await outcome('build', '--draft'), 'unchanged current');

  await folder.write('ota.config.json', JSON.stringify({ publish: { draft: true } }));
  t.is(await outcome('next'), 'published not current');
  t.is(await outcome('next', '--channel', 'beta'), 'promoted current');
  t.deepEqual(await offers(), [
    ['1.1.0', 'beta'],
    ['1.0.0', 'stable'],
  ]);
  t.is((await publish('next', '--draft', '--channel', 'beta')).error?.code, 'OPTIONS_CONFLICT');
});

test('publish makes the published bytes available under /files', async (t) => {
  const { outcome, url } = await place(t, { build: packedDoor });
  await outcome('build');
  for (const path of ['1.0.0', '@stable']) {
    const response = await fetch(`${url}/files/door/${path}/door.ino.bin.signed`);
    t.is(response.status, 200);
    t.deepEqual(Buffer.from(await response.arrayBuffer()), packedDoor['door.ino.bin.signed'] as Buffer);
  }
});

test('publish rejects different bytes for an existing version, and a build with a different key', async (t) => {
  const other = await packDoor({ version: '1.0.0', board: 'd1_mini', network: 'other' });
  const foreign = await packDoor({ version: '1.2.0', board: 'd1_mini', keys: rsaPems(2048) });
  const { outcome, publish, images } = await place(t, { build: packedDoor, other, foreign });
  await outcome('build');
  t.is((await publish('other')).error?.code, 'VERSION_TAKEN');
  const { error } = await publish('foreign');
  t.is(error?.code, 'SERVER_REJECTED');
  t.regex(error?.message ?? '', /wrong-key/);
  t.is((await images()).length, 1);
});

test('publish accepts a filesystem image and the sketches for two boards in the same version', async (t) => {
  const image = buildLittleFs({ blockCount: 16, content: Buffer.from('page') });
  const names = ['--firmware-version', '1.0.0', '--board', 'd1_mini'];
  const files = await packFile({ 'littlefs.bin': image }, ['littlefs.bin', '--kind', 'filesystem', ...names]);
  const esp01 = await packDoor({ version: '1.0.0', board: 'esp01', network: 'hotel' });
  const { publish, images } = await place(t, { 'all/d1_mini': { ...packedDoor, ...files }, 'all/esp01': esp01 });
  const { error } = await publish('all');
  t.is(error, undefined, error?.message);
  t.deepEqual(
    (await images()).map(({ channels }) => channels),
    [['stable'], ['stable'], ['stable']],
  );
});

test('publish --reference registers a build that no channel serves', async (t) => {
  const old = signFile(door.bin, createPrivateKey(door.privatePem), 'current');
  const { folder, publish, outcome, images } = await place(t, { build: nextDoor });
  await folder.write('old.bin.signed', old);
  await outcome('build');
  const known = ['--reference', 'old.bin.signed', '--firmware-version', '0.9', '--board', 'd1_mini'];
  const { stderr, error } = await publish(...known);
  t.is(error, undefined, error?.message);
  t.regex(stderr, /Published reference build door 0\.9 \(sketch, d1_mini\); devices that run it are recognized/);
  t.regex((await publish(...known)).stderr, /Already published: reference build/);
  const found = (await images()).find(({ version }) => version === '0.9');
  t.is(found?.purpose, 'reference');
  t.deepEqual(found?.channels, []);
});

test('publish completes over a connection that breaks repeatedly', async (t) => {
  const { folder, url, token, images } = await place(t, { build: packedDoor });
  const line = await breakingLine(t, url, [500, 4000, 15_000, 15_000]);
  const argv = ['publish', 'build', '--to', line.url, '--project', 'door'];
  const { error } = await runCommand(argv, { cwd: folder.path, env: { OTA_TOKEN: token } });
  t.is(error, undefined, error?.message);
  t.true(line.connections() > 4);
  t.is((await images())[0]?.artifacts.length, 4);
});

/** Forwards bytes to a server; the first connections break after the numbers of bytes in `limitsBytes`. */
async function breakingLine(
  t: ExecutionContext,
  target: string,
  limitsBytes: readonly number[],
): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const line = createServer((near) => {
    let leftBytes = limitsBytes[connections++] ?? Number.POSITIVE_INFINITY;
    const far = connect(Number(new URL(target).port), '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    far.on('data', (bytes) => near.write(bytes));
    near.on('data', (bytes) => {
      far.write(bytes.subarray(0, leftBytes));
      leftBytes -= bytes.length;
      if (leftBytes <= 0) near.destroy();
    });
  });
  line.listen(0, '127.0.0.1');
  await once(line, 'listening');
  t.teardown(() => {
    line.close();
    for (const socket of sockets) socket.destroy();
  });
  // The address of a TCP server is always an AddressInfo.
  const { port } = line.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, connections: () => connections };
}
