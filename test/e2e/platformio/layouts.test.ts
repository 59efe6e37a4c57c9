/** Sets up projects with the structures of published projects, checks and builds them, and undoes the setup. */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import pMap from 'p-map';
import { platformIo } from '../provision/platformio.ts';
import { forkAddress, type Layout, layouts } from './layouts.ts';
import { cli, isSignedWith, makeKeys, sketch } from './project.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const keys = makeKeys();

/** Prints the effective scripts of each environment of the projects, as PlatformIO evaluates them. */
const query = `
import json, os, sys
from platformio.project.config import ProjectConfig
found = {}
for folder in sys.argv[1:]:
    os.chdir(folder)
    config = ProjectConfig("platformio.ini")
    found[folder] = {name: config.get("env:" + name, "extra_scripts", []) for name in config.envs()}
print(json.dumps(found))
`;

type Scripts = Readonly<Record<string, readonly string[]>>;

test('init hooks exactly the ESP8266 environments of 20 layouts, their builds are signed, and --undo restores all files', async (t) => {
  const machine = await makeMachine(t);
  const folders = await Promise.all(layouts.map((layout, index) => writeLayout(machine, layout, index)));
  const original = await Promise.all(folders.map(contentsOf));
  const before = await scriptsOf(machine, folders);
  await pMap(
    layouts,
    async (layout, index) => {
      const folder = folders[index] ?? '';
      const init = await machine.run(process.execPath, [cli, 'init', '--yes'], folder);
      t.is(init.exitCode, 0, `${layout.name}\n${init.all}`);
    },
    { concurrency: 2 },
  );
  const after = await scriptsOf(machine, folders);
  await pMap(
    layouts,
    async (layout, index) => {
      const folder = folders[index] ?? '';
      requireExactHooks(t, layout, before[folder] ?? {}, after[folder] ?? {});
      await requireSignedBuild(t, machine, layout, folder);
      const undo = await machine.run(process.execPath, [cli, 'init', '--undo', '--yes'], folder);
      t.is(undo.exitCode, 0, `${layout.name}\n${undo.all}`);
      t.deepEqual(await contentsOf(folder), original[index], layout.name);
    },
    { concurrency: 2 },
  );
});

test('an ESP32 environment of a mixed project still builds after init when node_modules is missing', async (t) => {
  const machine = await makeMachine(t);
  const index = layouts.findIndex(({ files }) => files['platformio.ini']?.includes('[env:esp32]'));
  const layout = layouts[index];
  if (layout === undefined) return t.fail();
  const folder = await writeLayout(machine, layout, index);
  const init = await machine.run(process.execPath, [cli, 'init', '--yes'], folder);
  t.is(init.exitCode, 0, init.all);
  await rm(join(folder, 'node_modules'), { recursive: true });
  await installEsp32Platform(join(machine.temporary, 'core/platforms/espressif32'));
  const esp32 = await machine.run(platformIo.pio, ['run', '--environment', 'esp32'], folder);
  t.is(esp32.exitCode, 0, esp32.all);
  t.true(existsSync(join(folder, '.pio/build/esp32/firmware.bin')));
  const esp8266 = await machine.run(platformIo.pio, ['run', '--environment', layout.build], folder);
  t.regex(esp8266.all, /missing SConscript file/, 'the hook of the ESP8266 environment is missing');
});

function requireExactHooks(t: ExecutionContext, { name, esp8266 }: Layout, before: Scripts, after: Scripts): void {
  const hook = 'pre:node_modules/ota-hooks/hooks/platformio.py';
  const hooked = Object.entries(after).flatMap(([environment, scripts]) =>
    scripts.includes(hook) ? [environment] : [],
  );
  t.deepEqual(hooked.toSorted(), esp8266.toSorted(), name);
  const others = (scripts: Scripts) =>
    Object.fromEntries(Object.entries(scripts).map(([key, items]) => [key, items.filter((item) => item !== hook)]));
  t.deepEqual(others(after), others(before), name);
}

async function requireSignedBuild(
  t: ExecutionContext,
  machine: Machine,
  layout: Layout,
  folder: string,
): Promise<void> {
  const doctor = await machine.run(process.execPath, [cli, 'doctor', '--json'], folder);
  const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; level: string; message: string }[] };
  const ofHook = findings.filter(({ check }) => check === 'platformio-hook');
  t.like(ofHook, { length: 1, 0: { level: 'ok' } }, `${layout.name}\n${JSON.stringify(ofHook)}`);
  const build = await machine.run(platformIo.pio, ['run', '--environment', layout.build], folder);
  t.is(build.exitCode, 0, `${layout.name}\n${build.all}`);
  for (const script of layout.scripts ?? []) t.true(build.all.includes(`ran ${script}`), `${layout.name}: ${script}`);
  const image = join(folder, '.pio', 'build', layout.build, 'firmware.bin');
  t.true(await isSignedWith(`${image}.gz.signed`, keys), layout.name);
  const manifest = JSON.parse(await readFile(`${image}.ota.json`, 'utf8')) as { enforcement: string };
  t.is(manifest.enforcement, 'elf', layout.name);
}

