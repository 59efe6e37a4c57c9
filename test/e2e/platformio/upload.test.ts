import { chmod, readFile, rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { quickTimings, startVirtualDevice, type VirtualDevice } from '../../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../../src/simulator/options.ts';
import { startFormServer } from '../../support/form-servers.ts';
import { cli, environment, type KeyPair, makeKeys, makeProject, type Project, placeKeys } from './project.ts';

const keys = makeKeys();
const lockedOut = 'a-password-of-this-test';

/** Starts a device that was built with this public key. */
async function startDevice(
  t: ExecutionContext,
  { publicKey }: KeyPair,
  options: VirtualDeviceOptions = {},
): Promise<VirtualDevice> {
  const key = readPublicKey(publicKey, 'the key of the test');
  const device = await startVirtualDevice({
    image: { sizeBytes: 64 * 1024, publicKey: key },
    publicKey: key,
    timings: quickTimings,
    ...options,
  });
  t.teardown(() => device.close());
  return device;
}

async function projectFor(t: ExecutionContext, device: VirtualDevice, ...lines: string[]): Promise<Project> {
  const project = await makeProject(t, {
    lines: ['upload_protocol = espota', 'upload_port = 127.0.0.1', `upload_flags = --port=${device.otaPort}`, ...lines],
  });
  await placeKeys(project, keys);
  return project;
}

function verdictsOf(device: VirtualDevice): string[] {
  return device.events.past.flatMap((event) => (event.event === 'update' ? [event.verdict] : []));
}

test.serial(
  '`upload` sends the signed image with ota-hooks instead of espota.py, and the device runs it',
  async (t) => {
    const device = await startDevice(t, keys);
    const project = await projectFor(t, device);
    const run = await project.run('-t', 'upload');
    t.is(run.exitCode, 0, run.output);
    t.deepEqual(run.started, ['header', 'pack', 'upload']);
    t.regex(run.output, /sending firmware\.bin\.signed/);
    t.notRegex(run.output, /espota would send/);
    if (device.state.restarts === 0 || device.state.phase !== 'running')
      await device.nextEvent(({ event }) => event === 'boot', 5000);
    const { image } = JSON.parse(await readFile(project.built('firmware.bin.ota.json'), 'utf8'));
    t.true(image.sketchMd5s.some(({ md5 }: { md5: string }) => md5 === device.state.sketchMd5));
  },
);

test.serial('`upload` fails when the device rejects the image or preflight blocks it', async (t) => {
  const device = await startDevice(t, makeKeys());
  const project = await projectFor(t, device);
  const failed = await project.run('-t', 'upload');
  t.is(failed.exitCode, 1);
  t.regex(failed.output, /rejected: ERROR\[12\]/);

  const { fingerprint } = readPublicKey(keys.publicKey, 'the key');
  const facts = { core: '2.7.4', signing: 'required', keyFingerprint: `${fingerprint.slice(1)}0` };
  await project.write('ota.config.json', JSON.stringify({ devices: { door: { address: '127.0.0.1', facts } } }));
  const refused = await project.run('-t', 'upload');
  t.is(refused.exitCode, 1);
  t.regex(refused.output, /is blocked by wrong-key/);
  t.deepEqual(verdictsOf(device), ['rejected']);
});

test.serial(
  'passes a password from upload_flags in the environment, and key secrets only to header and pack',
  async (t) => {
    const device = await startDevice(t, keys, { password: lockedOut });
    const project = await projectFor(t, device, `  --auth=${lockedOut}`, '  --host_port=48267');
    const log = project.path('processes.log');
    // A Node.js wrapper that logs its arguments and environment.
    await project.write(
      'node.cjs',
      `#!${process.execPath}
const { env, argv } = process;
require('node:fs').appendFileSync(${JSON.stringify(log)}, JSON.stringify({ argv: argv.slice(3), env }) + '\\n');
const done = require('node:child_process').spawnSync(process.execPath, argv.slice(2), { stdio: 'inherit' });
process.exit(done.status ?? 1);
`,
    );
    await chmod(project.path('node.cjs'), 0o755);
    await project.write(
      'ota.config.yaml',
      'privateKey:\n  env: OTA_PRIVATE_KEY_DOOR # from the vault\npassphrase: { env: "OTA_PASSPHRASE_DOOR" }\n',
    );
    await rm(project.path('private.key'));
    const secrets = { OTA_PRIVATE_KEY_DOOR: keys.privateKey, OTA_PASSPHRASE_DOOR: 'unused' };
    const run = await project.runWith({ OTA_NODE: project.path('node.cjs'), ...secrets }, '-t', 'upload');
    t.is(run.exitCode, 0, run.output);
    t.false(run.output.includes(lockedOut));
    t.deepEqual(verdictsOf(device), ['accepted']);

    const processes = (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const names = processes.map(({ argv }) => argv[0]);
    t.true(names.includes('pack') && names.at(-1) === 'upload');
    for (const { argv, env } of processes) {
      t.false(JSON.stringify(argv).includes(lockedOut));
      const mayHoldSecrets = ['header', 'pack'].includes(argv[0]);
      t.is('OTA_PRIVATE_KEY_DOOR' in env, mayHoldSecrets, argv[0]);
      t.is('OTA_PASSPHRASE_DOOR' in env, mayHoldSecrets, argv[0]);
    }
  },
);

test.serial('passwords in upload_flags need no quotes or escapes, and --timeout is accepted', async (t) => {
  const passwords = ["it's", 'a"b', 'pa ss', '$HOME', '50%', 'Tür', 'pass --port'];
  const lines = [
    "--auth=it's --timeout=20",
    '-t 20 -a a"b',
    '--auth=pa ss',
    '--auth=$HOME',
    '--auth=50%%',
    `--auth=\${sysenv.DOOR_PASSWORD}`,
    '--auth="pass --port"',
  ];
  const devices = await Promise.all(passwords.map((password) => startDevice(t, keys, { password })));
  const sections = devices.map((device, index) =>
    [`[env:e${index}]`, 'upload_flags =', `  ${lines[index]}`, `  --port=${device.otaPort}`].join('\n'),
  );
  const shared = ['[env]', ...environment, 'upload_protocol = espota', 'upload_port = 127.0.0.1'];
  const project = await makeProject(t, { ini: [...shared, ...sections].join('\n') });
  await placeKeys(project, keys);
  const env = { DOOR_PASSWORD: 'Tür', PLATFORMIO_BUILD_CACHE_DIR: project.path('cache') };
  const run = await project.runWith(env, '-t', 'upload');
  t.is(run.exitCode, 0, run.output);
  t.deepEqual(
    devices.map(verdictsOf),
    passwords.map(() => ['accepted']),
  );
  t.notRegex(run.output, /Traceback/);
});

test.serial('reports a password line that PlatformIO ignores because it is not indented', async (t) => {
  const device = await startDevice(t, keys, { password: lockedOut });
  const project = await projectFor(t, device, `--auth=${lockedOut}`);
  const run = await project.run('-t', 'upload');
  t.is(run.exitCode, 1);
  t.regex(run.output, /PlatformIO ignores the line --auth in platformio\.ini, because it is not indented/);
  t.deepEqual(verdictsOf(device), []);
});

test.serial('`uploadfs` sends the signed filesystem image', async (t) => {
  const device = await startDevice(t, keys);
  const project = await projectFor(t, device);
  await project.write('data/index.html', '<h1>Hello</h1>\n');
  const run = await project.run('-t', 'uploadfs');
  t.regex(run.output, /sending littlefs\.bin\.signed/, run.output);
  t.is(run.exitCode, 0, run.output);
  t.deepEqual(verdictsOf(device), ['accepted']);
  t.deepEqual(run.started.at(-1), 'upload');
});

test.serial('`ota-send` uploads to all devices in the configuration', async (t) => {
  const [one, two] = [await startDevice(t, keys), await startDevice(t, keys)];
  const project = await makeProject(t);
  await placeKeys(project, keys);
  const devices = {
    one: { address: '127.0.0.1', port: one.otaPort },
    two: { address: '127.0.0.1', port: two.otaPort },
  };
  await project.write('ota.config.json', JSON.stringify({ devices }));
  const listed = await project.run('--list-targets');
  t.regex(listed.output, /Custom +ota-send +OTA: Send/);
  const run = await project.run('-t', 'ota-send');
  t.is(run.exitCode, 0, run.output);
  t.deepEqual([...verdictsOf(one), ...verdictsOf(two)], ['accepted', 'accepted']);

  await project.write('ota.config.json', JSON.stringify({ devices: { one: devices.one } }));
  const again = await project.run();
  t.deepEqual(again.started, [], 'a change to the configured devices does not cause new signatures');
});

test.serial(
  'does not change a project with its own upload settings and rejects unknown values and flags',
  async (t) => {
    const device = await startDevice(t, keys);
    for (const line of ['custom_ota_upload = no', 'upload_command = echo own uploader of $SOURCE']) {
      const project = await projectFor(t, device, line);
      const run = await project.run('-t', 'upload');
      t.false(run.started.includes('upload'), line);
    }
    const misspelt = await projectFor(t, device, 'custom_ota_upload = nope');
    t.regex((await misspelt.run('-t', 'upload')).output, /invalid value in platformio\.ini: custom_ota_upload = nope/);
    const unknown = await projectFor(t, device, '  --fast');
    t.regex((await unknown.run('-t', 'upload')).output, /unknown option in upload_flags: --fast/);
    t.deepEqual(verdictsOf(device), []);
  },
);

const customWarning =
  /warning: the custom upload command sends firmware\.bin, not the signed artifact \(firmware\.bin\.signed/;

async function customProject(t: ExecutionContext, ...lines: string[]): Promise<Project> {
  const project = await makeProject(t, { lines: ['upload_protocol = custom', ...lines] });
  await placeKeys(project, keys);
  return project;
}

test.serial('warns before a custom upload command that does not send the signed artifact', async (t) => {
  const own = await customProject(t, 'upload_command = echo own $SOURCE');
  t.regex((await own.run('-t', 'upload')).output, customWarning);
  for (const command of ['echo $SOURCE .signed', 'echo ota-hooks upload $SOURCE', 'echo esptool $SOURCE']) {
    const project = await customProject(t, `upload_command = ${command}`);
    t.notRegex((await project.run('-t', 'upload')).output, /custom upload command/, command);
  }
  const unsigned = await customProject(t, 'upload_command = echo own $SOURCE');
  for (const name of ['public.key', 'private.key']) await unsigned.remove(name);
  t.notRegex((await unsigned.run('-t', 'upload')).output, /custom upload command/);
});

test.serial('warns before a script that replaces the upload command', async (t) => {
  const project = await customProject(t);
  const ini = await readFile(project.path('platformio.ini'), 'utf8');
  await project.write('platformio.ini', ini.replace(/^extra_scripts = .*$/m, '$&, post:uploader.py'));
  const script = 'Import("env")\nenv.Replace(UPLOADCMD=lambda source, target, env: print("own", source[0]))\n';
  await project.write('uploader.py', script);
  t.regex((await project.run('-t', 'upload')).output, customWarning);
});

test.serial('the documented upload_command sends the signed artifact through the form of ElegantOTA', async (t) => {
  const server = await startFormServer(t, 'elegantota');
  const address = `127.0.0.1:${server.webPort}`;
  const command = `"${process.execPath}" "${cli}" upload "$SOURCE" --host ${address} --preset elegantota`;
  const project = await customProject(t, `upload_command = ${command}`);
  const run = await project.run('-t', 'upload');
  t.is(run.exitCode, 0, run.output);
  t.notRegex(run.output, /custom upload command/);
  t.is(server.installed[0]?.image.compare(await readFile(project.built('firmware.bin.signed'))), 0);
});
