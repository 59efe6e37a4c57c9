/** Tests Ctrl-C during long-running commands in real processes: exit code 130, and no files left behind. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { packDoor } from '../publishing/packed-door.ts';
import { builtSketch, fullDoor } from '../support/built-sketch.ts';
import { caughtAtWork } from '../support/caught-at-work.ts';
import { listed, packedDoor, virtualDoor } from '../support/fleet.ts';
import { untilFiles } from '../support/folder-watch.ts';
import { endlessMs } from '../support/patience.ts';
import { startCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';

const image = 'build/door.ino.bin';

/** A device that stalls halfway through an update for longer than the host waits. */
const stalling: VirtualDeviceOptions = { faults: { transfer: { what: 'stall', at: 0.5, stallMs: endlessMs } } };

type Running = ReturnType<typeof startCli>;

/** A long-running command and how to detect that it is working. */
interface Long {
  readonly argv: readonly string[];
  readonly folder: TestFolder;
  readonly env?: Readonly<Record<string, string>>;
  readonly isAtWork: (run: Running) => Promise<unknown>;
  /** Files expected after the interruption; by default, the files that existed before the command started. */
  readonly leaves?: readonly string[];
  /** On some machines, the command may finish before the signal arrives. */
  readonly mayEnd?: boolean;
}

const cases: Readonly<Record<string, (t: ExecutionContext) => Promise<Long>>> = {
  'pack with zopfli': async (t) => {
    const folder = await builtSketch(t, { [`${image}.signed`]: 'stale' }, fullDoor);
    const isAtWork = () => untilFiles(folder, (names) => !names.includes(`${image}.signed`));
    const leaves = [image, 'build/door.ino.elf', 'private.key', 'public.key'];
    return { argv: ['pack', image, '--compression', 'zopfli'], folder, isAtWork, leaves, mayEnd: true };
  },
  'sign with zopfli': async (t) => {
    const folder = await builtSketch(t, { [`${image}.gz.signed`]: 'stale' }, fullDoor);
    const argv = ['sign', '--private-key', 'private.key', '--bin', image, '--compression', 'zopfli'];
    const leaves = [image, 'build/door.ino.elf', 'private.key', 'public.key'];
    const isAtWork = () => untilFiles(folder, (names) => !names.includes(`${image}.gz.signed`));
    return { argv, folder, isAtWork, leaves, mayEnd: true };
  },
  build: async (t) => {
    const folder = await testFolder(t, { 'door/door.ino': '', ...waiting });
    return {
      argv: ['build', '--source', 'door'],
      folder,
      env: await waitingPrograms(folder),
      isAtWork: says(/waiting/),
    };
  },
  'build with PlatformIO': async (t) => {
    const folder = await testFolder(t, { 'door/platformio.ini': '[env:d1]\nplatform = espressif8266\n', ...waiting });
    return {
      argv: ['build', '--source', 'door'],
      folder,
      env: await waitingPrograms(folder),
      isAtWork: says(/waiting/),
    };
  },
  doctor: async (t) => {
    const folder = await testFolder(t, { 'door/door.ino': '', ...waiting });
    const env = { ...(await waitingPrograms(folder)), HOME: folder.path };
    return { argv: ['doctor', '--source', 'door'], folder, env, isAtWork: says(/^running checks …$/m) };
  },
  upload: async (t) => {
    const device = await virtualDoor(t, stalling);
    const folder = await packedDoor(t, { door: listed(device) }, {}, fullDoor);
    return { argv: ['upload', image, '--all'], folder, isAtWork: says(/^door /m) };
  },
  espota: async (t) => {
    const device = await virtualDoor(t, stalling);
    const argv = ['espota', '-r', '-i', device.host, '-p', String(device.otaPort), '-f', image];
    return { argv, folder: await packedDoor(t, {}, {}, fullDoor), isAtWork: says(/^Uploading: [1-4]\d%$/m) };
  },
  publish: async (t) => {
    const server = await silentServer(t);
    const folder = await testFolder(t, await packDoor({ version: '1.0', board: 'd1_mini' }));
    const argv = ['publish', '.', '--to', server.url, '--project', 'door'];
    return { argv, folder, env: { OTA_TOKEN: 'token' }, isAtWork: () => server.contacted };
  },
  'server releases list': async (t) => {
    const server = await silentServer(t);
    const env = { OTA_TOKEN: 'token', OTA_SERVER: server.url };
    return {
      argv: ['server', 'releases', 'list', 'door'],
      folder: await testFolder(t),
      env,
      isAtWork: () => server.contacted,
    };
  },
  'server backup': async (t) => {
    const server = await silentServer(t);
    const env = { OTA_TOKEN: 'token', OTA_SERVER: server.url };
    const argv = ['server', 'backup', '--out', 'backup.ndjson'];
    return { argv, folder: await testFolder(t), env, isAtWork: () => server.contacted };
  },
  discover: async (t) => {
    const argv = ['discover', '--interface', '127.0.0.1', '--timeout', '600'];
    return { argv, folder: await testFolder(t), isAtWork: says(/^listening for devices …$/m) };
  },
  simulate: async (t) => ({
    argv: ['simulate', '--quick'],
    folder: await testFolder(t),
    isAtWork: says(/ready/),
  }),
};

