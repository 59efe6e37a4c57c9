import { createPrivateKey } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import * as v from 'valibot';
import type { ApiProblem } from '../../src/api/api-problems.ts';
import { releaseRequestSchema } from '../../src/api/release.ts';
import type { ReleaseInfo, ReleaseResponse } from '../../src/api/release-info.ts';
import { readPrivateKey } from '../../src/core/keys/private-key.ts';
import { formatManifest, type Manifest } from '../../src/core/model/manifest.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { keyFileSigner } from '../../src/core/signing/key-file-signer.ts';
import { publishRelease, verifyRelease } from '../../src/server/services/releases/publish-release.ts';
import { rsaPems } from '../support/key-pairs.ts';
import { sketchMd5Of, testBuild, testFilesystem, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import {
  type ApiResponse,
  digestOf,
  releaseRequest,
  startTestServer,
  type TestServer,
  upload,
} from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });

function problem({ body }: ApiResponse): ApiProblem['error'] {
  // The type assertion is safe, because every non-2xx response is an `ApiProblem`.
  return (body as unknown as ApiProblem).error;
}

async function withRole(server: TestServer, role: string, ...channels: readonly string[]): Promise<string> {
  const { body } = await server.api('POST', '/tokens', { roles: [role], channels, name: role });
  return String(body['token']);
}

/** Build with a modified manifest and the original bytes. */
function tampered(change: (manifest: Manifest) => Manifest): Build {
  return { manifest: change(structuredClone(build.manifest)), files: build.files };
}

test('creates the project and registers its key when an admin publishes the first release', async (t) => {
  const server = await startTestServer(t);
  const publisher = await withRole(server, 'publish', 'stable', 'beta');
  const before = await server.publish(build, {}, publisher);
  t.is(before.status, 404);
  const { status, body } = await server.publish(build);
  t.is(status, 201);
  const { outcome, release, warnings } = body as unknown as ReleaseResponse;
  t.is(outcome, 'published');
  t.deepEqual(release.channels, ['stable']);
  t.is(release.keyFingerprint, signer.publicKey.fingerprint);
  t.true(Array.isArray(warnings));
  const project = await server.api('GET', '/projects/door');
  t.like(project.body, { access: 'open', keys: [signer.publicKey.fingerprint], devices: 0 });
  const next = await testBuild({ version: '2.0', signer, seed: 2 });
  t.is((await server.publish(next, { channel: 'beta' }, publisher)).status, 201);
  const { releases } = (await server.api('GET', '/projects/door/releases')).body as unknown as {
    releases: ReleaseInfo[];
  };
  t.deepEqual(
    releases.map(({ version, images }) => [version, ...images.flatMap(({ channels }) => channels)]),
    [
      ['2.0', 'beta'],
      ['1.0', 'stable'],
    ],
  );
});