interface Machine {
  readonly temporary: string;
  readonly run: (
    program: string,
    argv: readonly string[],
    cwd: string,
  ) => Promise<{ exitCode?: number; all: string; stdout: string }>;
}

/** Creates a machine with PlatformIO and the test platform, installed from the registry and from the address of a fork. */
async function makeMachine(t: ExecutionContext): Promise<Machine> {
  if (!platformIo.isReady()) throw new Error('PlatformIO is not installed: run npm run test:e2e, which installs it');
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing: run npm run build');
  const temporary = await mkdtemp(join(tmpdir(), 'ota-hooks-layouts-'));
  t.teardown(() => rm(temporary, { recursive: true, force: true }));
  await cp(platformIo.coreTemplate, join(temporary, 'core'), { recursive: true });
  await installPlatform(join(temporary, 'core/platforms/espressif8266'), 'espressif8266', {});
  await installPlatform(join(temporary, 'core/platforms/door-fork'), 'door_fork', { owner: null, uri: forkAddress });
  const env = {
    PATH: [dirname(process.execPath), dirname(platformIo.pio), '/usr/bin', '/bin'].join(delimiter),
    HOME: temporary,
    LANG: 'C.UTF-8',
    PLATFORMIO_CORE_DIR: join(temporary, 'core'),
    // Shared by all projects, which link the same core with the same key.
    PLATFORMIO_BUILD_CACHE_DIR: join(temporary, 'cache'),
    PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
    PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL: '9999',
    PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD: '0',
  };
  const run: Machine['run'] = (program, argv, cwd) =>
    execa(program, argv, { cwd, env, extendEnv: false, reject: false, all: true });
  return { temporary, run };
}

async function installPlatform(folder: string, name: string, spec: object): Promise<void> {
  await cp(join(repository, 'test', 'e2e', 'esp8266'), folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(folder, 'platform.json'), 'utf8')) as { version: string };
  await writeFile(join(folder, 'platform.json'), JSON.stringify({ ...manifest, name }));
  const whole = { owner: 'platformio', id: null, name, requirements: null, uri: null, ...spec };
  const { version } = manifest;
  await writeFile(join(folder, '.piopm'), JSON.stringify({ type: 'platform', name, version, spec: whole }));
}

/** Installs a platform whose builds only create an empty image. */
async function installEsp32Platform(folder: string): Promise<void> {
  await mkdir(join(folder, 'builder'), { recursive: true });
  const spec = { owner: 'platformio', id: null, name: 'espressif32', requirements: null, uri: null };
  const manifest = { name: 'espressif32', version: '6.0.0' };
  await writeFile(join(folder, 'platform.json'), JSON.stringify({ ...manifest, packages: {} }));
  await writeFile(join(folder, '.piopm'), JSON.stringify({ type: 'platform', ...manifest, spec }));
  const builder = `from SCons.Script import DefaultEnvironment, Touch
env = DefaultEnvironment()
env.Default(env.Command("$BUILD_DIR/firmware.bin", [], Touch("$TARGET")))
`;
  await writeFile(join(folder, 'builder', 'main.py'), builder);
}

async function writeLayout({ temporary }: Machine, { files, scripts = [] }: Layout, index: number): Promise<string> {
  const folder = join(temporary, `layout-${index}`);
  const write = async (name: string, content: string) => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  };
  for (const [name, content] of Object.entries(files)) await write(name, content);
  for (const script of scripts) await write(script, `print("ran ${script}")\n`);
  await write('src/main.cpp', sketch);
  await write('package.json', '{"private": true}\n');
  await write('private.key', keys.privateKey);
  await chmod(join(folder, 'private.key'), 0o600);
  await write('public.key', keys.publicKey);
  await write('boards/door.json', await readFile(join(repository, 'test/e2e/esp8266/boards/d1_mini.json'), 'utf8'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(repository, join(folder, 'node_modules/ota-hooks'));
  return folder;
}

async function scriptsOf(machine: Machine, folders: readonly string[]): Promise<Readonly<Record<string, Scripts>>> {
  const { stdout } = await machine.run(platformIo.python, ['-c', query, ...folders], machine.temporary);
  return JSON.parse(stdout) as Readonly<Record<string, Scripts>>;
}

/** Returns the files of a project by name, without those of npm and PlatformIO. */
async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !/^(?:node_modules|\.pio)\//.test(name));
  const contents = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'base64')]));
  return Object.fromEntries(contents);
}
