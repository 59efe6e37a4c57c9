/** Releases after which known devices could not be updated any more, on a real server. */
import test, { type ExecutionContext } from 'ava';
import { guardRecord, productHash } from '../../src/core/keys/guard-record.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { packImage } from '../../src/core/pack/pack-image.ts';
import { signBuild } from '../../src/core/pack/sign-build.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { runCommand } from '../support/run-command.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const [a, b] = [testSigner(), testSigner()];
const publicKeys = [a, b].map(({ publicKey }) => publicKey.pem);
const plain = {
  '1.0': await testBuild({ project: 'door', seed: 1, version: '1.0', signer: a }),
  hop: await testBuild({ project: 'door', seed: 2, version: '1.1', signer: b, hopFrom: a }),
  '2.0': await testBuild({ project: 'door', seed: 3, version: '2.0', signer: b }),
  '3.0': await testBuild({ project: 'door', seed: 4, version: '3.0', signer: b }),
};

let seeds = 10;

/** Build with a guard, whose ELF file would show that the device uses it. */
async function guarded(version: string, securityVersion: number, product = 'door'): Promise<Build> {
  const record = guardRecord({
    keys: [a.publicKey],
    product: productHash(product),
    securityVersion,
    require: 'metadata',
  });
  seeds += 1;
  const sketch = syntheticSketch({ seed: seeds, sizeBytes: 8192, publicKey: a.publicKey });
  const { build } = await packImage({
    path: 'door.bin',
    image: Buffer.concat([sketch, record]),
    publicKey: a.publicKey,
    enforcementDeclared: true,
    project: 'door',
    version,
    metadata: { product, securityVersion, raw: true },
  });
  return signBuild({ ...build, manifest: { ...build.manifest, enforcement: 'elf' } }, a, 'a key of the tests');
}

let devices = 0;

/** A new device checks in with this build. */
async function runs({ port }: TestServer, { manifest }: Build): Promise<string> {
  devices += 1;
  const mac = `18:FE:34:00:00:${String(devices).padStart(2, '0')}`;
  await requestAsDevice(port, '/update/door', { mac, sketchMd5: sketchMd5Of(manifest) });
  return mac;
}

function rulesIn({ body }: Awaited<ReturnType<TestServer['api']>>): readonly string[] {
  const { error } = body as { error?: { blockedBy?: { rule: string }[] } };
  return error?.blockedBy?.map(({ rule }) => rule) ?? [];
}

async function withKeys(t: ExecutionContext): Promise<TestServer> {
  const server = await startTestServer(t);
  t.is((await server.publish(plain['1.0'])).status, 201);
  await server.api('PUT', '/projects/door', { publicKeys });
  return server;
}

test('rejects a key that devices do not have, until the channel serves a hop', async (t) => {
  const server = await withKeys(t);
  // No device is known yet.
  t.is((await server.publish(plain['3.0'], { channel: 'lab' })).status, 201);
  for (const _ of [1, 2]) await runs(server, plain['1.0']);
  const rejected = await server.publish(plain['2.0']);
  t.is(rejected.status, 422);
  t.deepEqual(rulesIn(rejected), ['lockout-key']);
  t.regex(JSON.stringify(rejected.body), /2 devices affected.*run 1\.0 accept only key.*--allow lockout-key/);
  t.is((await server.publish(plain.hop)).status, 201);
  t.is((await server.publish(plain['2.0'])).status, 201, 'the hop leads to it');
  await server.api('POST', '/projects/door/releases/yank', { version: '1.1' });
  await runs(server, plain['2.0']);
  const stranded = await server.publish(plain['3.0']);
  t.regex(JSON.stringify(stranded.body), /2 devices affected.*lockout-key/, 'the devices with 1.0');
  t.is((await server.publish(plain['2.0'])).status, 200, 'nothing changes');
  t.is((await server.publish(plain['3.0'], { allow: ['lockout-key'] })).status, 200);
});

