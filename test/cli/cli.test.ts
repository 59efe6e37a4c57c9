import test from 'ava';
import { withNearPaths } from '../../src/files/near-paths.ts';
import { builtSketch, door } from '../support/built-sketch.ts';
import { caughtAtWork } from '../support/caught-at-work.ts';
import { untilFiles } from '../support/folder-watch.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';

const image = 'build/door.ino.bin';
const commands = ['keygen', 'header', 'sign', 'pack', 'verify', 'inspect', 'signing'];

test('--help lists the commands and --version prints the version', async (t) => {
  const folder = await testFolder(t);
  const help = await runCli(['--help'], folder.path);
  t.is(help.exitCode, 0);
  for (const command of commands) t.regex(help.stdout, new RegExp(`^  ${command} `, 'm'));
  const version = await runCli(['--version'], folder.path);
  t.is(version.exitCode, 0);
  t.regex(version.stdout, /^\d+\.\d+\.\d+\S*\n$/);
});

for (const command of commands) {
  test(`${command} --help shows two examples and the common options`, async (t) => {
    const folder = await testFolder(t);
    const { exitCode, stdout } = await runCommand([command, '--help'], { cwd: folder.path });
    t.is(exitCode, 0);
    t.is(stdout.match(new RegExp(`^  \\$ ota-hooks ${command}\\b`, 'gm'))?.length, 2);
    for (const option of ['--json', '--quiet', '--verbose', '--no-color']) t.true(stdout.includes(option), option);
  });
}

test('a usage error exits with 2 and refers to the help', async (t) => {
  const folder = await testFolder(t);
  for (const argv of [
    [],
    ['pakc'],
    ['pack', '--frobnicate'],
    ['header'],
    ['verify'],
    ['pack', '--compression', 'lzma'],
  ]) {
    const { exitCode, stdout, stderr, error } = await runCommand(argv, { cwd: folder.path });
    t.is(exitCode, 2, argv.join(' '));
    t.is(stdout, '');
    t.regex(`${stderr}${error?.hint}`, /--help|Usage|--public-key/, argv.join(' '));
  }
  const { exitCode, stderr } = await runCli(['pakc'], folder.path);
  t.is(exitCode, 2);
  t.is(
    stderr,
    "error[USAGE]: unknown command 'pakc' (Did you mean pack?)\n  Run the command with --help to see its options.\n",
  );
});

test('reports an invalid choice and an invalid number in the same format', async (t) => {
  const folder = await testFolder(t);
  for (const [argv, line] of [
    [['pack', '--compression', 'lzma'], 'error[OPTION_INVALID]: --compression lzma: must be none, gzip or zopfli'],
    [['keygen', '--bits', '512'], 'error[OPTION_INVALID]: --bits 512: must be an integer from 1024 to 4096'],
  ] as const) {
    const { exitCode, stderr } = await runCli(argv, folder.path);
    t.is(exitCode, 2);
    t.is(stderr, `${line}\n  Run the command with --help to see what each option accepts.\n`);
  }
});

test('prints an error and a hint on stderr, without a stack trace', async (t) => {
  const folder = await testFolder(t, { 'private.key': 'garbage', 'door.bin': 'x' });
  const { exitCode, stdout, stderr } = await runCli(
    ['sign', '--private-key', 'private.key', '--bin', 'door.bin'],
    folder.path,
  );
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(
    stderr,
    /^error\[KEY_GARBLED\]: private\.key is not a private key: it is not valid PEM or DER\n {2}Use a key in PEM format .*\n$/,
  );
});

test('adds the reason to an error with --verbose', async (t) => {
  const folder = await testFolder(t, { 'private.key': '', 'door.bin': 'x' });
  const argv = ['sign', '--private-key', 'private.key', '--bin', 'door.bin', '--verbose'];
  const { stderr } = await runCli(argv, folder.path);
  t.regex(stderr, /^error\[KEY_EMPTY\]: .*\n {2}Restore the key .*\n {2}An empty key can neither sign nor verify\.\n$/);
});

