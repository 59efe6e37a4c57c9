import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { nodeSqlite } from '../../../src/server/storage/sql/sqlite/drivers/node-sqlite.ts';
import type { Act } from '../../docs/acts.ts';
import { freePort } from '../../support/free-port.ts';

import { arduinoCli } from '../provision/arduino-cli.ts';
import { platformIo } from '../provision/platformio.ts';
import { type Outcome, type Running, runAtTerminal, runFromDesktop, startAndWait } from './programs.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const testCore = join(repository, 'test', 'e2e', 'esp8266');

/** Readers with an older Node.js install libsql before they start a server, as docs/server.md describes. */
const hasSqlite = nodeSqlite() !== undefined;

export interface Run extends Outcome {
  readonly command: string;
}

/** A newcomer's machine: an empty folder, a home, PlatformIO and arduino-cli with an ESP8266 core; ota-hooks exists only as a tarball. */
export interface Place {
  /** Folder in which the reader starts, empty at first. */
  readonly folder: string;
  /** The installed Arduino core. */
  readonly core: string;
  readonly read: (name: string) => Promise<string>;
  /** Carries out an act of a page. Commands run in a terminal, with Enter as the answer to each prompt. */
  readonly follow: (act: Act) => Promise<Run | undefined>;
  /** Runs a command as a program started from the desktop would: with a PATH that does not contain Node.js. */
  readonly fromDesktop: (command: string) => Promise<Outcome>;
  /** Hash of each file by name, excluding files that npm, the build systems and uploads maintain. */
  readonly listing: () => Promise<Readonly<Record<string, string>>>;
  readonly write: (name: string, text: string) => Promise<void>;
  /** Waits until a virtual device has run `count` different sketches, and returns their MD5s. */
  readonly sketchesRun: (count: number) => Promise<readonly string[]>;
}

export async function makePlace(t: ExecutionContext): Promise<Place> {
  if (!platformIo.isReady() || !arduinoCli.isReady()) throw new Error('npm run test:e2e installs the build systems');
  if (!existsSync(join(repository, 'dist', 'cli.js'))) throw new Error('dist/cli.js is missing: npm run build');
  const temporary = await mkdtemp(join(tmpdir(), 'ota-hooks-newcomer-'));
  const running: Running[] = [];
  t.teardown(async () => {
    for (const { stop } of running) await stop();
    await rm(temporary, { recursive: true, force: true });
  });
  const at = (name: string) => join(temporary, name);
  const folder = at('empty');
  await mkdir(folder, { recursive: true });
  const core = await installCores(at);
  const tarball = await packTarball(at('tarball'));
  const port = await freePort();
  const [serverPort, securePort, devicePort] = [await freePort(), await freePort(), await freePort()];
  const env = environment(at);
  /** Token that a server printed on its first start. */
  let token = '';

  /** Fills in values that the page cannot contain: the path of the tarball and free ports. */
  const words = (command: string) =>
    command
      .replace(/(npm install .*)ota-hooks$/, `$1${tarball}`)
      .replace('--ota-port 8266', `--ota-port ${port}`)
      .replace(/--host 127\.0\.0\.1$/, `--host 127.0.0.1:${port}`)
      .replaceAll(':8266', `:${serverPort}`)
      .replaceAll(':8443', `:${securePort}`)
      .replaceAll(':8444', `:${devicePort}`);
  let cwd = folder;
  const run = async (command: string): Promise<Run> => {
    const [program, ...argv] = command.split(' ');
    if (program === 'cd') {
      cwd = join(cwd, argv[0] ?? '');
      return { command, exitCode: 0, output: '' };
    }
    if (program === 'export') {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(argv.join(' ')) ?? [];
      env[name] = value === 'ota_…' ? token : words(value);
      return { command, exitCode: 0, output: '' };
    }
    if (argv[1] === 'serve' && !hasSqlite) await runAtTerminal('npm install --save-dev libsql@0.5', cwd, env);
    if (argv[1] === 'simulate' || argv[1] === 'serve') {
      const started = await startAndWait(words(command), cwd, env);
      const { tokenFile } = started.ready;
      if (tokenFile !== undefined) token = (await readFile(tokenFile, 'utf8')).trim();
      running.unshift(started);
      return { command, exitCode: 0, output: '' };
    }
    return { command, ...(await runAtTerminal(words(command), cwd, env)) };
  };

  return {
    folder,
    core,
    read: (name) => readFile(join(folder, name), 'utf8'),
    write: (name, text) => save(join(folder, name), text),
    follow: async (act) => {
      if (act.act === 'run') return run(act.command);
      await save(join(folder, act.path), act.text);
      return undefined;
    },
    fromDesktop: async (command) => {
      const PATH = [at('bin'), await binWithoutNode(at('desktop'))].join(delimiter);
      return runFromDesktop(command, cwd, { ...env, PATH, TEST_CORE_NODE: process.execPath });
    },
    listing: () => listing(folder),
    sketchesRun: (count) => running[0]?.sketchesRun(count) ?? Promise.resolve([]),
  };
}