test('rejects a promotion, the start of a rollout, and their requests for approval', async (t) => {
  const server = await withKeys(t);
  await runs(server, plain['1.0']);
  t.is((await server.publish(plain['2.0'], { draft: true })).status, 201, 'no channel serves a draft');
  await server.api('PUT', '/projects/door/devices/18:FE:34:AA:BB:CC', { enrolled: true });
  const operator = String((await server.api('POST', '/tokens', { roles: ['operate'] })).body['token']);
  const promotion = { version: '2.0' };
  const rollout = { version: '2.0', stages: [{ share: 100 }] };
  const allow = ['lockout-key'];
  const changes = [
    ['PUT', '/projects/door/channels/stable', promotion],
    ['POST', '/projects/door/rollouts', rollout],
    ['POST', '/projects/door/approvals/promotions', { channel: 'stable', ...promotion }],
    ['POST', '/projects/door/approvals/rollouts', rollout],
  ] as const;
  for (const [method, path, body] of changes) {
    t.deepEqual(rulesIn(await server.api(method, path, body)), ['lockout-key'], path);
    const other = await server.api(method, path, { ...body, allow: ['lockout-product'] });
    t.deepEqual(rulesIn(other), ['lockout-key'], path);
    t.is((await server.api(method, path, { ...body, allow: ['no-ota'] })).status, 422, path);
    t.is((await server.api(method, path, { ...body, allow }, operator)).status, 403, path);
  }
  await server.api('PUT', '/projects/door', { approval: 'second-person' });
  const place = '/projects/door/approvals/promotions';
  const { body } = await server.api('POST', place, { channel: 'stable', ...promotion, allow });
  t.deepEqual(body['allow'], allow);
  const approved = await server.api('POST', `/projects/door/approvals/${body['id']}/approve`, undefined, operator);
  t.is(approved.status, 200, JSON.stringify(approved.body));
});

test('commands promote and roll out despite a lock-out only with --allow', async (t) => {
  const server = await withKeys(t);
  await runs(server, plain['1.0']);
  await server.publish(plain['2.0'], { draft: true });
  await server.api('PUT', '/projects/door/devices/18:FE:34:AA:BB:CC', { enrolled: true });
  const run = (command: string) =>
    runCommand([...command.split(' '), '--server', server.url], {
      cwd: server.folder,
      env: { OTA_TOKEN: server.token },
    });
  const promoted = await run('server releases promote door 2.0 --channel beta');
  t.is(promoted.exitCode, 1, promoted.stderr);
  t.regex(promoted.error?.message ?? '', /1 device affected: .*\(lockout-key\)/);
  t.is((await run('server releases promote door 2.0 --channel beta --allow lockout-key')).exitCode, 0);
  const refused = await run('server rollouts start door 2.0 --stage 100');
  t.is(refused.exitCode, 1, refused.stderr);
  t.is((await run('server rollouts start door 2.0 --stage 100 --allow no-ota')).exitCode, 2);
  const started = await run('server rollouts start door 2.0 --stage 100 --allow lockout-key');
  t.is(started.exitCode, 0, started.stderr);
});

test('compares the product and the security version with the guards that devices run', async (t) => {
  const server = await startTestServer(t);
  const [first, second] = [await guarded('1.0', 2), await guarded('2.0', 3)];
  t.is((await server.publish(first)).status, 201);
  for (const _ of [1, 2, 3]) await runs(server, first);
  t.deepEqual(rulesIn(await server.publish(await guarded('1.1', 2, 'gate'))), ['lockout-product']);
  t.deepEqual(rulesIn(await server.publish(await guarded('1.1', 1))), ['lockout-security-version']);
  t.deepEqual(rulesIn(await server.publish(await guarded('1.1', 4))), ['lockout-security-version']);
  t.is((await server.publish(second)).status, 201);
  await runs(server, second);
  // The three other devices skip security version 3.
  t.is((await server.publish(await guarded('3.0', 4))).status, 201);
  const lower = await server.publish(await guarded('4.0', 2));
  t.regex(JSON.stringify(lower.body), /1 device affected: .*run 2\.0 accept only 3 or higher/);
  t.is((await server.publish(await guarded('5.0', 2), { allow: ['lockout-security-version'] })).status, 201);
  const mac = await runs(server, second);
  await server.readChanges();
  const shown = JSON.stringify((await server.api('GET', `/projects/door/devices/${mac}`)).body);
  t.regex(shown, /guard-security-version/, 'the device shows the rule that blocks its update');
});
