import test from 'ava';
import { gzipSync } from 'fflate';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { syntheticSketch } from '../../../src/simulator/index.ts';
import { builtSketch, door } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const { fingerprint } = readPublicKey(door.publicPem, '');

test('inspect prints the type, core, flash settings and embedded key of an image', async (t) => {
  const folder = await builtSketch(t);
  const { exitCode, stdout, stderr } = await runCommand(['inspect', 'build/door.ino.bin'], { cwd: folder.path });
  t.is(exitCode, 0);
  t.is(stderr, '');
  t.regex(stdout, /^file +build.door\.ino\.bin, \d+ bytes$/m);
  t.regex(stdout, /^type +sketch$/m);
  t.regex(stdout, /^core +3\.1\.2$/m);
  t.regex(stdout, /^flash +dio, 4096 KB, 40 MHz$/m);
  t.regex(stdout, /^signature +none$/m);
  t.true(stdout.includes(`${fingerprint} (RSA 2048 bits)`));
});

test('inspect decompresses a gzip file and names the key that verifies the signature', async (t) => {
  const folder = await builtSketch(t);
  await runCommand(['pack', 'build/door.ino.bin', '--legacy'], { cwd: folder.path });
  const inspect = async (name: string, ...argv: string[]) => {
    const { stdout } = await runCommand(['inspect', name, '--json', ...argv], { cwd: folder.path });
    return JSON.parse(stdout);
  };
  const known = ['--public-key', 'public.key'];
  const signed = await inspect('build/door.ino.bin.gz.signed', ...known);
  t.like(signed, { encoding: 'gzip', kind: 'sketch', contentBytes: door.bin.length, findings: [] });
  t.deepEqual(signed.signature, { format: 'current', keyBits: 2048, verifiedBy: fingerprint });
  t.is(signed.embeddedKeys[0].fingerprint, fingerprint);
  const legacy = await inspect('build/door.ino.bin.legacy_sig', ...known);
  t.like(legacy, { encoding: 'identity', signature: { format: 'legacy', verifiedBy: fingerprint } });
  const unknown = await inspect('build/door.ino.bin.signed', '--source', 'build');
  t.is(unknown.signature.keyBits, 2048);
});

test('inspect uses the project keys, including knownKeys from the configuration', async (t) => {
  const folder = await builtSketch(t, {
    'keys/previous.key': door.publicPem,
    'keys/ota.config.json': '{"knownKeys": ["previous.key"]}',
  });
  await runCommand(['pack', 'build/door.ino.bin'], { cwd: folder.path });
  for (const argv of [[], ['--source', 'keys'], ['--source', 'build', '--config', 'keys/ota.config.json']]) {
    const { stdout } = await runCommand(['inspect', 'build/door.ino.bin.signed', ...argv], { cwd: folder.path });
    t.regex(stdout, new RegExp(`^signed by +${fingerprint}$`, 'm'));
  }
});

test('inspect reports findings for invalid files and exits with 0', async (t) => {
  const folder = await builtSketch(t, {
    empty: '',
    'notes.txt': 'hello',
    'cut.bin': door.bin.subarray(0, 10_000),
    'cut.gz': gzipSync(door.bin).subarray(0, 5000),
  });
  for (const name of ['empty', 'notes.txt', 'cut.bin', 'cut.gz']) {
    const { exitCode, stdout } = await runCommand(['inspect', name, '--json'], { cwd: folder.path });
    t.is(exitCode, 0, name);
    t.true(JSON.parse(stdout).findings.length > 0, name);
  }
});

test('inspect exits with 2 if the file does not exist', async (t) => {
  const folder = await builtSketch(t);
  const { exitCode, error } = await runCommand(['inspect', 'gone.bin'], { cwd: folder.path });
  t.is(exitCode, 2);
  t.regex(error?.message ?? '', /^File to inspect not found: /);
});

test('inspect shows the source commit of the manifest beside the file', async (t) => {
  const commit = 'c0ffee'.padEnd(40, '0');
  const folder = await builtSketch(t, { '.git/HEAD': `${commit}\n`, '.git/objects/.keep': '' });
  const inspect = (...argv: string[]) => runCommand(['inspect', ...argv], { cwd: folder.path });
  t.notRegex((await inspect('build/door.ino.bin')).stdout, /commit/);
  t.is(JSON.parse((await inspect('build/door.ino.bin', '--json')).stdout).sourceCommit, null);
  await runCommand(['pack', 'build/door.ino.bin'], { cwd: folder.path });
  const file = 'build/door.ino.bin.gz.signed';
  t.regex((await inspect(file)).stdout, new RegExp(`^commit +${commit} \\(in the manifest\\)$`, 'm'));
  t.is(JSON.parse((await inspect(file, '--json')).stdout).sourceCommit, commit);
  await folder.write(file, Buffer.concat([door.bin, Buffer.alloc(16)]));
  t.notRegex((await inspect(file)).stdout, /commit/, 'the manifest does not list these bytes');
});

for (const [title, coreGitHash, expected] of [
  [
    'core 3.x',
    '0badcafe',
    /^core +unknown \(git hash 0badcafe\), but 3\.0\.0 or later, because of the location of the CRC$/m,
  ],
  ['a release', '210897ef', /^core +3\.1\.2$/m],
] as const) {
  test(`inspect prints what is known about the core of an image from ${title}`, async (t) => {
    const folder = await testFolder(t, { 'sketch.bin': syntheticSketch({ sizeBytes: 40 * 1024, coreGitHash }) });
    const { stdout } = await runCommand(['inspect', 'sketch.bin'], { cwd: folder.path });
    t.regex(stdout, expected);
  });
}