/** Installs the test platform into PlatformIO and arduino-cli, instead of the one that they would download. */
async function installCores(at: (name: string) => string): Promise<string> {
  await cp(platformIo.coreTemplate, at('platformio'), { recursive: true });
  const platform = at('platformio/platforms/espressif8266');
  await cp(testCore, platform, { recursive: true });
  const manifest = JSON.parse(await readFile(join(platform, 'platform.json'), 'utf8'));
  await writeFile(join(platform, 'platform.json'), JSON.stringify({ ...manifest, name: 'espressif8266' }));
  const { version } = manifest;
  const spec = { owner: 'platformio', id: null, name: 'espressif8266', requirements: null, uri: null };
  await writeFile(join(platform, '.piopm'), JSON.stringify({ type: 'platform', name: 'espressif8266', version, spec }));

  const core = at('arduino/packages/esp8266/hardware/esp8266/3.1.2');
  await cp(arduinoCli.data, at('arduino'), { recursive: true, verbatimSymlinks: true });
  await cp(testCore, core, { recursive: true });
  await mkdir(at('bin'));
  await symlink(platformIo.pio, at('bin/pio'));
  await symlink(arduinoCli.program, at('bin/arduino-cli'));
  return core;
}

/** Creates the tarball that `npm publish` would upload. */
export async function packTarball(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  // Skip the scripts, which would rebuild the package while other tests use it.
  const argv = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await execa('npm', argv, { cwd: repository });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(folder, filename);
}

function environment(at: (name: string) => string): Record<string, string> {
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  return {
    PATH: [at('bin'), at('global/bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    HOME: at('home'),
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    // Reuses downloaded packages and this machine's registry settings.
    npm_config_cache: join(homedir(), '.npm'),
    npm_config_userconfig: join(homedir(), '.npmrc'),
    npm_config_prefix: at('global'),
    // On a terminal, npm looks for a newer npm about once a day, and adds a notice to the output of any command.
    npm_config_update_notifier: 'false',
    ...(certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates }),
    PLATFORMIO_CORE_DIR: at('platformio'),
    PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
    PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL: '9999',
    PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD: '0',
    ARDUINO_DIRECTORIES_DATA: at('arduino'),
    ARDUINO_DIRECTORIES_USER: at('sketchbook'),
    ARDUINO_DIRECTORIES_DOWNLOADS: at('downloads'),
    ARDUINO_BUILD_CACHE_PATH: at('cache'),
    ARDUINO_UPDATER_ENABLE_NOTIFICATION: 'false',
  };
}

/** A folder with links to all programs of /usr/bin except Node.js and its tools. */
async function binWithoutNode(folder: string): Promise<string> {
  if (existsSync(folder)) return folder;
  await mkdir(folder);
  const names = (await readdir('/usr/bin')).filter((name) => !/^(?:node|nodejs|npm|npx|corepack)$/.test(name));
  await Promise.all(names.map((name) => symlink(join('/usr/bin', name), join(folder, name))));
  return folder;
}

async function save(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function listing(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const ours = files.filter((path) => !keptByOthers.test(relative(folder, path)));
  const hash = async (path: string) =>
    createHash('md5')
      .update(await readFile(path))
      .digest('hex');
  return Object.fromEntries(
    await Promise.all(ours.map(async (path) => [relative(folder, path), await hash(path)] as const)),
  );
}

const keptByOthers = /^(?:node_modules|\.pio|build)\/|(?:^|\/)\.ota\/(?:devices|upload)\.json$/;
