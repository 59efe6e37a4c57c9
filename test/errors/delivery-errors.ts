import { plan } from '../../src/core/preflight/index.ts';
import { deliverByWeb } from '../../src/delivery/web/deliver.ts';
import { type Reply, scriptedServer } from '../api/client/scripted-server.ts';
import { folderWith, packDoor, packedDoor } from '../publishing/packed-door.ts';
import { builtSketch, door } from '../support/built-sketch.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { listed, packedDoor as packedProject, virtualDoor } from '../support/fleet.ts';
import { buildLittleFs } from '../support/littlefs-builder.ts';
import { logIn } from '../support/log-in.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { inFolder, type Provocation } from './provocation.ts';

const env = { OTA_TOKEN: 'token-of-the-tests' };
const toFolder = ['--to', './www', '--project', 'door'];

/** Publishes a build to a web server folder. */
function publish(build: Readonly<Record<string, Uint8Array>>): Provocation {
  return async (t) => {
    const { path } = await folderWith(t, { build }, { 'www/index.html': '' });
    return runCommand(['publish', 'build', ...toFolder], { cwd: path });
  };
}

/** Publishes to a server that sends this response to every request. */
function publishTo(reply: Reply): Provocation {
  return async (t) => {
    const { path } = await folderWith(t, { build: packedDoor });
    const { url } = await scriptedServer(t, () => reply);
    return runCommand(['publish', 'build', '--to', url.href, '--project', 'door'], { cwd: path, env });
  };
}