for (const [name, make] of Object.entries(cases)) {
  test(`${name} exits with 130 on Ctrl-C, prints JSON if it is requested, and leaves no files behind`, async (t) => {
    const { run, before, after } = await caughtAtWork(async () => {
      const { argv, folder, env, isAtWork, leaves, mayEnd = false } = await make(t);
      const before = leaves ?? (await folder.list());
      const running = startCli([...argv, ...(streams.includes(name) ? [] : ['--json'])], folder.path, env);
      t.teardown(() => running.kill('SIGKILL'));
      await Promise.race([isAtWork(running), mayEnd ? running : endedEarly(running)]);
      running.kill('SIGINT');
      const run = await running;
      if (mayEnd && run.exitCode === 0) return undefined;
      return { run, before, after: await folder.list() };
    });
    t.is(run.exitCode, 130, `${run.signal} ${run.stderr}`);
    t.notRegex(run.stderr, /A bug of|^ {4}at /m);
    t.deepEqual(after, [...before]);
    if (streams.includes(name)) return;
    const document = JSON.parse(run.stdout);
    // The doctor prints the results of the checks that it stopped.
    if (name !== 'doctor') t.like(document.error, { code: 'INTERRUPTED', exitCode: 130 });
  });
}

/** Commands that print one JSON object a line while they run, of which none is a failure. */
const streams: readonly string[] = ['simulate'];

test('serve closes its data files and exits with 130 on Ctrl-C', async (t) => {
  const folder = await testFolder(t);
  const run = startCli(['serve', '--data', 'data', '--listen', '127.0.0.1:0', '--json'], folder.path);
  t.teardown(() => run.kill('SIGKILL'));
  await once(run.stdout, 'data');
  run.kill('SIGINT');
  const { exitCode, stdout } = await run;
  t.is(exitCode, 130);
  t.regex(stdout, /\{"event":"stopped"\}\n$/);
  t.deepEqual(
    (await folder.list()).filter((name) => /-(?:wal|shm)$|\.tmp$/.test(name)),
    [],
  );
});

test('keygen --bits 4096 exits with 130 on Ctrl-C and leaves both key files or neither', async (t) => {
  const folder = await testFolder(t);
  // The duration of the prime search varies: some pairs are complete before the signal arrives.
  const exitCode = await caughtAtWork(async (attempt) => {
    const argv = ['keygen', '--bits', '4096', '--private-key', `${attempt}.key`, '--public-key', `${attempt}.pub`];
    const run = startCli(argv, folder.path);
    await Promise.race([says(/^generating a key of 4096 bits …$/m)(run), run]);
    run.kill('SIGINT');
    const ended = await run;
    const files = (await folder.list()).filter((file) => file.startsWith(`${attempt}.`));
    t.not(files.length, 1);
    return ended.exitCode === 0 ? undefined : ended.exitCode;
  });
  t.is(exitCode, 130);
});

test('server restore exits with 130 on Ctrl-C and can be repeated', async (t) => {
  const lines = Array.from({ length: 400 }, () => {
    const bytes = randomBytes(100_000);
    return { blob: createHash('sha256').update(bytes).digest('hex'), base64: bytes.toString('base64') };
  });
  const all = [{ backup: 'ota-hooks', format: 1, tool: '0' }, ...lines, { end: true, lines: lines.length + 1 }];
  const folder = await testFolder(t, { 'backup.ndjson': all.map((line) => `${JSON.stringify(line)}\n`).join('') });
  const { run, argv } = await caughtAtWork(async (attempt) => {
    const data = `data-${attempt}`;
    const argv = ['server', 'restore', 'backup.ndjson', '--data', data];
    const running = startCli(argv, folder.path);
    const begun = untilFiles(folder, (names) => names.some((name) => name.startsWith(`${data}/blobs/`)));
    await Promise.race([begun, running]);
    running.kill('SIGINT');
    const run = await running;
    return run.exitCode === 0 ? undefined : { run, argv };
  });
  t.is(run.exitCode, 130, run.stderr);
  t.is((await runCommand(argv, { cwd: folder.path })).exitCode, 0);
});

/** Fake build tool that never exits on its own. */
const waiting = { 'wait.mjs': '#!/usr/bin/env node\nconsole.error("waiting");\nsetInterval(() => undefined, 1000);\n' };

async function waitingPrograms(folder: TestFolder): Promise<Readonly<Record<string, string>>> {
  await chmod(folder.at('wait.mjs'), 0o755);
  return { ARDUINO_CLI: folder.at('wait.mjs'), PLATFORMIO_CLI: folder.at('wait.mjs') };
}

/** A server that accepts every connection and never responds. */
async function silentServer(
  t: ExecutionContext,
): Promise<{ readonly url: string; readonly contacted: Promise<unknown> }> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const contacted = once(server, 'connection').then(([socket]) => {
    t.teardown(() => socket.destroy());
    return once(
      socket.on('error', () => undefined),
      'data',
    );
  });
  return { url: `http://127.0.0.1:${address.port}`, contacted };
}

function says(words: RegExp) {
  return (run: Running): Promise<true> =>
    new Promise((done) => {
      let said = '';
      run.stderr.on('data', (chunk) => {
        said += chunk;
        if (words.test(said)) done(true);
      });
    });
}

async function endedEarly(run: Running): Promise<never> {
  const { exitCode, stderr } = await run;
  throw new Error(`the command ended before the signal, with exit code ${exitCode}: ${stderr}`);
}
