import { randomBytes } from 'node:crypto';
import test from 'ava';
import { removeOrphans } from '../../../src/server/services/maintenance.ts';
import { testBuild } from '../../server/builds.ts';
import { digestOf, releaseRequest, startTestServer, type TestServer, upload } from '../../server/running-server.ts';

async function publisherOf(server: TestServer, project?: string): Promise<string> {
  const { body } = await server.api('POST', '/tokens', { roles: ['publish'], channels: ['stable'], project });
  return String(body['token']);
}

const secret = await testBuild({ version: '1.0', project: 'door' });
const [file = '', bytes = new Uint8Array()] = [...secret.files].find(([name]) => name.endsWith('.gz')) ?? [];

/** Responses to all requests of a token about a digest: status, body and headers other than the time. */
async function responsesAbout({ url, api }: TestServer, token: string, sha256: string): Promise<readonly unknown[]> {
  const about = (text: string) => text.replaceAll(sha256, 'DIGEST');
  const headers = { authorization: `Bearer ${token}`, 'upload-length': String(bytes.length) };
  const path = `${url}/api/v1/uploads/${sha256}`;
  const responses = [
    await fetch(path, { headers }),
    await fetch(path, { method: 'PATCH', headers: { ...headers, 'upload-offset': '5' }, body: Buffer.alloc(1) }),
    await fetch(path, { method: 'PATCH', headers: { ...headers, 'upload-offset': '0' }, body: Buffer.alloc(10) }),
    await fetch(path, { headers }),
  ];
  const { manifest } = await testBuild({ version: '2.0', project: 'window', seed: 2, compression: 'none' });
  const artifacts = manifest.artifacts.map((each) => ({ ...each, file: `x-${each.file}`, sha256 }));
  const publication = await api(
    'POST',
    '/projects/window/releases',
    releaseRequest({ ...manifest, artifacts: [...manifest.artifacts, ...artifacts] }),
    token,
  );
  const seen = responses.map(async (response) => {
    const kept = [...response.headers].filter(([name]) => name !== 'date');
    return [response.status, kept, about(await response.text())];
  });
  return [...(await Promise.all(seen)), about(JSON.stringify(publication))];
}

test('hides blobs of other projects, uploads of other tokens and unfinished uploads from a token', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.publish(secret)).status, 201);
  await server.api('PUT', '/projects/window', {});
  const unpublished = await testBuild({ version: '3.0', seed: 3 });
  const [sent = new Uint8Array()] = unpublished.files.values();
  t.is((await upload(server.url, sent, server.token)).status, 200);
  const part = randomBytes(bytes.length);
  const unfinished = await digestOf(part);
  const headers = {
    authorization: `Bearer ${server.token}`,
    'upload-offset': '0',
    'upload-length': String(bytes.length),
  };
  const path = `${server.url}/api/v1/uploads/${unfinished}`;
  t.is((await fetch(path, { method: 'PATCH', headers, body: part.subarray(0, 100) })).status, 200);

  const absent = await responsesAbout(server, await publisherOf(server, 'window'), 'ab'.repeat(32));
  const digests = { published: await digestOf(bytes), sent: await digestOf(sent), unfinished };
  for (const [what, sha256] of Object.entries(digests)) {
    t.deepEqual(await responsesAbout(server, await publisherOf(server, 'window'), sha256), absent, what);
  }
});

test('accepts a blob of another project from a token that has sent its bytes', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.publish(secret)).status, 201);
  await server.api('PUT', '/projects/window', {});
  const token = await publisherOf(server, 'window');
  const copy = { manifest: { ...secret.manifest, project: 'window' }, files: secret.files };
  const request = releaseRequest(copy.manifest);
  const missing = await server.api('POST', '/projects/window/releases', request, token);
  t.is(missing.status, 409);
  t.true(JSON.stringify(missing.body).includes(file));
  t.is((await server.publish(copy, {}, token)).status, 201);
  t.is((await server.api('POST', '/projects/window/releases', request, token)).status, 200);
});

