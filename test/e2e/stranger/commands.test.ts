/** Runs every command in an untrusted source tree full of traps: no program in the tree may run. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { commandTree } from '../../cli/help/command-tree.ts';
import { type ExampleRun, exampleRun } from '../../cli/help/example-run.ts';
import { builtSketch, door } from '../../support/built-sketch.ts';
import { testFolder } from '../../support/test-folder.ts';
import { plantTraps, programs, type Traps } from './traps.ts';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const secrets = { OTA_PASSPHRASE: 'open sesame', OTA_PRIVATE_KEY: door.privatePem };

/** Runs the built CLI in the tree as a user would, with a PATH that finds the tree's programs. */
async function run({ argv, cwd, home, env, stdin, goesOn }: ExampleRun, { path }: Traps) {
  const running = execa(process.execPath, [cli, ...argv], {
    cwd,
    extendEnv: false,
    env: { ...secrets, HOME: home, PATH: path, ...env },
    ...(stdin !== undefined && { input: stdin }),
    reject: false,
    all: true,
    timeout: 120_000,
  });
  if (goesOn) running.all.once('data', () => running.kill('SIGINT'));
  return running;
}

const tree = await commandTree();
const commands = tree.filter(({ words }) => words.length > 1 && !tree.some((other) => isBelow(other.words, words)));

function isBelow(words: readonly string[], above: readonly string[]): boolean {
  return words.length > above.length && above.every((word, index) => words[index] === word);
}

test('the CLI is built and has more than 35 commands', (t) => {
  t.true(existsSync(cli), 'npm run build');
  t.true(commands.length > 35);
});

for (const { words, examples } of commands) {
  test.serial(`${words.join(' ')} executes nothing from the tree`, async (t) => {
    // Server commands differ only in the request that they send, so one example is enough.
    for (const example of words[1] === 'server' ? examples.slice(0, 1) : examples) {
      const prepared = await exampleRun(t, words.slice(1), example);
      const traps = await plantTraps(t, prepared.cwd);
      const { exitCode, all } = await run(prepared, traps);
      // doctor reports errors for such a tree.
      t.true(
        [0, 130, ...(words[1] === 'doctor' ? [1] : [])].includes(exitCode ?? -1),
        `${example}: ${exitCode} ${all}`,
      );
      t.deepEqual(await traps.sprung(), [], example);
    }
  });
}

/** A project with an encrypted key whose passphrase is in the environment. */
async function encryptedProject(t: Parameters<typeof builtSketch>[0]) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: secrets.OTA_PASSPHRASE },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const config = { project: 'door', passphrase: { env: 'OTA_PASSPHRASE' }, publish: { to: './www', afterBuild: true } };
  return builtSketch(t, {
    'private.key': privateKey,
    'public.key': publicKey,
    'ota.config.json': JSON.stringify(config),
    'platformio.ini': '[env:d1]\nplatform = espressif8266\nboard = d1_mini\nframework = arduino\n',
  });
}

test('commands that use a key with its passphrase in the environment execute nothing from the tree', async (t) => {
  const folder = await encryptedProject(t);
  const traps = await plantTraps(t, folder.path);
  await chmod(folder.at('private.key'), 0o600);
  const image = 'build/door.ino.bin';
  const key = ['--private-key', 'private.key', '--passphrase-env', 'OTA_PASSPHRASE'];
  const lines = [
    ['header', '--source', '.', '--out', 'build/core/Updater_Signing.h', ...key],
    ['pack', image, '--declare-enforcement', '--firmware-version', '1.0'],
    ['publish', image, '--after-build', '--source', '.'],
    ['sign', ...key, '--bin', image],
    ['init', '--yes'],
    ['doctor'],
    ['doctor', '--fix'],
  ];
  for (const argv of lines) {
    const { all } = await run({ argv, cwd: folder.path, home: '/nonexistent', env: {}, goesOn: false }, traps);
    t.deepEqual(await traps.sprung(), [], `${argv.join(' ')}: ${all}`);
  }
  t.true(existsSync(folder.at(`${image}.signed`)));
});