test('reports several configuration errors in one message and exits with 2', async (t) => {
  const folder = await builtSketch(t, { 'ota.config.json': '{"legacy": 1, "color": "red", "images": "build"}' });
  const { exitCode, stderr } = await runCli(['pack', image], folder.path);
  t.is(exitCode, 2);
  t.is(stderr.trimEnd().split('\n').length, 2);
  for (const place of ['legacy', 'color', 'images']) t.true(stderr.includes(place));
});

test('prints paths in errors relative to the working directory', async (t) => {
  const folder = await builtSketch(t, {
    'ota.config.json': '{}',
    'build/cut.bin': door.bin.subarray(0, 10_000),
  });
  const { exitCode, stderr } = await runCli(['pack', folder.at('build/cut.bin')], folder.path);
  t.is(exitCode, 3);
  t.regex(stderr, /^error\[\w+\]: build\/cut\.bin/m);
  for (const argv of [
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
    const { exitCode, stderr, error } = await runCommand(argv, { cwd: folder.path });
    t.not(exitCode, 0, argv.join(' '));
    // The process above shows that the CLI prints the message and the hint in this form.
    const text = withNearPaths(`${error?.message}\n${error?.hint}`, folder.path);
    t.false(`${stderr}${text}`.includes(`${folder.path}/`), `${stderr}${text}`);
  }
});

test('exits with 70 and prints a stack trace on an internal error', async (t) => {
  const folder = await builtSketch(t);
  // An unexpected exception: JSON.stringify throws once.
  const fault =
    'data:text/javascript,const s = JSON.stringify; JSON.stringify = () => { JSON.stringify = s; throw new TypeError(/kaput/.source) }';
  const { exitCode, stdout, stderr } = await runCli(['inspect', image, '--json'], folder.path, {
    NODE_OPTIONS: `--import="${fault}"`,
  });
  t.is(exitCode, 70);
  t.regex(stderr, /^Unexpected error in ota-hooks\. Please report this bug .*\nTypeError: kaput\n {4}at /);
  t.like(JSON.parse(stdout).error, { code: 'INTERNAL_ERROR', message: 'TypeError: kaput', exitCode: 70 });
});

test('prints no colors when stderr is not a terminal, even with FORCE_COLOR', async (t) => {
  const folder = await testFolder(t);
  const { stderr } = await runCli(['verify', 'gone', '--public-key', 'gone'], folder.path, { FORCE_COLOR: '1' });
  t.false(stderr.includes('\u001b'));
});

test('does not print key material that is passed where a path is expected', async (t) => {
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

test('exits with 0 when stdout is closed early', async (t) => {
  const folder = await builtSketch(t);
  const run = startCli(['inspect', image, '--json'], folder.path);
  run.stdout.destroy();
  const { exitCode, stderr } = await run;
  t.is(exitCode, 0);
  t.is(stderr, '');
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`pack leaves no artifacts behind after ${signal}`, async (t) => {
    const { files, end } = await caughtAtWork(async () => {
      const folder = await builtSketch(t, { [`${image}.signed`]: 'stale' });
      const run = startCli(['pack', image, '--compression', 'zopfli'], folder.path);
      // pack first removes the stale file, so a missing stale file shows that pack is running.
      await untilFiles(folder, (names) => !names.includes(`${image}.signed`));
      run.kill(signal);
      const { exitCode, signal: killedBy } = await run;
      return exitCode === 0 ? undefined : { files: await folder.list(), end: exitCode ?? killedBy };
    });
    // A process cannot handle SIGKILL.
    t.is(end, signal === 'SIGKILL' ? 'SIGKILL' : 130);
    t.deepEqual(files, [image, 'build/door.ino.elf', 'private.key', 'public.key']);
  });
}
