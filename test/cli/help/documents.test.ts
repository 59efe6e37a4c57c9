import test from 'ava';
import { documents } from '../../../src/cli/output/documents/registry.ts';
import { builtSketch, door } from '../../support/built-sketch.ts';
import { listed, packedDoor, virtualDoor } from '../../support/fleet.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { assertDocument, complaintAbout } from './assert-document.ts';
import { commandTree } from './command-tree.ts';

test('every command has a --json schema, and there are no other schemas', async (t) => {
  const paths = (await commandTree()).map(({ words }) => words.slice(1).join(' '));
  const commands = paths.filter((path) => path !== '' && !paths.some((other) => other.startsWith(`${path} `)));
  t.deepEqual(Object.keys(documents).sort(), commands.sort());
});

test('schema validation accepts valid documents and rejects invalid ones', (t) => {
  const made = { privateKey: '/a', publicKey: '/b', bits: 2048, fingerprint: 'f'.repeat(64), encrypted: false };
  assertDocument(t, 'keygen', JSON.stringify(made));
  for (const wrong of [{ ...made, bits: '2048' }, { ...made, more: 1 }, { privateKey: '/a' }]) {
    t.regex(complaintAbout('keygen', JSON.stringify(wrong)) ?? '', /data/);
  }
});

test('failing commands print documents that match their schemas', async (t) => {
  const folder = await builtSketch(t, {
    'door.bin': door.bin,
    'door/door.ino': '',
    'door/public.key': rsaPems(2048).publicPem,
    'door/private.key': door.privatePem,
    'door/ota.config.json': '{"upload": {"hostIp": "127.0.0.1"}}',
    'cut.bin': door.bin.subarray(0, 50_000),
    'text.bin': 'a page of text',
    'files.bin': buildLittleFs({ blockCount: 16 }),
  });
  const refused = ['--core', '2.6.3', '--flash-mode', 'dio', '--signing', 'required'];
  const cases = [
    ['verify', 'door.bin', '--public-key', 'public.key'],
    ['doctor', '--source', 'door'],
    ['preflight', 'cut.bin', ...refused],
    ['inspect', 'cut.bin'],
    ['inspect', 'text.bin'],
    ['inspect', 'files.bin'],
    ['signing', '--mode', 'sign', '--bin', 'door.bin', '--out', 'door.bin.signed', '--privatekey', 'gone.key'],
    ['uninstall', 'platformio'],
  ];
  for (const argv of cases) {
    const { stdout, exitCode } = await runCommand([...argv, '--json'], { cwd: folder.path });
    assertDocument(t, argv[0] ?? '', stdout);
    t.is(JSON.parse(stdout).error?.exitCode ?? 0, exitCode, argv.join(' '));
  }
});

test('pack prints one document for several images', async (t) => {
  const folder = await builtSketch(t, { 'build/more.ino.bin': door.bin, 'build/more.ino.elf': door.elf });
  const { stdout } = await runCommand(['pack', 'build/door.ino.bin', 'build/more.ino.bin', '--json'], {
    cwd: folder.path,
  });
  t.is(JSON.parse(stdout).length, 2);
  assertDocument(t, 'pack', stdout);
});

test('upload prints one valid document when devices fail or are blocked', async (t) => {
  const locked = await virtualDoor(t, { password: 'secret' });
  const old = await virtualDoor(t);
  const folder = await packedDoor(t, {
    locked: listed(locked),
    old: listed(old, { facts: { core: '2.7.2', chipSizeBytes: 1024 * 1024, fsStart: 0x20000, fsEnd: 0x20000 } }),
  });
  for (const argv of [['--all'], ['--host', 'locked']]) {
    const { stdout, exitCode } = await runCommand(['upload', ...argv, '--json'], { cwd: folder.path });
    t.not(exitCode, 0);
    assertDocument(t, 'upload', stdout);
    t.is(JSON.parse(stdout).error.exitCode, exitCode);
  }
});

test('discover --watch prints one document per line', async (t) => {
  // A unique name, because all tests on this machine share one loopback interface.
  const hostname = `watched-${process.pid}`;
  await virtualDoor(t, { hostname, mdns: { announcesSketchMd5: true } });
  const folder = await testFolder(t);
  const ctrlC = new AbortController();
  let written = '';
  const running = runCommand(['discover', '--watch', '--json', '--interface', '127.0.0.1'], {
    cwd: folder.path,
    signal: ctrlC.signal,
    onOutput: (text) => {
      written += text;
      if (written.includes(hostname)) ctrlC.abort();
    },
  });
  await running.catch((error: Error) => t.is(error.name, 'AbortError'));
  const lines = written.trimEnd().split('\n');
  t.true(lines.some((line) => line.includes(hostname)));
  for (const line of lines) assertDocument(t, 'discover', line);
});
