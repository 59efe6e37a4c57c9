import test from 'ava';
import { builtSketch, door } from '../support/built-sketch.ts';
import { caughtAtWork } from '../support/caught-at-work.ts';
import { untilFiles } from '../support/folder-watch.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';

const image = 'build/door.ino.bin';
const commands = ['keygen', 'header', 'sign', 'pack', 'verify', 'inspect', 'signing'];

test('--help lists the commands, --version a version, both with exit code 0', async (t) => {
  const folder = await testFolder(t);
  const help = await runCli(['--help'], folder.path);
  t.is(help.exitCode, 0);
  for (const command of commands) t.regex(help.stdout, new RegExp(`^  ${command} `, 'm'));
  const version = await runCli(['--version'], folder.path);
  t.is(version.exitCode, 0);
  t.regex(version.stdout, /^\d+\.\d+\.\d+\S*\n$/);
});

for (const command of commands) {
  test(`${command} --help shows two examples and the options that every command has`, async (t) => {
    const folder = await testFolder(t);
    const { exitCode, stdout } = await runCommand([command, '--help'], { cwd: folder.path });
    t.is(exitCode, 0);
    t.is(stdout.match(new RegExp(`^  \\$ ota-hooks ${command}\\b`, 'gm'))?.length, 2);
    for (const option of ['--json', '--quiet', '--verbose', '--no-color']) t.true(stdout.includes(option), option);
  });
}

test('what is not understood is a mistake of usage, exit code 2, with a way on', async (t) => {
  const folder = await testFolder(t);
  for (const argv of [
    [],
    ['pakc'],
    ['pack', '--frobnicate'],
    ['header'],
    ['verify'],
    ['pack', '--compression', 'lzma'],
  ]) {
    const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: folder.path });
    t.is(exitCode, 2, argv.join(' '));
    t.is(stdout, '');
    t.regex(stderr, /--help|Usage/, argv.join(' '));
  }
  t.is((await runCli(['pakc'], folder.path)).exitCode, 2);
});

test('a failure is one line and a hint on stderr, nothing on stdout, no stack', async (t) => {
  const folder = await testFolder(t, { 'private.key': 'garbage', 'door.bin': 'x' });
  const { exitCode, stdout, stderr } = await runCli(
    ['sign', '--private-key', 'private.key', '--bin', 'door.bin'],
    folder.path,
  );
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(stderr, /^error: .*private\.key does not hold a private key in PEM form\n {2}Keys are PEM text, .*\n$/);
});

test('with --verbose a failure has its code, by which docs/errors.md explains it, and the reason', async (t) => {
  const folder = await testFolder(t, { 'private.key': '', 'door.bin': 'x' });
  const argv = ['sign', '--private-key', 'private.key', '--bin', 'door.bin', '--verbose'];
  const { stderr } = await runCli(argv, folder.path);
  t.regex(stderr, /^error: .*\n {2}Restore it .*\n {2}KEY_EMPTY: An empty key file signs and verifies nothing\.\n$/);
});

test('several mistakes of a configuration are still one line, exit code 2', async (t) => {
  const folder = await builtSketch(t, { 'ota.config.json': '{"legacy": 1, "color": "red", "images": "build"}' });
  const { exitCode, stderr } = await runCli(['pack', image], folder.path);
  t.is(exitCode, 2);
  t.is(stderr.trimEnd().split('\n').length, 2);
  for (const place of ['legacy', 'color', 'images']) t.true(stderr.includes(place));
});

test('a failure names paths as the user would: from where they stand, in lists and in sentences too', async (t) => {
  const folder = await builtSketch(t, {
    'ota.config.json': '{}',
    'build/cut.bin': door.bin.subarray(0, 10_000),
  });
  for (const argv of [
    ['pack', folder.at('build/cut.bin')],
    ['inspect', folder.at('build/gone.bin')],
    ['preflight', folder.at('build/cut.bin'), '--core', '3.1.2', '--flash-mode', 'dio'],
    ['keygen', '--private-key', folder.at(image), '--public-key', folder.at('x.key')],
    ['sign', '--private-key', folder.at('private.key'), '--bin', folder.at(image), '--out', folder.at('private.key')],
    ['header', '--public-key', folder.at('public.key'), '--out', folder.at('public.key')],
    ['pack', folder.at(image), '--config', folder.at('gone.json')],
    ['pack', folder.at(image), '--private-key', folder.at('gone.key')],
    ['upload', folder.at('build/gone.bin'), '--host', '127.0.0.1'],
    ['publish', folder.at('build/gone.bin'), '--to', folder.at('site'), '--project', 'door'],
    ['server', 'restore', folder.at('gone.ndjson'), '--data', folder.at('data')],
    ['build', '--source', folder.at('build')],
  ]) {
    const { exitCode, stderr } = await runCli(argv, folder.path);
    t.not(exitCode, 0, argv.join(' '));
    t.false(stderr.includes(`${folder.path}/`), stderr);
  }
});

test('a bug of ours is told from a failure: exit code 70 and a stack', async (t) => {
  const folder = await builtSketch(t);
  // A fault that no code expects: the stage that prints JSON throws.
  const fault = 'data:text/javascript,JSON.stringify = () => { throw new TypeError(/kaput/.source) }';
  const { exitCode, stderr } = await runCli(['inspect', image, '--json'], folder.path, {
    NODE_OPTIONS: `--import="${fault}"`,
  });
  t.is(exitCode, 70);
  t.regex(stderr, /^A bug of ota-hooks; please report it .*\nTypeError: kaput\n {4}at /);
});

test('colors are for terminals', async (t) => {
  const folder = await testFolder(t);
  const { stderr } = await runCli(['verify', 'gone', '--public-key', 'gone'], folder.path, { FORCE_COLOR: '1' });
  t.false(stderr.includes('\u001b'));
});

test('the text of a key where its path is wanted does not reach the log', async (t) => {
  const folder = await builtSketch(t);
  const [, secret = ''] = door.privatePem.split('\n');
  for (const argv of [
    ['pack', image, '--private-key', door.privatePem, '--verbose'],
    ['signing', '--mode', 'sign', '--bin', image, '--out', 'x', '--privatekey', `${door.privatePem}/x`],
  ]) {
    const { stdout, stderr } = await runCli(argv, folder.path);
    t.false(`${stdout}${stderr}`.includes(secret), stderr);
  }
});

test('a reader that goes away early is no failure', async (t) => {
  const folder = await builtSketch(t);
  const run = startCli(['inspect', image, '--json'], folder.path);
  run.stdout.destroy();
  const { exitCode, stderr } = await run;
  t.is(exitCode, 0);
  t.is(stderr, '');
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`a pack that is ended by ${signal} leaves nothing that could be taken for an artifact`, async (t) => {
    const { files, end } = await caughtAtWork(async () => {
      const folder = await builtSketch(t, { [`${image}.signed`]: 'stale' });
      const run = startCli(['pack', image, '--compression', 'zopfli'], folder.path);
      // The stale file goes when the work begins.
      await untilFiles(folder, (names) => !names.includes(`${image}.signed`));
      run.kill(signal);
      const { exitCode, signal: killedBy } = await run;
      return exitCode === 0 ? undefined : { files: await folder.list(), end: exitCode ?? killedBy };
    });
    // No program can handle a SIGKILL.
    t.is(end, signal === 'SIGKILL' ? 'SIGKILL' : 130);
    t.deepEqual(files, [image, 'build/door.ino.elf', 'private.key', 'public.key']);
  });
}