test('names missing blobs, and resumes an upload at its offset', async (t) => {
  const server = await startTestServer(t);
  const response = await server.api('POST', '/projects/door/releases', releaseRequest(build.manifest));
  t.is(response.status, 409);
  t.is(problem(response).code, 'blobs-missing');
  const missing = problem(response).missing ?? [];
  t.deepEqual(missing.map(({ file }) => file).sort(), [...build.files.keys()].sort());

  const [{ file, sha256 } = { file: '', sha256: '' }] = missing;
  const bytes = build.files.get(file) ?? new Uint8Array();
  const patch = (offset: number, end: number) =>
    fetch(`${server.url}/api/v1/uploads/${sha256}`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${server.token}`,
        'upload-offset': String(offset),
        'upload-length': String(bytes.length),
      },
      body: Buffer.from(bytes.subarray(offset, end)),
    });
  t.deepEqual(await (await patch(0, 1000)).json(), { sha256, offset: 1000, complete: false });
  const wrong = await patch(2000, 3000);
  t.is(wrong.status, 409);
  t.is(((await wrong.json()) as ApiProblem).error.offset, 1000);
  t.like((await server.api('GET', `/uploads/${sha256}`)).body, { offset: 1000 });
  t.deepEqual(await (await patch(1000, bytes.length)).json(), { sha256, offset: bytes.length, complete: true });
  t.is((await server.publish(build)).status, 201);
});

test('publishes a release once when several requests publish the release at the same time', async (t) => {
  const server = await startTestServer(t);
  // Uploads at the same time are a matter of their own: on several servers, a client continues at the offset that another request reached.
  for (const bytes of build.files.values()) t.is((await upload(server.url, bytes, server.token)).status, 200);
  const responses = await Promise.all([1, 2, 3].map(() => server.publish(build)));
  t.deepEqual(responses.map(({ status }) => status).sort(), [200, 200, 201]);
  const { body } = await server.api('GET', '/projects/door/releases');
  t.is((body['releases'] as unknown as ReleaseInfo[]).flatMap(({ images }) => images).length, 1);
});

test('changes nothing when a publish request is repeated, even after a yank', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.api('POST', '/tokens', {
    roles: ['publish'],
    channels: ['stable'],
    project: 'door',
    name: 'ci',
  });
  const [id, token] = [String(body['id']), String(body['token'])];
  await server.publish(build);
  const young = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });
  t.is((await server.publish(young, {}, token)).status, 201);
  const replay = await server.publish(build, {}, token);
  t.like(replay, { status: 200, body: { outcome: 'unchanged' } });
  t.is((await requestAsDevice(server.port, '/update/door')).header('x-version'), '2.0');
  await server.api('POST', '/projects/door/releases/yank', { version: '2.0' });
  t.is((await server.publish(young, {}, token)).status, 200);
  t.is((await requestAsDevice(server.port, '/update/door')).status, 404, 'what was yanked stays so');
  const renamed = { ...build, manifest: { ...build.manifest, version: '9.0' } };
  t.is((await server.publish(renamed, {}, 'wrong')).status, 401, 'a version of its own takes a token');
  await server.api('DELETE', `/tokens/${id}`);
  t.is((await server.publish(build, {}, token)).status, 401, 'and one that was revoked is good for nothing');
});

test('rejects different bytes for a published version', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const other = await testBuild({ version: '1.0', project: 'door', signer, seed: 5 });
  const response = await server.publish(other);
  t.is(response.status, 409);
  t.is(problem(response).code, 'version-taken');
  const device = await requestAsDevice(server.port, '/update/door', {});
  t.deepEqual(device.body, Buffer.from(build.files.get('door.bin.signed') ?? []));
});

test('rejects a release that is unsigned or signed with an unregistered key', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const stranger = await testBuild({ version: '2.0', signer: testSigner(), seed: 2 });
  const response = await server.publish(stranger);
  t.is(response.status, 422);
  t.is(problem(response).code, 'wrong-key');
  const unsigned = await testBuild({ version: '2.0', seed: 2 });
  t.is(problem(await server.publish(unsigned)).code, 'wrong-key');
  const { manifest, files } = build;
  const unfinished = manifest.artifacts.filter(({ signature }) => signature === 'none');
  const packed = { manifest: { ...manifest, version: '3.0', artifacts: unfinished }, files };
  t.is(problem(await server.publish(packed)).code, 'wrong-key');
  const { body } = await server.api('GET', '/projects/door/releases');
  t.is((body['releases'] as unknown as ReleaseInfo[]).flatMap(({ images }) => images).length, 1);
});

test('accepts a new key after an admin registers it, and rejects a private key', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const next = testSigner();
  const rotated = await testBuild({ version: '2.0', signer: next, seed: 2 });
  t.is((await server.publish(rotated)).status, 422);
  const publicKeys = [signer.publicKey.pem, next.publicKey.pem];
  t.is((await server.api('PUT', '/projects/door', { publicKeys })).status, 200);
  t.is((await server.publish(rotated)).status, 201);
  const secret = await server.api('PUT', '/projects/door', { publicKeys: [rsaPems().privatePem] });
  t.is(problem(secret).code, 'private-key');
});

test('rejects a release when the project keys change during verification', async (t) => {
  const { api, parts, publish } = await startTestServer(t);
  await publish(build);
  const next = await testBuild({ version: '2.0', project: 'door', signer, seed: 2 });
  const request = v.parse(releaseRequestSchema, releaseRequest(next.manifest));
  t.is((await publish(next, { draft: true })).status, 201);
  const publisher = { id: (await parts.store.tokens.list())[0]?.id ?? '', roles: ['admin'], channels: [] } as const;
  const question = { project: 'door', request, by: 'an admin', publisher };
  const verified = await verifyRelease(parts, question);
  await api('PUT', '/projects/door', { publicKeys: [signer.publicKey.pem, testSigner().publicKey.pem] });
  await t.throwsAsync(publishRelease(parts, question, verified), { message: /keys of door changed/ });
});

test('rejects a release whose manifest does not match its bytes', async (t) => {
  const server = await startTestServer(t);
  const image = (change: Partial<Manifest['image']>) =>
    tampered((manifest) => ({ ...manifest, image: { ...manifest.image, ...change } }));
  const artifact = (change: Partial<Manifest['artifacts'][number]>, file: string) =>
    tampered((manifest) => ({
      ...manifest,
      artifacts: manifest.artifacts.map((each) => (each.file === file ? { ...each, ...change } : each)),
    }));
  const [firstMd5, ...otherMd5s] = build.manifest.image.sketchMd5s;
  const swapped = build.manifest.artifacts.find(({ file }) => file === 'door.bin.gz')?.sha256 ?? '';
  const lies: readonly (readonly [name: string, build: Build])[] = [
    ['core', image({ core: '2.7.4' })],
    ['flash mode', image({ flashMode: 'qio' })],
    ['kind', image({ kind: 'filesystem', sketchMd5s: [] })],
    ['size', image({ sizeBytes: 1 })],
    ['findings', image({ findings: [{ id: 'x', message: 'y' }] })],
    ['an MD5 too few', image({ sketchMd5s: otherMd5s })],
    ['an MD5 of another', image({ sketchMd5s: firstMd5 ? [{ ...firstMd5, md5: '0'.repeat(32) }, ...otherMd5s] : [] })],
    ['keys', tampered((manifest) => ({ ...manifest, embeddedKeys: [] }))],
    ['signature', artifact({ signature: 'legacy' }, 'door.bin.signed')],
    ['no signature', artifact({ signature: 'none', keyFingerprint: undefined }, 'door.bin.signed')],
    ['payload', artifact({ payloadBytes: 5 }, 'door.bin.signed')],
    ['md5', artifact({ md5: '0'.repeat(32) }, 'door.bin.signed')],
    ['encoding', artifact({ encoding: 'identity' }, 'door.bin.gz')],
    ['inflate', artifact({ inflate: undefined }, 'door.bin.gz')],
    ['other bytes', artifact({ sha256: swapped }, 'door.bin')],
  ];
  for (const [name, lie] of lies) {
    const response = await server.publish(lie);
    t.is(response.status, 422, name);
    t.true(['not-as-described', 'blocked'].includes(problem(response).code), `${name}: ${problem(response).code}`);
  }
  t.is((await server.api('GET', '/projects/door')).status, 404, 'not even a project');
});

test('rejects a signed artifact that was not made from the image', async (t) => {
  const server = await startTestServer(t);
  const other = await testBuild({ version: '1.0', project: 'door', signer, seed: 9 });
  const foreign = other.manifest.artifacts.find(({ file }) => file === 'door.bin.signed');
  const bytes = other.files.get('door.bin.signed');
  if (foreign === undefined || bytes === undefined) throw new Error('no signed artifact');
  const mixed = tampered((manifest) => ({
    ...manifest,
    artifacts: manifest.artifacts.map((each) => (each.file === 'door.bin.signed' ? foreign : each)),
  }));
  await upload(server.url, bytes, server.token);
  const response = await server.publish(mixed);
  t.is(problem(response).code, 'not-as-described');
  t.regex(problem(response).message, /not made from/);
});

test('rejects an invalid manifest, a mismatched project or version, and invalid names', async (t) => {
  const server = await startTestServer(t);
  const post = (request: object, project = 'door') => server.api('POST', `/projects/${project}/releases`, request);
  const manifest = formatManifest(build.manifest);
  t.is((await post({ version: '1.0', manifest: '{}' })).status, 422);
  t.is((await post({ version: '1.0', manifest }, 'window')).status, 422);
  t.is((await post({ version: '1.1', manifest })).status, 422);
  t.is((await post({ version: 'a b', manifest })).status, 422);
  t.is((await post({ version: '1.0', manifest, channel: '../x' })).status, 422);
  t.is((await post({ version: '1.0', manifest, allow: ['anything'] })).status, 422);
  t.is((await post({ version: '1.0', manifest, force: true })).status, 422);
  t.is((await post({ manifest }, '..%2f..')).status, 422);
});

test('rejects a release that a rule blocks unless the request allows the rule by name', async (t) => {
  const server = await startTestServer(t);
  const unproven = await testBuild({ version: '1.0', project: 'door', signer, unproven: true });
  const response = await server.publish(unproven);
  t.is(response.status, 422);
  t.is(problem(response).code, 'blocked');
  t.deepEqual(
    problem(response).blockedBy?.map(({ rule }) => rule),
    ['enforcement-unproven'],
  );
  const allowed = await server.publish(unproven, { allow: ['enforcement-unproven'] });
  t.is(allowed.status, 201);
  t.true((allowed.body as unknown as ReleaseResponse).warnings.some(({ rule }) => rule === 'enforcement-unproven'));
});

test('recognizes a reference build, but never sends it', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const past = await testBuild({ version: '0.9', seed: 90 });
  const response = await server.publish(past, { purpose: 'reference' });
  t.is(response.status, 201, JSON.stringify(response.body));
  const words = { sketchMd5: sketchMd5Of(past.manifest) };
  t.is((await requestAsDevice(server.port, '/update/door', words)).status, 200);
  const { body } = await server.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.like(body as object, { running: { version: '0.9', by: 'md5' } });
  t.is((await requestAsDevice(server.port, '/files/door/0.9/door.bin', { userAgent: 'x' })).status, 404);
  t.is((await server.api('PUT', '/projects/door/channels/stable', { version: '0.9' })).status, 404);
});

test('warns about a reference build for a board that no release is for, with the nearest board', async (t) => {
  const server = await startTestServer(t);
  await server.publish(await testBuild({ version: '1.0', board: 'd1_mini' }));
  const warningsOf = async (version: string, board: string) => {
    const past = await testBuild({ version, board, seed: Number(version.at(-1)) });
    const { body } = await server.publish(past, { purpose: 'reference' });
    return (body as unknown as ReleaseResponse).warnings;
  };
  t.deepEqual(await warningsOf('0.8', 'd1_mini'), []);
  t.deepEqual(await warningsOf('0.9', 'd1_mni'), [
    {
      rule: 'board-unknown',
      message: 'no current release of door is for the board d1_mni',
      fix: 'Did you mean d1_mini? Publish a release for this board, or the reference build with --board d1_mini',
    },
  ]);
});

test('rejects an uploaded private key, logs a warning and stores no bytes', async (t) => {
  const server = await startTestServer(t);
  const { privatePem } = rsaPems();
  for (const secret of [privatePem, `\n\n${privatePem}`]) {
    const bytes = Buffer.from(secret);
    const response = await upload(server.url, bytes, server.token);
    t.is(response.status, 422);
    const { error } = (await response.json()) as ApiProblem;
    t.is(error.code, 'private-key');
    t.regex(error.message, /is a private key/);
    t.like((await server.api('GET', `/uploads/${await digestOf(bytes)}`)).body, { offset: 0 });
  }
  const left = await readdir(join(server.folder, 'blobs'), { recursive: true, withFileTypes: true });
  t.deepEqual(
    left.filter((entry) => entry.isFile() && !/^database-.*\.txt$/.test(entry.name)),
    [],
  );
  t.true(server.logged.some(({ level, message }) => level === 'warn' && /^Private key/.test(message)));
});

test("always rejects an image with the project's private key, and rejects other private keys by default", async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const ownKey = rsaPems().privatePem;
  const own = keyFileSigner(readPrivateKey(ownKey, 'a key of the tests'));
  const publicKeys = [signer.publicKey.pem, own.publicKey.pem];
  t.is((await server.api('PUT', '/projects/door', { publicKeys })).status, 200);
  const filesWith = (secret: string | Uint8Array) =>
    testFilesystem({ version: '1.0', project: 'door', signer, content: Buffer.from(secret) });
  const der = createPrivateKey(ownKey).export({ type: 'pkcs1', format: 'der' });
  for (const secret of [ownKey, der]) {
    const response = await server.publish(await filesWith(secret), { allow: ['private-key-inside'] });
    t.is(problem(response).code, 'private-key');
    t.regex(problem(response).message, /contains the project's private key/);
  }
  const other = await filesWith(rsaPems().privatePem);
  t.is(problem(await server.publish(other)).code, 'private-key');
  t.is((await server.publish(other, { allow: ['private-key-inside'] })).status, 201);
});

test('removes an upload that does not match its digest', async (t) => {
  const server = await startTestServer(t);
  const sha256 = await digestOf(Buffer.from('what was meant'));
  const response = await upload(server.url, Buffer.from('something else'), server.token, sha256);
  t.is(response.status, 422);
  t.like((await server.api('GET', `/uploads/${sha256}`)).body, { offset: 0 });
});

test('lists the changes to a project in the audit log in order, with their actors', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  await server.api('PUT', '/projects/door', { access: 'closed' });
  await server.api('PUT', '/projects/door/devices/18:FE:34:AA:BB:CC', { name: 'x' });
  await server.api('POST', '/projects/door/devices/18:FE:34:AA:BB:CC/retry');
  await server.api('PUT', '/projects/door/channels/beta', { version: '1.0' });
  await server.api('POST', '/projects/door/releases/yank', { version: '1.0' });
  const removed = await server.api('DELETE', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.is(removed.status, 200, JSON.stringify(removed.body));
  const { body } = await server.api('GET', '/audit');
  const entries = body['entries'] as unknown as { action: string; actor: string }[];
  t.deepEqual(entries.map(({ action }) => action).reverse(), [
    'token.created',
    'project.created',
    'release.published',
    'project.changed',
    'device.enrolled',
    'device.retried',
    'release.promoted',
    'release.yanked',
    'device.removed',
  ]);
  const [, , , , , , , , first] = entries;
  t.is(first?.actor, 'server');
  t.is(new Set(entries.slice(0, 8).map(({ actor }) => actor)).size, 1);
});

test('accepts a reference build before the first release, and registers the key of the release', async (t) => {
  const server = await startTestServer(t);
  const past = await testBuild({ version: '0.9', seed: 90 });
  t.is((await server.publish(past, { purpose: 'reference' })).status, 201);
  t.like((await server.api('GET', '/projects/door')).body, { keys: [] });
  const publisher = await withRole(server, 'publish', 'stable');
  t.is((await server.publish(build, {}, publisher)).status, 422, 'only an admin says whose key it is');
  t.is((await server.publish(build)).status, 201);
  t.like((await server.api('GET', '/projects/door')).body, { keys: [signer.publicKey.fingerprint] });
  const stranger = await testBuild({ version: '2.0', signer: testSigner(), seed: 2 });
  t.is((await server.publish(stranger)).status, 422);
});

test('accepts a valid token from a rate-limited address', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerSecond: 0 } });
  for (let count = 0; count < 120; count++) await requestAsDevice(server.port, '/update/nothing');
  t.is((await requestAsDevice(server.port, '/update/nothing')).status, 429);
  t.is((await server.api('GET', '/server')).status, 200);
  t.is((await server.api('GET', '/server', undefined, 'wrong')).status, 429);
});

test('requires the permission of the project for the rules that a manifest allows', async (t) => {
  const server = await startTestServer(t);
  await server.publish(await testBuild({ project: 'door', version: '1.0' }));
  const { body } = await server.api('POST', '/tokens', { roles: ['publish'], project: 'door' });
  const token = String(body['token']);
  const build = await testBuild({ project: 'door', version: '1.1', seed: 2 });
  const allowedRules = [{ rule: 'fs-moved', reason: 'the files are rebuilt' }];
  const claimed = { ...build, manifest: { ...build.manifest, allowedRules } };
  const publish = () => server.publish(claimed, { draft: true }, token);
  const rejected = await publish();
  t.is(rejected.status, 403);
  t.regex(JSON.stringify(rejected.body), /may not publish despite fs-moved.*--publisher-rule fs-moved/);
  await server.api('PUT', '/projects/door', { publisherRules: ['fs-moved'] });
  t.is((await publish()).status, 201);
});
