/** The blob store for S3 with a real S3 server. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { S3Client } from '../../../src/server/storage/blobs/s3/s3-client.ts';
import { s3Settings } from '../../../src/server/storage/blobs/s3/s3-settings.ts';
import { openBlobs } from '../../../src/server/storage/open-blobs.ts';
import { parseStorageUrl } from '../../../src/server/storage/storage-url.ts';
import { StoreUnavailableError } from '../../../src/server/storage/store-unavailable.ts';
import { type S3Server, startS3 } from '../../engines/s3.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, upload } from '../../server/running-server.ts';
import { blobContract } from '../../server/storage/blob-contract.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { installMoto } from '../provision/moto.ts';

let s3: S3Server;

test.before(async () => {
  await installMoto();
  s3 = await startS3();
});

test.after.always(() => s3?.end());

/** A prefix of its own for each test. */
function newPlace(env: Readonly<Record<string, string>> = s3.env) {
  const url = `s3://${s3.bucket}/${randomUUID()}`;
  const open = () => openBlobs(url, { env });
  const client = new S3Client(s3Settings(parseStorageUrl('blobs', url, { s3: 0 }), env));
  return { url, open, client };
}

blobContract(test, 's3', async () => {
  const { open } = newPlace();
  return { blobs: await open(), reopen: open };
});

/** Replaces the bytes of a stored blob. */
async function damage(client: S3Client, sha256: string): Promise<void> {
  const bytes = randomBytes(1000);
  const chunks = async function* () {
    yield bytes;
  };
  const key = `blobs/${sha256.slice(0, 2)}/${sha256}`;
  await client.remove(key);
  await client.create(key, { sizeBytes: bytes.length, sha256: digestOf(bytes), chunks });
}

const build = await testBuild({ version: '2.0', project: 'door', signer: testSigner(), seed: 2, sizeBytes: 300_000 });

/** Starts a server with its records in a folder and its blobs in the bucket. */
async function serverOn(t: ExecutionContext, { url }: { readonly url: string }) {
  const server = await startTestServer(t, { blobsUrl: url, env: s3.env });
  t.is((await server.publish(build)).status, 201);
  return server;
}

test('publishes to a bucket, and devices download from it', async (t) => {
  const place = newPlace();
  const server = await serverOn(t, place);
  const response = await requestAsDevice(server.port, '/update/door');
  t.is(response.status, 200);
  t.is(response.header('x-md5'), response.md5);
  const again = await server.restart({ blobsUrl: place.url, env: s3.env });
  t.is((await requestAsDevice(again.port, '/update/door', { mac: '5C:CF:7F:00:00:02' })).status, 200);
});