/** Provokes each error about publishing, devices and the network. */
export const deliveryErrors = {
  ARGUMENT_INVALID: async (t) => {
    // A caller without types, for example in JavaScript.
    const facts = { cor: '3.1.2' } as object;
    return { error: await expectOtaError(t, 'ARGUMENT_INVALID', () => plan({ facts, target: {} as never })) };
  },
  DESTINATION_AMBIGUOUS: inFolder('publish door.bin --to github --project door'),
  DESTINATION_MISSING: inFolder('server projects list'),
  SERVER_URL_INVALID: inFolder('server projects list --server ota.example.com', {}, env),
  TOKEN_INVALID: inFolder('server projects list --server https://ota.example.com', {}, { OTA_TOKEN: 'two words' }),
  SERVER_REQUIRED: async (t) => {
    const { path } = await folderWith(t, { build: packedDoor }, { 'www/index.html': '' });
    return runCommand(['publish', 'build', ...toFolder, '--draft'], { cwd: path });
  },
  MANIFEST_MISSING: inFolder('publish door.bin --to ./www --project door', {
    'door.bin': door.bin,
    'www/index.html': '',
  }),
  NOT_SIGNED_YET: async (t) => {
    const unsigned = await packDoor({ version: '1.0.0', argv: ['--unsigned', '--public-key', 'public.key'] });
    return publish(unsigned)(t);
  },
  PRIVATE_KEY_INSIDE: async (t) => {
    const image = buildLittleFs({ blockCount: 16, content: Buffer.from(door.privatePem) });
    const folder = await testFolder(t, { 'public.key': door.publicPem, 'littlefs.bin': image });
    return runCommand(['pack', 'littlefs.bin', '--kind', 'filesystem', '--unsigned'], { cwd: folder.path });
  },
  NAME_MISMATCH: async (t) => {
    const { path } = await folderWith(t, { build: packedDoor }, { 'www/index.html': '' });
    return runCommand(['publish', 'build', ...toFolder, '--firmware-version', '2.0.0'], { cwd: path });
  },
  RELEASES_CLASH: async (t) => {
    const other = await packDoor({ version: '2.0.0', file: 'other.ino.bin' });
    return publish({ ...packedDoor, ...other })(t);
  },
  VERSION_TAKEN: async (t) => {
    const other = await packDoor({ version: '1.0.0', board: 'd1_mini', network: 'other' });
    const { path } = await folderWith(t, { build: packedDoor, other }, { 'www/index.html': '' });
    await runCommand(['publish', 'build', ...toFolder], { cwd: path });
    return runCommand(['publish', 'other', ...toFolder], { cwd: path });
  },
  PUBLISH_AFTER_BUILD_FAILED: async (t) => {
    const config = { project: 'door', version: '1', publish: { to: './www', afterBuild: true } };
    const folder = await builtSketch(t, {
      'ota.config.json': JSON.stringify(config),
      // Replaces the CLI that the hook starts.
      'cli.mjs': 'process.exitCode = 1',
    });
    const world = { cwd: folder.path, cli: folder.at('cli.mjs') };
    await runCommand(['pack', 'build/door.ino.bin'], world);
    return runCommand(['publish', 'build/door.ino.bin', '--after-build'], world);
  },
  LOGIN_NOT_CHOSEN: async (t) => {
    const config = JSON.stringify({ project: 'door', publish: { to: 'https://ota.example.com' } });
    const { path } = await folderWith(t, { build: packedDoor }, { 'ota.config.json': config });
    await logIn(path, 'https://ota.example.com', 'token-of-the-tests');
    return runCommand(['publish', 'build'], { cwd: path });
  },
  TOKEN_UNBOUND: async (t) => {
    const config = JSON.stringify({ project: 'door', publish: { to: 'https://ota.example.com' } });
    const { path } = await folderWith(t, { build: packedDoor }, { 'ota.config.json': config });
    return runCommand(['publish', 'build'], { cwd: path, env });
  },
  SERVER_REDIRECTS: publishTo({ status: 301, text: '', headers: { Location: 'https://ota.example.com/' } }),
  SERVER_NOT_OURS: publishTo({ status: 200, text: '<html>welcome</html>' }),
  SERVER_UNREACHABLE: async (t) => {
    const { path } = await folderWith(t, { build: packedDoor });
    const { url } = await scriptedServer(t, () => 'silence');
    // A connection to a server without TLS fails immediately; a connection to a closed port would be retried for a while.
    return runCommand(['publish', 'build', '--to', `https://${url.host}`, '--project', 'door'], { cwd: path, env });
  },
  PROXY_UNUSABLE: async (t) => {
    // Servers on this machine are never reached through a proxy, so the variable affects no other test.
    process.env['HTTPS_PROXY'] = 'socks5://proxy.example.com';
    const { path } = await folderWith(t, { build: packedDoor });
    return runCommand(['publish', 'build', '--to', 'https://ota.example.com', '--project', 'door'], { cwd: path, env });
  },

  INVENTORY_EMPTY: inFolder('upload door.bin --all'),
  GROUP_EMPTY: inFolder('upload door.bin --group hall', {
    'ota.config.json': '{"devices": {"door": {"address": "127.0.0.1"}}}',
  }),
  UPDATE_PATH_INVALID: async (t) => ({
    error: await expectOtaError(t, 'UPDATE_PATH_INVALID', () =>
      deliverByWeb({ host: '127.0.0.1', path: '/up date' }, door.bin, { kind: 'sketch' }),
    ),
  }),
  SIGNED_FILE_STALE: inFolder('espota -i 127.0.0.1 -f door.bin', { 'door.bin': door.bin, 'door.bin.signed': 'old' }),
  // No machine has this address: it is reserved for documentation.
  UPLOAD_LISTEN_FAILED: inFolder('espota -i 127.0.0.1 -I 192.0.2.1 -f door.bin', { 'door.bin': door.bin }),
  CORE_UNKNOWN: inFolder('simulate --core 1.6.5'),
  BUILD_AMBIGUOUS: async (t) => {
    const folder = await packedProject(t, { door: { address: '127.0.0.1' } });
    const manifest = JSON.parse(await folder.text('build/door.ino.bin.ota.json'));
    const image = { ...manifest.image, sha256: 'ab'.repeat(32) };
    await folder.write('other/door.ino.bin.ota.json', JSON.stringify({ ...manifest, image }));
    return runCommand(['upload', '--host', 'door'], { cwd: folder.path });
  },
  UPLOAD_FAILED: async (t) => {
    const device = await virtualDoor(t, { password: 'secret' });
    const { path } = await packedProject(t, { door: listed(device) });
    const world = { cwd: path, env: { DOOR_PASSWORD: 'wrong' } };
    return runCommand(['upload', '--host', 'door', '--password-env', 'DOOR_PASSWORD'], world);
  },
  PASSWORD_NOT_PROMPTED: async (t) => {
    const { path } = await packedProject(t, { door: { address: '127.0.0.1', password: { prompt: true } } });
    return runCommand(['upload', '--host', 'door'], { cwd: path });
  },
  // No machine has this address: it is reserved for documentation.
  DISCOVERY_UNAVAILABLE: inFolder('discover --interface 192.0.2.1'),
  DEVICE_NOT_ADDED: async (t) => {
    const { path } = await testFolder(t, { 'ota.config.json': '{"devices": {"door": {"address": "127.0.0.1"}}}' });
    const argv = ['discover', '--add', 'door', '--interface', '127.0.0.1', '--timeout', '0.1'];
    return runCommand(argv, { cwd: path });
  },
} as const satisfies Record<string, Provocation>;
