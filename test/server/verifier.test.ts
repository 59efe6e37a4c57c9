import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { defaultLimits } from '../../src/server/options.ts';
import { Verifier } from '../../src/server/services/releases/verifier.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { testFolder } from '../support/test-folder.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { hostileContents, hostileGzips, questionOf } from './hostile-content.ts';
import { requestAsDevice } from './raw-device.ts';
import { startTestServer } from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
const mebibyte = 1024 * 1024;
const markerMebibytes = propertyRuns(2, 16).numRuns;
const fromUploads = { key: signer.publicKey, like: build.manifest };

function verifierOf(t: ExecutionContext, limits = {}): Verifier {
  const verifier = new Verifier({ ...defaultLimits, ...limits });
  t.teardown(() => verifier.close());
  return verifier;
}

test('verifies hostile content within the time and memory limits', async (t) => {
  t.timeout(300_000);
  const verifier = verifierOf(t);
  const folder = await testFolder(t);
  for (const [name, make] of Object.entries(hostileContents)) {
    // A search for key markers that takes quadratic time needs minutes for 2 MiB, and hours for 16 MiB.
    const content = make(name.includes('markers') ? markerMebibytes * mebibyte : 2 * mebibyte);
    const files = [content, gzipSync(content, { level: 1 })];
    const { differences } = await verifier.verify('door', await questionOf(folder.path, { ...fromUploads, files }));
    t.true(differences.length > 0, name);
  }
  for (const [name, make] of Object.entries(hostileGzips)) {
    const files = [make(2 * mebibyte)];
    const { differences } = await verifier.verify('door', await questionOf(folder.path, { ...fromUploads, files }));
    t.true(differences.length > 0, name);
  }
});

test('does not inflate a third gzip artifact for the same image', async (t) => {
  const verifier = verifierOf(t);
  const folder = await testFolder(t);
  const content = build.files.get('door.bin') ?? new Uint8Array();
  const files = [content, ...[1, 6, 9].map((level) => gzipSync(content, { level }))];
  const { differences } = await verifier.verify('door', await questionOf(folder.path, { ...fromUploads, files }));
  t.deepEqual(
    differences.filter((difference) => difference.includes('not made from')),
    ['3.bin was not made from 0.bin'],
  );
});

test('responds to devices while a build is being verified', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const folder = await testFolder(t);
  const files = [hostileContents['a sketch of full size']?.(4 * mebibyte) ?? new Uint8Array()];
  const question = await questionOf(folder.path, { ...fromUploads, files });
  let isVerified = false;
  const verification = server.parts.verifier.verify('door', question).then(() => {
    isVerified = true;
  });
  // If verification ran on the main thread, the event loop could not handle all these requests between its steps.
  const upToDate = { sketchMd5: sketchMd5Of(build.manifest) };
  for (let count = 0; count < 20; count++)
    t.is((await requestAsDevice(server.port, '/update/door', upToDate)).status, 304);
  t.false(isVerified, 'all devices were answered before the verification ended');
  await verification;
});

test('aborts a verification that reaches its time limit, and stores nothing', async (t) => {
  const server = await startTestServer(t, { limits: { verificationMs: 1 } });
  const response = await server.publish(build);
  t.is(response.status, 422);
  t.like(response.body, { error: { code: 'verification-limit' } });
  t.is((await server.api('GET', '/projects/door')).status, 404);
  const patient = await server.restart();
  t.is((await patient.publish(build)).status, 201);
});

test('aborts a verification that reaches its memory limit, and completes the next one', async (t) => {
  const folder = await testFolder(t);
  const question = await questionOf(folder.path, { ...fromUploads, files: [...build.files.values()] });
  const verifier = verifierOf(t, { verificationHeapMb: 48 });
  const { manifest } = question;
  // Each missing artifact adds one difference. The list of differences exceeds the memory limit.
  const missing = manifest.artifacts.slice(0, 1).map((artifact) => ({ ...artifact, sha256: 'missing' }));
  const artifacts = [...manifest.artifacts, ...Array.from({ length: 2_000_000 }, () => missing).flat()];
  await t.throwsAsync(verifier.verify('door', { ...question, manifest: { ...manifest, artifacts } }), {
    message: /more than 48 MiB of memory/,
  });
  t.true((await verifier.verify('door', question)).differences.length > 0);
});

test('verifies a build after at most one queued build of a different project', async (t) => {
  const verifier = verifierOf(t);
  const folder = await testFolder(t);
  const question = await questionOf(folder.path, { ...fromUploads, files: [...build.files.values()] });
  const order: string[] = [];
  const verify = (project: string) => verifier.verify(project, question).then(() => order.push(project));
  await Promise.all(['busy', 'busy', 'busy', 'quiet'].map(verify));
  t.deepEqual(order, ['busy', 'quiet', 'busy', 'busy']);
});