for (const [system, file, program] of [
  ['arduino', 'door.ino', 'arduino-cli'],
  ['platformio', 'platformio.ini', 'pio'],
] as const) {
  test(`build ignores ${program} in the current folder`, async (t) => {
    const folder = await testFolder(t, { [`door/${file}`]: '' });
    const traps = await plantTraps(t, folder.at('door'));
    const { exitCode, all } = await execa(process.execPath, [cli, 'build'], {
      cwd: folder.at('door'),
      extendEnv: false,
      env: { ...secrets, HOME: folder.path, PATH: `:.:bin:${folder.at('door')}:` },
      reject: false,
      all: true,
    });
    t.is(exitCode, 1, system);
    t.regex(all, new RegExp(`error\\[PROGRAM_MISSING\\]: .*${program} was not found`));
    t.deepEqual(await traps.sprung(), []);
  });

  test(`build rejects a relative path to ${program}`, async (t) => {
    const folder = await testFolder(t, { [`door/${file}`]: '' });
    const traps = await plantTraps(t, folder.at('door'));
    const variable = system === 'arduino' ? 'ARDUINO_CLI' : 'PLATFORMIO_CLI';
    const { all } = await run(
      {
        argv: ['build'],
        cwd: folder.at('door'),
        home: folder.path,
        env: { [variable]: `bin/${program}` },
        goesOn: false,
      },
      traps,
    );
    t.regex(all, /was not found\n.*absolute path/);
    t.deepEqual(await traps.sprung(), []);
  });
}

test('git, npm, Node.js, Python and a shell trigger the traps in a hostile source tree', async (t) => {
  const folder = await testFolder(t);
  const traps = await plantTraps(t, folder.path);
  for (const name of ['private.key', 'a.bin', 'b.external']) await folder.write(name, '');
  const env = { HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', PATH: '/usr/local/bin:/usr/bin:/bin' };
  const start = (program: string, argv: readonly string[], more = {}) =>
    execa(program, argv, {
      cwd: folder.path,
      extendEnv: false,
      env: { ...env, ...more },
      reject: false,
      timeout: 60_000,
    });
  const git = (...argv: readonly string[]) =>
    start('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', ...argv]);
  const springs = async (mark: string, ...lines: readonly (() => Promise<unknown>)[]) => {
    await traps.clear();
    for (const line of lines) await line();
    const sprung = await traps.sprung();
    t.true(sprung.includes(mark), `${mark}: ${sprung.join(' ')}`);
  };

  for (const name of programs) {
    await springs(`program-${name}`, () => start('/bin/sh', ['-c', `exec ${name}`], { PATH: traps.path }));
  }
  await springs('git-fsmonitor', () => git('ls-files', '--error-unmatch', 'private.key'));
  await springs('git-filter-clean', () => git('add', 'private.key'));
  await springs('git-hooks-path', () => git('commit', '--quiet', '--message', 'a', 'private.key'));
  await springs('git-hook', () => git('-c', 'core.hooksPath=.git/hooks', 'commit', '--quiet', '--message', 'a'));
  await git('-c', 'core.hooksPath=/nonexistent', 'commit', '--quiet', '--message', 'a', '--allow-empty');
  await appendFile(folder.at('private.key'), 'changed');
  await springs('git-external-diff', () => git('diff'));
  await springs('git-textconv', () => git('diff', '--no-ext-diff'));
  await appendFile(folder.at('b.external'), 'changed');
  await git('add', '--intent-to-add', 'b.external');
  await springs('git-diff-command', () => git('-c', 'diff.external=', 'diff', 'b.external'));
  await springs('git-alias', () => git('trapped'));
  await springs('git-include', () => git('included'));
  await springs('git-ssh', () => git('ls-remote', 'ssh://nowhere.invalid/door'));
  // Added last: git may crash when a filter process ends before its handshake.
  await springs('git-filter-process', () => git('add', 'a.bin'));
  t.regex((await git('var', 'GIT_PAGER')).stdout, /git-pager/);
  const npm = (...argv: readonly string[]) =>
    start('npm', argv, { PATH: `${join(process.execPath, '..')}:${env.PATH}` });
  await springs('npm-script-shell', () => npm('start'));
  await springs('node-options', () => npm('--script-shell=/bin/sh', 'start'));
  await springs('node-module', () => start(process.execPath, ['-e', 'require("ignore")']));
  await springs('python', () => start('python3', ['-c', 'import platformio']));
});

test('pack warns about a tracked key and does not run the repository command in core.fsmonitor', async (t) => {
  const folder = await builtSketch(t);
  const marker = folder.at('id');
  await execa('git', ['init', '--quiet', folder.path]);
  await execa('git', ['-C', folder.path, 'add', 'private.key']);
  await writeFile(folder.at('.git/config'), `[core]\n\tfsmonitor = "id > ${marker}; false"\n`);
  const options = { cwd: folder.path, reject: false, all: true } as const;
  const { all } = await execa(process.execPath, [cli, 'pack', 'build/door.ino.bin'], options);
  t.regex(all, /private\.key is tracked by git/);
  t.false(existsSync(marker));
});
