/** Files that never end: every option that names a file rejects device files and pipes that are too long. */
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import test from 'ava';
import { runCli, startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { makeKeyPair } from '../../support/signed-file.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';

const run = promisify(execFile);
const kind = 'files that never end';
const { privateKey } = makeKeyPair();
const files = {
  'private.key': privateKey.export({ type: 'pkcs8', format: 'pem' }),
  'public.key': createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }),
  'door.bin': 'some bytes',
};

/** All options and arguments that name a file to read, with FILE in its place. */
const commands: readonly (readonly string[])[] = [
  ['inspect', 'FILE'],
  ['inspect', 'door.bin', '--public-key', 'FILE'],
  ['inspect', 'door.bin', '--config', 'FILE'],
  ['verify', 'FILE', '--public-key', 'public.key'],
  ['verify', 'door.bin', '--public-key', 'FILE'],
  ['sign', '--bin', 'FILE', '--private-key', 'private.key'],
  ['sign', '--bin', 'door.bin', '--private-key', 'FILE'],
  ['sign', '--manifest', 'FILE', '--private-key', 'private.key'],
  ['signing', '--mode', 'sign', '--privatekey', 'private.key', '--bin', 'FILE', '--out', 'out'],
  ['signing', '--mode', 'sign', '--privatekey', 'FILE', '--bin', 'door.bin', '--out', 'out'],
  ['signing', '--mode', 'header', '--publickey', 'FILE', '--out', 'out'],
  ['header', '--public-key', 'FILE', '--out', 'out.h'],
  ['pack', 'FILE', '--unsigned'],
  ['pack', 'door.bin', '--unsigned', '--public-key', 'FILE'],
  ['preflight', 'FILE'],
  ['preflight', 'door.bin', '--request', 'FILE'],
  ['upload', 'FILE', '--host', '127.0.0.1'],
  ['publish', '--reference', 'FILE', '--to', 'http://127.0.0.1:1'],
  ['espota', '-i', '127.0.0.1', '-f', 'FILE'],
  ['simulate', '--image', 'FILE'],
  ['simulate', '--public-key', 'FILE'],
  ['simulate', '--ca', 'FILE'],
  ['server', 'restore', 'FILE', '--data', 'data'],
  ['server', 'devices', 'import', 'FILE', '--project', 'door', '--server', 'http://127.0.0.1:1'],
  ['server', 'webhooks', 'add', '--events', 'rollout.halted', '--url-file', 'FILE', '--server', 'http://127.0.0.1:1'],
  ['serve', '--data', 'data', '--mqtt', 'mqtts://127.0.0.1:1', '--mqtt-ca', 'FILE'],
  ['server', 'releases', 'list', 'door', '--server', 'http://127.0.0.1:1', '--ca', 'FILE'],
];

test('every option that names a file rejects device files, sockets and pipes that are too long', async (t) => {
  const folder = await testFolder(t, files);
  const socket = createServer().listen(folder.at('socket'));
  t.teardown(() => socket.close());
  const accepted: string[] = [];
  for (const place of ['/dev/zero', '/dev/urandom', folder.at('socket'), 'FIFO']) {
    for (const [index, command] of commands.entries()) {
      const fifo = folder.at(`fifo-${index}`);
      const path = place === 'FIFO' ? fifo : place;
      const writer = place === 'FIFO' ? await endlessPipe(fifo) : undefined;
      const argv = command.map((word) => (word === 'FILE' ? path : word));
      const { error, exitCode } = await runCommand(argv, {
        cwd: folder.path,
        env: { OTA_TOKEN: 'x'.repeat(43) },
      });
      const isNamed = /it is a (device|socket|pipe), not a file|it is larger than 64 KB/.test(`${error?.message}`);
      if (exitCode === 0 || !isNamed) accepted.push(`${argv.join(' ')}: ${error?.message}`);
      writer?.kill();
    }
  }
  t.deepEqual(accepted, []);
  countAttacks({ kind, tried: 4 * commands.length, withstood: 4 * commands.length });
});

async function endlessPipe(fifo: string) {
  await run('mkfifo', [fifo]);
  const writer = execFile('sh', ['-c', 'exec yes >"$0"', fifo]);
  writer.on('error', () => undefined);
  return writer;
}

test('reads a key from a process substitution or from stdin', async (t) => {
  const folder = await testFolder(t, files);
  const expected = await runCommand(['sign', '--bin', 'door.bin', '--private-key', 'private.key', '--out', 'a'], {
    cwd: folder.path,
  });
  t.is(expected.exitCode, 0);
  const script = {
    substitution: 'exec "$@" --private-key <(cat private.key) --out "$0"',
    file: 'exec "$@" --private-key /dev/stdin --out "$0" <private.key',
    pipe: 'cat private.key | "$@" --private-key /dev/stdin --out "$0"',
  };
  for (const [how, text] of Object.entries(script)) {
    const under = ['bash', '-c', text, how];
    const { exitCode, stderr } = await startCli(['sign', '--bin', 'door.bin'], folder.path, {}, under);
    t.is(exitCode, 0, `${how}: ${stderr}`);
    t.deepEqual(await folder.read(how), await folder.read('a'), how);
  }
});

test('rejects a key that is a FIFO without a writer', async (t) => {
  const folder = await testFolder(t, files);
  await run('mkfifo', [folder.at('fifo')]);
  const { exitCode, stderr } = await runCli(['sign', '--bin', 'door.bin', '--private-key', 'fifo'], folder.path);
  t.is(exitCode, 1, stderr);
  t.regex(stderr, /the pipe did not end within 10 s/);
  countAttacks({ kind, tried: 1, withstood: 1 });
});

test('does not read pipes in a source tree beside the files that a user names', async (t) => {
  const folder = await testFolder(t, files);
  for (const name of ['door.bin.ota.json', 'door.bin.signed', 'build.options.json', 'ota.config.json', '.gitignore']) {
    await run('mkfifo', [folder.at(name)]);
  }
  for (const argv of [
    ['inspect', 'door.bin'],
    ['preflight', 'door.bin'],
    ['upload', 'door.bin', '--host', '127.0.0.1'],
    ['espota', '-i', '127.0.0.1', '-f', 'door.bin'],
  ]) {
    const { error } = await runCommand(argv, { cwd: folder.path });
    t.regex(`${error?.message}`, /it is a pipe, not a file/, argv.join(' '));
  }
  countAttacks({ kind, tried: 4, withstood: 4 });
});
