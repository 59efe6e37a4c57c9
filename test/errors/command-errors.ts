import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { knownError } from '../../src/cli/known-error.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { testBuild } from '../server/builds.ts';
import { startTestServer } from '../server/running-server.ts';
import { door } from '../support/built-sketch.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { inFolder, type Provocation } from './provocation.ts';

const toServer = '--server https://ota.example.com';
const env = { OTA_TOKEN: 'token-of-the-tests' };

/** A project with two devices that have the same name. */
async function lamps(t: ExecutionContext) {
  const { url, token, folder } = await startTestServer(t);
  const world = { cwd: folder, env: { OTA_SERVER: url, OTA_TOKEN: token } };
  const run = (...argv: string[]) => runCommand(['server', ...argv], world);
  await run('projects', 'set', 'door');
  for (const mac of ['18:FE:34:AA:BB:CC', '18:FE:34:AA:BB:CD']) {
    await run('devices', 'set', 'door', mac, '--name', 'lamp');
  }
  return { show: (name: string) => run('devices', 'show', 'door', name) };
}

/** Provokes each error about commands and their options. */
export const commandErrors = {
  OPEN_FILES_LIMIT: async () => ({ error: knownError(Object.assign(new Error('open'), { code: 'EMFILE' })) }),
  LIBRARY_MISSING: async () => {
    const missing = "Cannot find package 'bonjour-service' imported from /x/dist/cli.js";
    return { error: knownError(Object.assign(new Error(missing), { code: 'ERR_MODULE_NOT_FOUND' })) };
  },
  URL_PASSWORD_EXPOSED: inFolder('serve --data data --database postgres://ota:secret@db.example.com/ota'),
  USAGE: inFolder('pack --color red'),
  OPTION_INVALID: inFolder('keygen --bits 512'),
  OPTION_MISSING: inFolder('sign --private-key private.key'),
  OPTIONS_CONFLICT: inFolder('upload door.bin --host kitchen --all'),
  OUTPUT_CONFLICT: inFolder('sign --private-key private.key --bin door.bin --out private.key', {
    'private.key': door.privatePem,
    'door.bin': door.bin,
  }),
  CONFIRMATION_UNASKED: inFolder('init --source door', { 'door/door.ino': '' }),
  CONFIRMATION_DECLINED: async (t) => {
    const { path: cwd } = await testFolder(t);
    return runCommand(['server', 'tokens', 'revoke', '4f6a0c12b7de'], { cwd, prompt: { confirm: async () => false } });
  },
  INIT_NOT_INSTALLED: async (t) => {
    const folder = await testFolder(t, { 'door/door.ino': '' });
    const cli = folder.at('_npx/5c0ffee/node_modules/ota-hooks/dist/cli.js');
    return runCommand(['init', '--source', 'door', '--yes'], { cwd: folder.path, cli });
  },
  PLUG_N_PLAY_UNSUPPORTED: async (t) => {
    const folder = await testFolder(t, { 'door/door.ino': '' });
    const cli = folder.at(
      '.yarn/__virtual__/ota-hooks-5c0ffee/0/cache/ota-hooks.zip/node_modules/ota-hooks/dist/cli.js',
    );
    return runCommand(['init', '--source', 'door', '--yes'], { cwd: folder.path, cli });
  },
  SIMULATOR_LISTEN_FAILED: inFolder('simulate --host 192.0.2.1'),
  SIMULATOR_ALL_OFFLINE: async (t) => {
    const image = syntheticSketch({ sizeBytes: 40_000, seed: 4 });
    // Devices send HTTP/1.0 requests, in whose responses Node.js sets no length.
    const server = createServer((_, response) => response.setHeader('content-length', image.length).end(image));
    t.teardown(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const argv = ['simulate', '--update-url', url, '--interval', '1', '--quick', '--no-web', '--fault', 'offline=100%'];
    return runCommand(argv, { cwd: '.' });
  },
  PAGE_LISTEN_FAILED: async (t) => {
    const { port } = await startTestServer(t);
    const folder = await testFolder(t);
    return runCommand(['ui', '--no-open', '--port', String(port)], { cwd: folder.path });
  },
  ROLLOUT_NOT_FOUND: async (t) => {
    const { url, token, folder } = await startTestServer(t);
    const world = { cwd: folder, env: { OTA_SERVER: url, OTA_TOKEN: token } };
    await runCommand(['server', 'projects', 'set', 'door'], world);
    return runCommand(['server', 'rollouts', 'show', 'door'], world);
  },
  ROLLOUT_NOT_COMPLETE: async (t) => {
    const server = await startTestServer(t);
    await server.publish(await testBuild({ version: '1.0', project: 'door' }), { draft: true });
    const world = { cwd: server.folder, env: { OTA_SERVER: server.url, OTA_TOKEN: server.token } };
    const run = (...argv: string[]) => runCommand(['server', ...argv], world);
    await run('devices', 'enroll', 'door', '18:FE:34:AA:BB:CC');
    await run('rollouts', 'start', 'door', '1.0', '--stage', '100');
    await run('rollouts', 'abort', 'door', '--yes');
    return run('rollouts', 'watch', 'door');
  },
  TOKEN_NAME_AMBIGUOUS: async (t) => {
    const { url, token, folder } = await startTestServer(t);
    const run = (...argv: string[]) =>
      runCommand(['server', 'tokens', ...argv], { cwd: folder, env: { OTA_SERVER: url, OTA_TOKEN: token } });
    for (let count = 0; count < 2; count++) await run('create', '--name', 'ci');
    return run('revoke', 'ci', '--yes');
  },
  DEVICE_PROJECT_UNKNOWN: async (t) => {
    const { url, token } = await startTestServer(t);
    const folder = await testFolder(t, { 'table.csv': '18:FE:AA:AA:AA:BB,TEMP-1.0.0.bin' });
    const world = { cwd: folder.path, env: { OTA_SERVER: url, OTA_TOKEN: token } };
    return runCommand(['server', 'devices', 'import', 'table.csv'], world);
  },
  DEVICE_NAME_UNKNOWN: async (t) => (await lamps(t)).show('front-door'),
  DEVICE_NAME_AMBIGUOUS: async (t) => (await lamps(t)).show('lamp'),
  DEVICE_TABLE_INVALID: inFolder(
    `server devices import table.json --project door ${toServer}`,
    { 'table.json': '[1' },
    env,
  ),
} as const satisfies Record<string, Provocation>;
