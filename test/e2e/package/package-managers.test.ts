/** The hook and the commands work however the package was installed, or name what is missing. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa, type Options } from 'execa';
import { nodeSqlite } from '../../../src/server/storage/sql/sqlite/drivers/node-sqlite.ts';
import { door } from '../../support/built-sketch.ts';
import { packTarball } from '../newcomer/place.ts';
import { installNode } from '../provision/node.ts';
import { installPackageManagers, packageManagerSettings, packageManagers } from '../provision/package-managers.ts';

let tarball: string;
let settings: Readonly<Record<string, string>>;

const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-tarball-'));
test.after.always(() => rm(folder, { recursive: true, force: true }));

test.before(async () => {
  [tarball, settings] = await Promise.all([packTarball(folder), packageManagerSettings(), installPackageManagers()]);
});

interface Workplace {
  /** Folder of a PlatformIO project with keys and a build. */
  readonly project: string;
  /** Runs a command in the project and requires exit code 0 unless `reject` is false. */
  readonly run: (argv: readonly string[], options?: Options) => Promise<{ exitCode?: number; output: string }>;
}

async function workplace(t: ExecutionContext, subfolder = '.'): Promise<Workplace & { root: string }> {
  const root = await mkdtemp(join(tmpdir(), 'ota-hooks managers-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const project = resolve(root, subfolder);
  const files = {
    'package.json': JSON.stringify({ name: 'door', version: '1.0.0', private: true }),
    'platformio.ini': '[env:d1_mini]\nplatform = espressif8266\nboard = d1_mini\nframework = arduino\n',
    'src/main.cpp': '',
    'private.key': door.privatePem,
    'public.key': door.publicPem,
    'build/door.ino.bin': door.bin,
    'build/door.ino.elf': door.elf,
    // The format that needs a library of its own.
    'ota.config.yaml': 'project: door\nversion: 1.0.0\n',
  };
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), content, name === 'private.key' ? { mode: 0o600 } : {});
  }
  const home = { XDG_CONFIG_HOME: join(root, 'config'), XDG_DATA_HOME: join(root, 'data') };
  const run: Workplace['run'] = async ([program = '', ...argv], options = {}) => {
    const common = { cwd: project, reject: false, all: true, stdin: 'ignore' } as const;
    const { exitCode, all } = await execa(program, argv, {
      ...common,
      ...options,
      env: { ...settings, ...home, ...options.env },
    });
    const output = String(all);
    if (options.reject !== false) t.is(exitCode, 0, `${program} ${argv.join(' ')}\n${output}`);
    return { ...(exitCode !== undefined && { exitCode }), output };
  };
  return { root, project, run };
}

/** Sets up the project, and runs the commands as the hook does: with plain Node.js and the script beside the hook. */
async function assertWorks(t: ExecutionContext, { project, run }: Workplace, cli: readonly string[]): Promise<void> {
  await run([...cli, 'init', '--yes']);
  const ini = await readFile(join(project, 'platformio.ini'), 'utf8');
  const hook = resolve(project, /^extra_scripts = pre:(.*)$/m.exec(ini)?.[1] ?? '');
  t.true(existsSync(hook), hook);
  const asHook = [process.execPath, join(dirname(dirname(hook)), 'dist/cli.js')];
  await run([...asHook, 'header', '--source', project, '--out', 'build/Updater_Signing.h']);
  await run([...asHook, 'pack', 'build/door.ino.bin']);
  t.true(existsSync(join(project, 'build/door.ino.bin.gz.signed')));
  await assertDiagnoses(t, run, asHook);
  await assertServes(t, project, run, asHook);
}

/** `doctor` loads every library of the package. It may find problems of this machine, but no bug. */
async function assertDiagnoses(t: ExecutionContext, run: Workplace['run'], cli: readonly string[]): Promise<void> {
  const { exitCode, output } = await run([...cli, 'doctor', '--json'], { reject: false });
  t.true(exitCode === 0 || exitCode === 1, output);
  t.regex(output, /"findings"/);
}

async function assertServes(t: ExecutionContext, cwd: string, run: Workplace['run'], cli: readonly string[]) {
  const [program = '', ...argv] = [...cli, 'serve', '--data', 'data', '--listen', '127.0.0.1:0'];
  if (nodeSqlite() === undefined) {
    const { exitCode, output } = await run([program, ...argv], { reject: false });
    t.is(exitCode, 1);
    t.regex(output, /^error\[SQLITE_MISSING\]/m);
    return;
  }
  const server = execa(program, argv, { cwd, env: settings, reject: false, all: true });
  let output = '';
  const closed = once(
    server.all.on('data', (chunk) => (output += chunk)),
    'close',
  );
  while (!output.includes('Serving on')) {
    await Promise.race([once(server.all, 'data'), closed.then(() => Promise.reject(new Error(output)))]);
  }
  const url = /Serving on (\S+)/.exec(output)?.[1];
  t.is((await fetch(`${url}/readyz`)).status, 200);
  server.kill('SIGTERM');
  t.is((await server).exitCode, 0, output);
}

const npm = ['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund'];

