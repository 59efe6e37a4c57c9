import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import type { Io } from '../../../src/cli/io.ts';
import { filteredOutput } from '../../../src/cli/output/terminal-text.ts';
import { makeProgram } from '../../../src/cli/program.ts';
import { syntheticSketch } from '../../../src/simulator/index.ts';
import { bareHost, bareUpload, md5 } from '../../simulator/bare-host.ts';
import { patienceMs } from '../../support/patience.ts';
import { startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { makeKeyPair, signFile } from '../../support/signed-file.ts';
import { testFolder } from '../../support/test-folder.ts';

const key = makeKeyPair();
const keyed = syntheticSketch({ sizeBytes: 50_000, seed: 3, publicKey: key.publicKey });

async function folderOf(t: ExecutionContext): Promise<string> {
  return (await testFolder(t, { 'door.bin': keyed })).path;
}

/** Runs `simulate --json` and returns its events one by one until the test stops the command. */
async function simulation(t: ExecutionContext, argv: readonly string[], cwd = '.', env = {}) {
  const abort = new AbortController();
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  const io: Io = {
    cwd,
    env,
    fancy: false,
    fancyStdout: false,
    stdout: filteredOutput((text) => {
      lines.push(text);
      wake();
    }),
    stderr: filteredOutput((text) => t.log(text)),
    signal: abort.signal,
    promptSecret: undefined,
    prompt: undefined,
    platform: process.platform,
    userId: process.geteuid?.(),
    home: cwd,
    self: { node: process.execPath, cli: 'ota-hooks' },
  };
  const all = ['simulate', '--json', '--quick', ...argv];
  const done = (await makeProgram(io, all)).parseAsync(all, { from: 'user' });
  done.catch(() => wake());
  return {
    done,
    async event(): Promise<Record<string, unknown>> {
      for (let line = lines.shift(); ; line = lines.shift()) {
        if (line !== undefined) return JSON.parse(line);
        const woken = new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('no event')), patienceMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        await woken;
      }
    },
    async end() {
      abort.abort();
      await done;
    },
  };
}

test('simulate --json prints ready, update and boot events, one per line', async (t) => {
  const running = await simulation(t, ['--image', 'door.bin', '--no-public-key'], await folderOf(t));
  const ready = await running.event();
  t.like(ready, { event: 'ready' });
  t.deepEqual(Object.keys(ready), ['event', 'mac', 'otaPort', 'webPort']);
  const next = syntheticSketch({ sizeBytes: 40_000, seed: 4 });
  await bareUpload(t, { otaPort: Number(ready['otaPort']) }, next);
  const { mac } = ready;
  t.deepEqual(await running.event(), { event: 'update', mac, transport: 'espota', verdict: 'accepted', error: null });
  t.deepEqual(await running.event(), { event: 'boot', mac, sketchMd5: md5(next) });
  await running.end();
});

test('simulate --image verifies signatures with the key in the image, as a real device does', async (t) => {
  const running = await simulation(t, ['--image', 'door.bin', '--core', '2.7.4', '--no-web'], await folderOf(t));
  const device = { otaPort: Number((await running.event())['otaPort']) };
  const next = syntheticSketch({ sizeBytes: 40_000, seed: 4 });
  await bareUpload(t, device, next);
  t.like(await running.event(), { verdict: 'rejected', error: 'ERROR[12]: Signature verification failed' });
  await bareUpload(t, device, signFile(next, key.privateKey, 'current'));
  t.like(await running.event(), { verdict: 'accepted' });
  t.like(await running.event(), { event: 'boot', sketchMd5: md5(next) });
  await running.end();
});

test('simulate --public-key takes precedence over the key in the image', async (t) => {
  const other = makeKeyPair();
  const folder = await testFolder(t, { 'door.bin': keyed, 'other.key': other.publicKey.pem });
  const running = await simulation(t, ['--image', 'door.bin', '--public-key', 'other.key', '--no-web'], folder.path);
  const device = { otaPort: Number((await running.event())['otaPort']) };
  const next = syntheticSketch({ sizeBytes: 40_000, seed: 4 });
  await bareUpload(t, device, signFile(next, key.privateKey, 'current'));
  t.like(await running.event(), { verdict: 'rejected' });
  await bareUpload(t, device, signFile(next, other.privateKey, 'current'));
  t.like(await running.event(), { verdict: 'accepted' });
  await running.end();
});

test('simulate reports why an update was rejected and why a device was bricked', async (t) => {
  const folder = await testFolder(t, { 'public.key': key.publicKey.pem });
  const running = await simulation(t, ['--public-key', 'public.key', '--core', '2.7.4', '--no-web'], folder.path);
  const ready = await running.event();
  const device = { otaPort: Number(ready['otaPort']) };
  t.is(ready['webPort'], undefined);
  await bareUpload(t, device, keyed);
  t.like(await running.event(), { verdict: 'rejected', error: 'ERROR[12]: Signature verification failed' });
  const spoilt = keyed.slice();
  spoilt.fill(0x55, 30_000, 30_001);
  await bareUpload(t, device, signFile(spoilt, key.privateKey, 'current'));
  t.like(await running.event(), { verdict: 'accepted' });
  t.like(await running.event(), { event: 'bricked', reason: 'not-loadable' });
  const error = await t.throwsAsync(running.done, { code: 'SIMULATOR_ALL_OFFLINE' });
  t.is(error?.message, 'The simulated device is offline: not-loadable');
});