test('never sends a damaged blob, reports it, and accepts it again', async (t) => {
  const place = newPlace();
  const server = await serverOn(t, place);
  const digests = build.manifest.artifacts.map(({ sha256 }) => sha256);
  for (const sha256 of digests) await damage(place.client, sha256);
  for (let tries = 0; tries < 3; tries++) {
    const response = await requestAsDevice(server.port, '/update/door');
    t.is(response.status, 503);
    t.is(response.header('retry-after'), '60');
  }
  t.is(server.logged.filter(({ level }) => level === 'error').length, 1, 'the log contains the fault once');
  const health = await fetch(`${server.url}/readyz`);
  t.deepEqual(await health.json(), { status: 'degraded', problems: ['firmware-missing'] });
  const moved: string[] = [];
  for await (const { key } of place.client.list('damaged/')) moved.push(key);
  t.is(moved.length, 1, 'the device requests one artifact');

  // The damage of the other artifacts is found when they are read.
  t.like(await server.publish(build), { status: 409, body: { error: { code: 'blobs-missing' } } });
  t.is((await server.publish(build)).status, 200);
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

test.serial('throws StoreUnavailableError during an outage, and works again afterwards', async (t) => {
  const blobs = await newPlace().open();
  const bytes = randomBytes(100_000);
  const sha256 = digestOf(bytes);
  const piece = () => ({
    offset: 0,
    totalBytes: bytes.length,
    chunks: (async function* () {
      yield bytes;
    })(),
  });
  await blobs.append(sha256, piece());
  await s3.cut();
  try {
    const other = digestOf(randomBytes(10));
    await t.throwsAsync(() => blobs.read(sha256), { instanceOf: StoreUnavailableError });
    await t.throwsAsync(() => blobs.append(other, piece()), { instanceOf: StoreUnavailableError });
    await t.throwsAsync(() => blobs.room(), { instanceOf: StoreUnavailableError });
    await expectOtaError(t, 'S3_UNREACHABLE', newPlace().open);
  } finally {
    await s3.restore();
  }
  t.deepEqual(Buffer.from((await blobs.read(sha256)) ?? []), bytes);
});

test.serial(
  'responds with 503 during an outage of the bucket, and serves devices immediately afterwards',
  async (t) => {
    const server = await serverOn(t, newPlace());
    await s3.cut();
    try {
      const response = await requestAsDevice(server.port, '/update/door');
      t.is(response.status, 503);
      t.is(response.header('retry-after'), '60');
      const upToDate = { sketchMd5: sketchMd5Of(build.manifest), mac: '5C:CF:7F:00:00:02' };
      t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304);
      const health = await fetch(`${server.url}/readyz`);
      t.is(health.status, 200, 'a load balancer would remove all servers');
      t.deepEqual(await health.json(), { status: 'degraded', problems: ['bucket-unreachable'] });
      const sent = await upload(server.url, Buffer.from('new'), server.token);
      t.is(sent.status, 503);
      t.like(await sent.json(), { error: { code: 'unavailable', message: 'the bucket of the server is unavailable' } });
      const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.token}` } });
      t.regex(
        await metrics.text(),
        /^ota_data_available\{part="database"\} 1\nota_data_available\{part="bucket"\} 0$/m,
      );
    } finally {
      await s3.restore();
    }
    const response = await requestAsDevice(server.port, '/update/door');
    t.is(response.status, 200);
    t.is(response.header('x-md5'), response.md5);
  },
);

test.serial('starts during an outage of the bucket, and sends updates after it', async (t) => {
  const place = newPlace();
  const before = await serverOn(t, place);
  await before.close(0);
  const upToDate = { sketchMd5: sketchMd5Of(build.manifest), mac: '5C:CF:7F:00:00:02' };
  await s3.cut();
  const server = await before
    .restart({ blobsUrl: place.url, env: s3.env })
    .catch((error: unknown) => s3.restore().then(() => Promise.reject(error)));
  try {
    t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304);
    const response = await requestAsDevice(server.port, '/update/door');
    t.deepEqual([response.status, response.header('retry-after')], [503, '60']);
    t.is((await server.api('GET', '/projects')).status, 200);
    t.is((await fetch(`${server.url}/readyz`)).status, 200);
    const unknown = { blobsUrl: newPlace().url, env: s3.env };
    await expectOtaError(t, 'S3_UNREACHABLE', () => startTestServer(t, unknown));
  } finally {
    await s3.restore();
  }
  while (!server.logged.some(({ message }) => message === 'Bucket available again')) await pause(50);
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
  const lines = server.logged.filter(({ level }) => level === 'error' || level === 'warn');
  t.deepEqual(
    lines.map(({ message }) => message),
    ['Bucket unavailable; downloads and uploads are rejected with 503', 'Bucket available again'],
  );
});

test.serial('ends if the bucket turns out to belong to a different database', async (t) => {
  const [first, second] = [newPlace(), newPlace()];
  const before = await serverOn(t, first);
  await serverOn(t, second);
  await before.close(0);
  await s3.cut();
  const server = await before
    .restart({ blobsUrl: second.url, env: s3.env })
    .catch((error: unknown) => s3.restore().then(() => Promise.reject(error)));
  await s3.restore();
  await expectOtaError(t, 'SERVER_DATABASE_OLDER', () => server.failed);
  t.is((await requestAsDevice(server.port, '/update/door')).status, 503, 'it sends none of the other files');
});

test('rejects a bucket that does not exist', async (t) => {
  const { message } = await expectOtaError(t, 'S3_BUCKET_MISSING', () =>
    openBlobs('s3://no-such-bucket', { env: s3.env }),
  );
  t.regex(message, /bucket no-such-bucket does not exist on 127\.0\.0\.1/);
});

test('lists more blobs than a page holds', async (t) => {
  const { client } = newPlace();
  const chunks = async function* () {
    yield Buffer.from('x');
  };
  const body = { sizeBytes: 1, sha256: digestOf(Buffer.from('x')), chunks };
  for (let key = 0; key < 5; key++) await client.create(`page/${key}`, body);
  const found: string[] = [];
  for await (const { key } of client.list('page/', 2)) found.push(key);
  t.deepEqual(found, ['page/0', 'page/1', 'page/2', 'page/3', 'page/4']);
});

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