for (const [name, options] of [
  ['npm', []],
  ['npm --ignore-scripts --omit=optional', ['--ignore-scripts', '--omit=optional']],
] as const) {
  test(name, async (t) => {
    const place = await workplace(t);
    await place.run([...npm, ...options, '--save-dev', tarball]);
    await assertWorks(t, place, ['npx', 'ota-hooks']);
  });
}

test('npm, globally, with spaces in the prefix', async (t) => {
  const place = await workplace(t);
  const prefix = join(place.root, 'my programs');
  await place.run([...npm, '--global', '--prefix', prefix, tarball]);
  await assertWorks(t, place, [join(prefix, 'bin/ota-hooks')]);
});

test('npm, in a workspace', async (t) => {
  const place = await workplace(t, 'firmware');
  await writeFile(join(place.root, 'package.json'), JSON.stringify({ private: true, workspaces: ['firmware'] }));
  await place.run([...npm, '--save-dev', tarball], { cwd: place.root });
  await assertWorks(t, place, ['npx', 'ota-hooks']);
  t.regex(await readFile(join(place.project, 'platformio.ini'), 'utf8'), /pre:\.\.\/node_modules\//);
});

test('pnpm', async (t) => {
  const place = await workplace(t);
  await place.run([...packageManagers.pnpm, 'add', '--save-dev', '--prefer-offline', tarball]);
  await assertWorks(t, place, [...packageManagers.pnpm, 'exec', 'ota-hooks']);
});

test('Yarn 1', async (t) => {
  const place = await workplace(t);
  await place.run([...packageManagers.yarn1, 'add', '--dev', '--prefer-offline', `file:${tarball}`]);
  await assertWorks(t, place, [...packageManagers.yarn1, '--silent', 'ota-hooks']);
});

test('bun', async (t) => {
  const place = await workplace(t);
  await place.run([...packageManagers.bun, 'add', '--dev', tarball]);
  await assertWorks(t, place, [...packageManagers.bun, 'run', 'ota-hooks']);
});

async function withYarn4(t: ExecutionContext, nodeLinker: string): Promise<Workplace> {
  const place = await workplace(t);
  await writeFile(join(place.project, 'yarn.lock'), '');
  await writeFile(join(place.project, '.yarnrc.yml'), `nodeLinker: ${nodeLinker}\n`);
  await place.run([...packageManagers.yarn4, 'add', '--dev', `ota-hooks@file:${tarball}`]);
  return place;
}

test('Yarn 4 with node-modules', async (t) => {
  await assertWorks(t, await withYarn4(t, 'node-modules'), [...packageManagers.yarn4, 'ota-hooks']);
});

test("Yarn 4 with Plug'n'Play: all commands work except the installation of hooks, which names the remedy", async (t) => {
  const { project, run } = await withYarn4(t, 'pnp');
  const cli = [...packageManagers.yarn4, 'ota-hooks'];
  for (const command of [
    ['init', '--yes'],
    ['install', 'arduino'],
  ]) {
    const { exitCode, output } = await run([...cli, ...command], { reject: false });
    t.is(exitCode, 2, output);
    t.regex(output, /Plug'n'Play[\s\S]*yarn config set nodeLinker node-modules/);
  }
  t.notRegex(await readFile(join(project, 'platformio.ini'), 'utf8'), /extra_scripts/);
  await run([...cli, 'keygen', '--private-key', 'new.key', '--public-key', 'new.pub']);
  await run([...cli, 'header', '--out', 'build/Updater_Signing.h']);
  await run([...cli, 'pack', 'build/door.ino.bin']);
  await assertDiagnoses(t, run, cli);
  await assertServes(t, project, run, cli);

  // Following the hint.
  await run([...packageManagers.yarn4, 'config', 'set', 'nodeLinker', 'node-modules']);
  await run([...packageManagers.yarn4, 'install']);
  await run([...cli, 'init', '--yes']);
  t.regex(
    await readFile(join(project, 'platformio.ini'), 'utf8'),
    /pre:node_modules\/ota-hooks\/hooks\/platformio\.py/,
  );
});

test('a node_modules of another platform, or without optional packages, names libsql', async (t) => {
  const { project, run } = await workplace(t);
  // A version of Node.js without SQLite.
  const cli = [await installNode('20.19.0'), 'node_modules/ota-hooks/dist/cli.js'];
  await run([...npm, '--save-dev', tarball, 'libsql@0.5']);
  const binaries = join(project, 'node_modules/@libsql');
  const serve = [...cli, 'serve', '--data', 'data', '--listen', '127.0.0.1:0'];
  const assertNamed = async () => {
    const { exitCode, output } = await run(serve, { reject: false });
    t.is(exitCode, 1, output);
    t.regex(output, /^error\[SQLITE_MISSING\]: .* needs the libsql package, which cannot be loaded on linux-x64$/m);
  };
  await rename(join(binaries, 'linux-x64-gnu'), join(binaries, 'darwin-arm64'));
  await assertNamed();
  await run([...npm, '--omit=optional']);
  await rm(binaries, { recursive: true, force: true });
  await assertNamed();
  await run([...cli, 'pack', 'build/door.ino.bin']);
});
