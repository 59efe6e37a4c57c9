/** Tests that the role of a key changes only if no device loses its way to the signing key: `keys activate`, `retire` and `status`. */
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const signers = { main: testSigner(), vault: testSigner(), spare: testSigner() };
type Name = keyof typeof signers;

function keyList(roles: Readonly<Record<Name, string>>) {
  return Object.entries(signers).map(([name, { publicKey }]) => ({
    name,
    publicKey: `${name}.key`,
    fingerprint: publicKey.fingerprint,
    role: roles[name as Name],
  }));
}

const signedWithMain = { main: 'signing', vault: 'backup', spare: 'backup' };
const signedWithVault = { main: 'backup', vault: 'signing', spare: 'backup' };

function build(seed: number, version: string, board: string, signer: Name, hopFrom?: Name) {
  return testBuild({
    project: 'door',
    board,
    seed,
    version,
    signer: signers[signer],
    ...(hopFrom === undefined ? {} : { hopFrom: signers[hopFrom] }),
  });
}

/** A server with one device that runs version 1.0, and a project whose signing key is given. */
async function place(t: ExecutionContext, roles: Readonly<Record<Name, string>>) {
  const server = await startTestServer(t);
  const publicKeys = Object.values(signers).map(({ publicKey }) => publicKey.pem);
  await server.api('PUT', '/projects/door', { publicKeys });
  const first = await build(1, '1.0', 'd1', 'main');
  await server.publish(first);
  const request = { mac: '18:FE:34:00:00:01', sketchMd5: sketchMd5Of(first.manifest) };
  t.is((await requestAsDevice(server.port, '/update/door', request)).status, 304);
  const folder = await testFolder(t, {
    ...Object.fromEntries(Object.entries(signers).map(([name, { publicKey }]) => [`${name}.key`, publicKey.pem])),
    'ota.config.json': JSON.stringify({ project: 'door', keys: keyList(roles) }),
  });
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
  return {
    server,
    run: (command: string) => runCommand(command.split(' '), { cwd: folder.path, home: folder.path, env }),
    roles: async () =>
      JSON.parse(await folder.text('ota.config.json'))
        .keys.map(({ role }: { role: string }) => role)
        .join(),
  };
}

test('keys activate is rejected until the server has a hop to the signing key for the board of each device', async (t) => {
  const { server, run, roles } = await place(t, signedWithMain);
  t.is((await run('keys activate vault')).exitCode, 0, 'all devices hold the signing key');
  t.is((await run('keys activate main')).exitCode, 0, 'devices hold the key that is activated again');
  t.is((await run('keys activate vault')).exitCode, 0);

  const rejected = await run('keys activate spare');
  t.is(rejected.error?.code, 'HOP_MISSING');
  t.is(
    rejected.error?.message,
    'spare was not activated: 1 device has only main, and no hop to vault has been released',
  );
  t.regex(rejected.error?.hint ?? '', /pack IMAGE --hop main --private-key FILE/);
  t.is(await roles(), 'backup,signing,backup', 'nothing was written');

  await server.publish(await build(2, '1.1', 'd1_mini', 'vault', 'main'));
  t.is((await run('keys activate spare')).error?.code, 'HOP_MISSING', 'the hop is for a different board');
  await server.publish(await build(3, '1.1', 'd1', 'vault', 'main'));
  t.is((await run('keys activate spare')).exitCode, 0, 'the device reaches vault through the hop');
  t.is(await roles(), 'backup,backup,signing');
  t.is((await run('keys activate vault')).exitCode, 0, 'devices reach the key that is activated again');
});

test('keys activate --without-hop activates a key although devices have no hop', async (t) => {
  const { run, roles } = await place(t, signedWithVault);
  t.is((await run('keys activate spare')).error?.code, 'HOP_MISSING');
  t.is((await run('keys activate spare --without-hop')).exitCode, 0);
  t.is(await roles(), 'backup,backup,signing');
});

