import { generateKeyPairSync, verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { platformIo } from '../provision/platformio.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const hook = join(repository, 'hooks', 'platformio.py');
/** Folder of the parts of the hook that run without SCons. */
export const hookParts = join(repository, 'hooks');
export const cli = join(repository, 'dist', 'cli.js');
const platform = join(repository, 'test', 'e2e', 'esp8266');

/** A typical sketch with update support. */
export const sketch = '#include <ESP8266WiFi.h>\nvoid setup() { WiFi.begin("network", "password"); }\nvoid loop() {}\n';

/** Lines of an environment that uses the hook. */
export const environment = [
  `platform = symlink://${platform}`,
  'board = d1_mini',
  'framework = arduino',
  `extra_scripts = pre:${hook}`,
];

export interface Run {
  readonly exitCode: number | undefined;
  /** Combined stdout and stderr. */
  readonly output: string;
  /** Steps that PlatformIO reports, with file names instead of paths: "Compiling Updater.cpp.o". */
  readonly made: readonly string[];
  /** CLI commands that the hook started. */
  readonly started: readonly string[];
}

export interface Project {
  readonly folder: string;
  /** Path of a file in the build folder of the first environment. */
  readonly built: (name: string) => string;
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Runs `pio run` with these arguments. */
  readonly run: (...args: string[]) => Promise<Run>;
  /** Runs `pio run` with additional environment variables. */
  readonly runWith: (env: Readonly<Record<string, string>>, ...args: string[]) => Promise<Run>;
  /** Runs `pio test` with these arguments. */
  readonly test: (...args: string[]) => Promise<Run>;
  /** Runs `ota-hooks build` with these arguments. */
  readonly build: (...args: string[]) => Promise<Run>;
}

export interface ProjectOptions {
  readonly name?: string;
  /** Text of platformio.ini; by default one environment that uses the hook, plus `lines`. */
  readonly ini?: string;
  readonly lines?: readonly string[];
  readonly sketch?: string;
}

/** Creates a project with its own PlatformIO core folder, deleted after the test. */
export async function makeProject(t: ExecutionContext, options: ProjectOptions = {}): Promise<Project> {
  if (!platformIo.isReady()) throw new Error('PlatformIO is not installed yet: npm run test:e2e does it');
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing: npm run build');
  const temporary = await mkdtemp(join(tmpdir(), 'ota-hooks-platformio-'));
  t.teardown(() => rm(temporary, { recursive: true, force: true }));
  const folder = join(temporary, options.name ?? 'project');
  const log = join(temporary, 'started.log');
  const node = join(temporary, 'node.cjs');
  await cp(platformIo.coreTemplate, join(temporary, 'core'), { recursive: true });
  await writeFile(node, nodeThatTakesNotes(log));
  await chmod(node, 0o755);

  const path = (name: string) => join(folder, name);
  const write = async (name: string, content: string | Uint8Array) => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), content);
  };
  const ini = options.ini ?? ['[env:d1]', ...environment, ...(options.lines ?? [])].join('\n');
  await write('platformio.ini', `${ini}\n`);
  await write('src/main.cpp', options.sketch ?? sketch);

  const start = async (
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Run> => {
    await writeFile(log, '');
    const result = await execa(program, args, {
      cwd: folder,
      extendEnv: false,
      env: {
        PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
        HOME: temporary,
        LANG: 'C.UTF-8',
        OTA_NODE: node,
        PLATFORMIO_CORE_DIR: join(temporary, 'core'),
        PLATFORMIO_SETTING_ENABLE_TELEMETRY: 'no',
        PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL: '9999',
        PLATFORMIO_SETTING_CHECK_PRUNE_SYSTEM_THRESHOLD: '0',
        ...env,
      },
      reject: false,
      all: true,
      timeout: 480_000,
    });
    const commands = (await readFile(log, 'utf8')).split('\n').filter((command) => command !== '');
    return { exitCode: result.exitCode, output: result.all, made: stepsIn(result.all), started: commands };
  };
  return {
    folder,
    path,
    built: (name) => join(folder, '.pio', 'build', 'd1', name),
    write,
    remove: (name) => rm(path(name)),
    run: (...args) => start(platformIo.pio, ['run', ...args], {}),
    runWith: (env, ...args) => start(platformIo.pio, ['run', ...args], env),
    test: (...args) => start(platformIo.pio, ['test', ...args], {}),
    build: (...args) => start(process.execPath, [cli, 'build', ...args], { PLATFORMIO_CLI: platformIo.pio }),
  };
}

/** A Node.js wrapper that logs each command and then runs it. */
function nodeThatTakesNotes(log: string): string {
  return `#!${process.execPath}
require('node:fs').appendFileSync(${JSON.stringify(log)}, process.argv[3] + '\\n');
const done = require('node:child_process').spawnSync(process.execPath, process.argv.slice(2), { stdio: 'inherit' });
process.exit(done.status ?? 1);
`;
}

function stepsIn(output: string): string[] {
  const steps = output.matchAll(/^(Compiling|Archiving|Linking|Building|Generating|Packing|Retrieved) (\S.*)$/gm);
  return [...steps]
    .filter(([, , what]) => what !== 'in release mode')
    .map(([, command, path]) => `${command} ${(path ?? '').split('/').at(-1)}`)
    .sort();
}

export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function makeKeys(): KeyPair {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** Writes a key pair where the hook looks for it. */
export async function placeKeys(project: Project, keys: KeyPair): Promise<void> {
  await project.write('private.key', keys.privateKey);
  await chmod(project.path('private.key'), 0o600);
  await project.write('public.key', keys.publicKey);
}

/** Returns whether a file consists of payload, signature and length, and the signature matches this key. */
export async function isSignedWith(path: string, { publicKey }: KeyPair): Promise<boolean> {
  const bytes = await readFile(path);
  const end = bytes.length - 4;
  const start = end - bytes.readUInt32LE(end);
  return verify('sha256', bytes.subarray(0, start), publicKey, bytes.subarray(start, end));
}

const suffixes = ['.gz', '.raw', '.signed', '.gz.signed', '.raw.signed', '.legacy_sig', '.ota.json'];

/** Suffixes of the artifacts beside an image. */
export function artifactsOf(image: string): string[] {
  return suffixes.filter((suffix) => existsSync(image + suffix));
}