test('simulate continues while one device is left, and ends with an error when all are offline', async (t) => {
  const options = ['--image', 'door.bin', '--no-public-key', '--no-web', '--count', '2', '--fault', 'offline=100%'];
  const running = await simulation(t, options, await folderOf(t));
  const ports = [await running.event(), await running.event()].map((ready) => Number(ready['otaPort']));
  for (const otaPort of ports) {
    await bareUpload(t, { otaPort }, syntheticSketch({ sizeBytes: 40_000, seed: 4 }));
    t.like(await running.event(), { verdict: 'accepted' });
    t.like(await running.event(), { event: 'bricked', reason: 'injected-fault' });
  }
  const error = await t.throwsAsync(running.done, { code: 'SIMULATOR_ALL_OFFLINE' });
  t.is(error?.message, 'All 2 simulated devices are offline: injected-fault');
});

test('simulate --count starts devices with unique ports and MAC addresses', async (t) => {
  const running = await simulation(t, ['--count', '5', '--random-faults', '--seed', '7']);
  const all = [];
  for (let count = 0; count < 5; count++) all.push(await running.event());
  for (const name of ['mac', 'otaPort', 'webPort']) t.is(new Set(all.map((event) => event[name])).size, 5);
  await running.end();
});

test('simulate reads the password from the environment and applies --fault', async (t) => {
  const options = ['--password-env', 'OTA_PASSWORD', '--fault', 'udp-drop-first=1'];
  const running = await simulation(t, options, '.', { OTA_PASSWORD: 'secret' });
  const host = await bareHost(t, { otaPort: Number((await running.event())['otaPort']) });
  host.send(`0 ${host.port} 9 ${md5('')}\n`);
  t.true(await host.isSilent());
  host.send(`0 ${host.port} 9 ${md5('')}\n`);
  t.regex(await host.heard(), /^AUTH /);
  await running.end();
});

const mistakes: Record<string, readonly string[]> = {
  'Core 1.0 cannot be simulated: it is unknown': ['--core', '1.0'],
  '--layout 5m: must be a linker script such as 4m2m, or a filesystem range such as 0x200000-0x3fa000': [
    '--layout',
    '5m',
  ],
  '--flash-mode duo: must be qio, qout, dio or dout': ['--flash-mode', 'duo'],
  '--chip-size 4: must be a size from 256k to 16M': ['--chip-size', '4'],
  '--chip-size big: must be a size such as 512k, 4M or 0x400000': ['--chip-size', 'big'],
  '--fault rain: must be a fault such as reset@50%': ['--fault', 'rain'],
  '--update-url ftp://x/: must be an http or https URL': ['--update-url', 'ftp://x/'],
  '--rtt fast: must be a non-negative number of milliseconds': ['--rtt', 'fast'],
  '--window 0: must be a positive integer': ['--window', '0'],
  '--interval 0: must be a positive number of seconds, at most 86400': ['--interval', '0'],
  '--count 0: must be a positive integer': ['--count', '0'],
  '--ota-port 65536: must be an integer from 0 to 65535': ['--ota-port', '65536'],
  '--ota-port 65535: must leave room for 2 ports up to 65535': ['--count', '2', '--ota-port', '65535'],
  '--update-mode eeprom: must be sketch, filesystem or version': ['--update-mode', 'eeprom'],
  'The simulator cannot listen on 192.0.2.1: the address does not belong to this machine (EADDRNOTAVAIL)': [
    '--host',
    '192.0.2.1',
  ],
};

for (const [message, argv] of Object.entries(mistakes)) {
  test(`simulate rejects ${argv.join(' ')}: ${message}`, async (t) => {
    const { exitCode, error } = await runCommand(['simulate', ...argv], { cwd: '.' });
    t.is(error?.message, message);
    t.is(exitCode, 2);
  });
}

test('simulate rejects compressed images, files without a sketch and invalid manifests', async (t) => {
  const { gzipSync } = await import('node:zlib');
  const folder = await testFolder(t, { 'a.gz': gzipSync(keyed), 'a.txt': 'no sketch', 'bad.json': '{}' });
  for (const [file, code] of [
    ['a.gz', 'IMAGE_COMPRESSED'],
    ['a.txt', 'IMAGE_WRONG_KIND'],
  ] as const) {
    const { error } = await runCommand(['simulate', '--image', file], { cwd: folder.path });
    t.is(error?.code, code);
  }
  const { error } = await runCommand(['simulate', '--manifest', 'bad.json'], { cwd: folder.path });
  t.is(error?.code, 'MANIFEST_INVALID');
});

test('simulate prints text to stderr and exits with 130 on Ctrl-C', async (t) => {
  const child = startCli(['simulate', '--count', '2', '--quick'], '.');
  let lines = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    t.regex(line, /^5C:CF:7F:\S+ {2}ready: espota on UDP 127\.0\.0\.1:\d+, web updater http:\/\/127\.0\.0\.1:\d+$/);
    if (++lines === 2) child.kill('SIGINT');
  }
  t.like(await child, { exitCode: 130, stdout: '' });
});
