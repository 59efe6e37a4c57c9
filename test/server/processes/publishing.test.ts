/** Publishing with several processes that share one database and one blob store. */
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { removeOrphans } from '../../../src/server/services/maintenance.ts';
import { until } from '../../support/until.ts';
import { testBuild, testSigner } from '../builds.ts';
import { digestOf, releaseRequest, upload } from '../running-server.ts';
import { once, twoProcesses } from './two-processes.ts';

const signer = testSigner();
const [old, young, other] = await Promise.all(
  ['1.0', '2.0', '3.0'].map((version, seed) => testBuild({ version, project: 'door', signer, seed, sizeBytes: 8192 })),
);
if (old === undefined || young === undefined || other === undefined) throw new Error('no builds');

test('publishes a release once when two processes publish it at the same time', async (t) => {
  const { first, second } = await twoProcesses(t);
  const responses = await Promise.all([first, second, first, second].map(({ publish }) => publish(old)));
  t.deepEqual(responses.map(({ body }) => body['outcome']).sort(), [
    'published',
    'unchanged',
    'unchanged',
    'unchanged',
  ]);
});

test('publishes all releases that two processes publish at the same time', async (t) => {
  const { first, second } = await twoProcesses(t);
  await first.publish(old);
  const [one, two] = await Promise.all([first.publish(young), second.publish(other)]);
  t.deepEqual([one.status, two.status], [201, 201]);
});

test('does not promote a release to a channel on which another process starts a rollout meanwhile', async (t) => {
  const { first, second } = await twoProcesses(t);
  await first.publish(old);
  await first.publish(young, { draft: true });
  await first.api('PUT', '/projects/door/devices/02:00:00:00:00:01', { enrolled: true });
  const start = () => first.api('POST', '/projects/door/rollouts', { version: '2.0', stages: [{ share: 100 }] });
  once(second.parts.store.catalog, 'publish', 'before', start);
  t.is((await second.publish(other)).status, 409);
  t.is((await second.publish(other, { draft: true })).status, 201);
  t.is((await second.api('PUT', '/projects/door/channels/stable', { version: '3.0' })).status, 409);
  await first.api('POST', '/projects/door/rollouts/1/abort', {});
  const startAgain = () => first.api('POST', '/projects/door/rollouts', { version: '2.0', stages: [{ share: 100 }] });
  once(second.parts.store.catalog, 'promote', 'before', startAgain);
  t.is((await second.api('PUT', '/projects/door/channels/stable', { version: '3.0' })).status, 409);
});

test('keeps the settings of a project that another process changes at the same time', async (t) => {
  const { first, second } = await twoProcesses(t);
  await first.publish(old);
  const changeFirst = () => first.api('PUT', '/projects/door', { access: 'closed' });
  once(second.parts.store.catalog, 'saveProject', 'before', changeFirst);
  t.is((await second.api('PUT', '/projects/door', { mostSends: 7 })).status, 200);
  t.like((await first.api('GET', '/projects/door')).body, { access: 'closed', mostSends: 7 });
});

test('continues an upload in another process, and publishes blobs that another process received', async (t) => {
  const { first, second, token } = await twoProcesses(t);
  for (const bytes of old.files.values()) {
    const half = bytes.length >> 1;
    const send = (url: string, offset: number, piece: Uint8Array) =>
      digestOf(bytes).then((sha256) =>
        fetch(`${url}/api/v1/uploads/${sha256}`, {
          method: 'PATCH',
          headers: {
            authorization: `Bearer ${token}`,
            'upload-offset': String(offset),
            'upload-length': String(bytes.length),
          },
          body: Buffer.from(piece),
        }),
      );
    t.is((await send(first.url, 0, bytes.subarray(0, half))).status, 200);
    t.is((await send(second.url, half, bytes.subarray(half))).status, 200);
  }
  const request = releaseRequest(old.manifest);
  t.is((await first.api('POST', '/projects/door/releases', request)).status, 201);
});

test('limits the uploads of a token across processes', async (t) => {
  const { first, second, token } = await twoProcesses(t, { unpublishedBytesPerToken: 100_000 });
  const blobs = Array.from({ length: 10 }, () => randomBytes(30_000));
  const statuses = await Promise.all(
    blobs.map(async (blob, index) => (await upload((index % 2 === 0 ? first : second).url, blob, token)).status),
  );
  t.is(statuses.filter((status) => status === 200).length, 3);
  t.is(statuses.filter((status) => status === 429).length, 7);
});

test('frees the room of an upload that was discarded', async (t) => {
  const { first, second, token } = await twoProcesses(t, { unpublishedFilesPerToken: 1 });
  t.is((await upload(first.url, randomBytes(100), token, '0'.repeat(64))).status, 422);
  t.is((await upload(second.url, randomBytes(100), token)).status, 200);
  t.is((await upload(first.url, randomBytes(100), token)).status, 429);
});

test('keeps a blob that a publication uses while another process removes old uploads', async (t) => {
  const { first, second, token } = await twoProcesses(t);
  await first.publish(old);
  for (const bytes of young.files.values()) await upload(first.url, bytes, token);
  const uploadedAt = Date.now();
  await until(() => Date.now() !== uploadedAt);
  const afterUpload = Date.now();
  once(second.parts.store.catalog, 'publish', 'before', () => removeOrphans(first.parts, afterUpload));
  const { status } = await second.api('POST', '/projects/door/releases', releaseRequest(young.manifest));
  t.is(status, 201);
  for (const { sha256 } of young.manifest.artifacts) t.true((await first.parts.blobs.state(sha256)).complete);
});

test('reports missing blobs if another process removes old uploads before the publication begins', async (t) => {
  const { first, second, token } = await twoProcesses(t);
  await first.publish(old);
  for (const bytes of young.files.values()) await upload(first.url, bytes, token);
  once(second.parts.store.uploads, 'add', 'before', () => removeOrphans(first.parts, Date.now() + 60_000));
  const response = await second.api('POST', '/projects/door/releases', releaseRequest(young.manifest));
  t.is(response.status, 409);
  t.regex(JSON.stringify(response.body), /blobs-missing/);
  t.is((await second.publish(young)).status, 201);
});