test('limits the bytes that a token uploads without publishing them', async (t) => {
  const server = await startTestServer(t, { limits: { unpublishedBytesPerToken: 100_000 } });
  const token = await publisherOf(server);
  const blobs = Array.from({ length: 20 }, () => randomBytes(30_000));
  const statuses = await Promise.all(blobs.map(async (blob) => (await upload(server.url, blob, token)).status));
  const accepted = statuses.filter((status) => status === 200).length;
  t.true(accepted >= 1 && accepted <= 3, `${accepted} of 20 at the same time`);
  for (const blob of blobs) await upload(server.url, blob, token);
  t.is((await upload(server.url, randomBytes(30_000), token)).status, 429);
  const stored = await server.parts.blobs.olderThan(Number.POSITIVE_INFINITY);
  t.true(stored.reduce((sum, { offset }) => sum + offset, 0) <= 100_000);
  t.is((await upload(server.url, randomBytes(30_000), await publisherOf(server))).status, 200, 'another token');
});

test('limits the number of uploads of a token, including empty and unfinished ones', async (t) => {
  const most = 5;
  const server = await startTestServer(t, { limits: { unpublishedFilesPerToken: most } });
  const token = await publisherOf(server);
  const statuses: number[] = [];
  for (let index = 0; index < 2 * most; index++) {
    const headers = { authorization: `Bearer ${token}`, 'upload-offset': '0', 'upload-length': '1000' };
    const path = `${server.url}/api/v1/uploads/${index.toString(16).padStart(64, '0')}`;
    statuses.push((await fetch(path, { method: 'PATCH', headers, body: Buffer.alloc(0) })).status);
  }
  t.deepEqual(statuses, [...Array(most).fill(200), ...Array(most).fill(429)]);
  const refused = await upload(server.url, randomBytes(16), token);
  t.is(refused.status, 429);
  t.regex(await refused.text(), /the token has 5 uploads that no release refers to \(limit: 5\)/);
  const other = await publisherOf(server);
  for (let index = 0; index < most; index++) t.is((await upload(server.url, randomBytes(16), other)).status, 200);
  t.is((await upload(server.url, randomBytes(16), other)).status, 429, 'complete uploads count as well');
  await removeOrphans(server.parts, Date.now() + 1000);
  t.is((await upload(server.url, randomBytes(16), token)).status, 200);
});

test('counts unfinished uploads, and frees the bytes when they are published or removed', async (t) => {
  const build = await testBuild({ version: '1.0', project: 'door', seed: 7 });
  const next = await testBuild({ version: '2.0', project: 'door', seed: 8 });
  const bytesOf = ({ files }: typeof build) => [...files.values()].reduce((sum, { length }) => sum + length, 0);
  const total = Math.max(bytesOf(build), bytesOf(next));
  const server = await startTestServer(t, { limits: { unpublishedBytesPerToken: total } });
  await server.api('PUT', '/projects/door', {});
  const token = await publisherOf(server);
  t.is((await server.publish(build, {}, token)).status, 201);
  t.is((await server.publish(next, {}, token)).status, 201, 'published bytes no longer count');
  const blob = randomBytes(total);
  const headers = { authorization: `Bearer ${token}`, 'upload-offset': '0', 'upload-length': String(total) };
  const path = `${server.url}/api/v1/uploads/${await digestOf(blob)}`;
  t.is((await fetch(path, { method: 'PATCH', headers, body: blob.subarray(0, total - 10) })).status, 200);
  t.is((await upload(server.url, randomBytes(20), token)).status, 429);
  await removeOrphans(server.parts, Date.now() + 1000);
  t.is((await upload(server.url, randomBytes(20), token)).status, 200);
  t.is((await server.publish(next, {}, token)).status, 200, 'the blobs of releases are kept');
});