test('keys retire is rejected while devices hold only the key, unless it was stolen', async (t) => {
  const { run, roles } = await place(t, signedWithVault);
  const rejected = await run('keys retire main');
  t.is(rejected.error?.code, 'KEY_IN_USE');
  t.is(rejected.error?.message, 'main was not retired: 1 device accepts it, but not the signing key vault');
  t.is(await roles(), 'backup,signing,backup');
  t.is((await run('keys retire spare')).exitCode, 0, 'no device holds it');
  t.is((await run('keys retire main --in-use')).exitCode, 0);
  t.is(await roles(), 'retired,signing,retired');
});

test('a project that the server does not know has no devices, unless it is named', async (t) => {
  const { run } = await place(t, signedWithVault);
  t.is((await run('keys activate spare --project gate')).error?.code, 'SERVER_REJECTED');
  const server = await startTestServer(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
  const folder = await testFolder(t, {
    ...Object.fromEntries(Object.entries(signers).map(([name, { publicKey }]) => [`${name}.key`, publicKey.pem])),
    'ota.config.json': JSON.stringify({ project: 'door', keys: keyList(signedWithMain) }),
  });
  const { exitCode, stderr } = await runCommand(['keys', 'activate', 'vault'], { cwd: folder.path, env });
  t.is(exitCode, 0, stderr);
});

test('keys status says that no device holds a new backup key', async (t) => {
  const { server, run } = await place(t, signedWithVault);
  t.regex((await run('keys status')).stdout, /^main +backup .* not yet: 1 device would reject the signing key$/m);
  t.regex((await run('keys status')).stdout, /^spare +backup .* no device holds it$/m);
  const hop = await build(3, '1.1', 'd1', 'vault', 'main');
  await server.publish(hop);
  const request = { mac: '18:FE:34:00:00:01', sketchMd5: sketchMd5Of(hop.manifest) };
  t.is((await requestAsDevice(server.port, '/update/door', request)).status, 304);
  t.regex((await run('keys status')).stdout, /^main +backup +\S+ +0 +0 +possible now$/m);
});

test('without a server, the last release of the folder stands for its devices', async (t) => {
  const others = { vault: rsaPems(), spare: rsaPems() };
  const entry = (name: string, role: string, pem: string) => {
    return { name, publicKey: `${name}.key`, fingerprint: readPublicKey(pem, name).fingerprint, role };
  };
  const keys = (signing: string) =>
    [
      ['main', door.publicPem],
      ['vault', others.vault.publicPem],
      ['spare', others.spare.publicPem],
    ].map(([name = '', pem = '']) => entry(name, name === signing ? 'signing' : 'backup', pem));
  const folder = await testFolder(t, {
    'main.key': door.publicPem,
    'vault.key': others.vault.publicPem,
    'spare.key': others.spare.publicPem,
    'private.key': door.privatePem,
    'door.bin': door.bin,
    'door.elf': door.elf,
    'ota.config.json': JSON.stringify({ project: 'door', keys: keys('main') }),
  });
  const server = await startTestServer(t);
  const run = (command: string, env: Readonly<Record<string, string>> = {}) =>
    runCommand(command.split(' '), { cwd: folder.path, home: folder.path, env });
  t.is((await run('pack door.bin --firmware-version 1.0')).exitCode, 0);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
  const published = await run('publish door.bin --yes', env);
  t.is(published.exitCode, 0, published.stderr);

  t.is((await run('keys activate vault')).exitCode, 0);
  const second = await run('keys activate spare');
  t.is(second.error?.code, 'HOP_MISSING');
  t.is(
    second.error?.message,
    'spare was not activated: the last release has only main, and no hop to vault has been released',
  );
  t.is((await run('keys retire main')).error?.code, 'KEY_IN_USE');
  t.is((await run('keys activate main')).exitCode, 0, 'devices hold the key that is activated again');

  await folder.write('.ota/released.json', 'damaged');
  t.regex(
    (await run('keys activate vault')).stderr,
    /released\.json is not used .* the keys of devices are not checked/,
  );
});
