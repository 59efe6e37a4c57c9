import { generateKeyPairSync, verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { arduinoCli } from '../provision/arduino-cli.ts';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const cli = join(repository, 'dist', 'cli.js');
const platform = join(repository, 'test', 'e2e', 'esp8266');
const board = 'esp8266:esp8266:d1_mini';

/** A typical sketch with update support. */
export const sketchText =
  '#include <ESP8266WiFi.h>\nvoid setup() { WiFi.begin("network", "password"); }\nvoid loop() {}\n';

export interface Run {
  readonly exitCode: number | undefined;
  /** Combined stdout and stderr. */
  readonly output: string;
}

/** An isolated Arduino installation: data folder with the core, sketchbook and build cache. */
export interface Workplace {
  readonly folder: string;
  /** Folder where the Boards Manager would install the core. */
  readonly core: string;
  /** Creates a sketch and returns its folder. */
  readonly sketch: (name: string, text?: string) => Promise<string>;
  /** Runs `arduino-cli compile` as a user types it, without hook options. */
  readonly compile: (sketch: string, ...options: string[]) => Promise<Run>;
  /** Runs `arduino-cli compile` with additional environment variables. */
  readonly compileWith: (env: Readonly<Record<string, string>>, sketch: string, ...options: string[]) => Promise<Run>;
  /** Runs any arduino-cli command, with additional environment variables. */
  readonly arduinoWith: (env: Readonly<Record<string, string>>, ...args: string[]) => Promise<Run>;
  /** Runs `ota-hooks build -- …` for the same board. */
  readonly build: (sketch: string, ...options: string[]) => Promise<Run>;
  /** Runs any ota-hooks command. */
  readonly run: (...args: string[]) => Promise<Run>;
  /** Runs a command of another installation of ota-hooks. */
  readonly runScript: (script: string, ...args: string[]) => Promise<Run>;
  /** Runs any ota-hooks command with additional environment variables. */
  readonly runWith: (env: Readonly<Record<string, string>>, ...args: string[]) => Promise<Run>;
  /** Path of a sketch image. Artifacts append a suffix, as in `image(sketch) + '.signed'`. Fails before the first build. */
  readonly image: (sketch: string) => Promise<string>;
  /** Text of the manifest beside the image. */
  readonly manifest: (sketch: string) => Promise<string>;
}

/** Creates a workplace that is deleted after the test. */
export async function makeWorkplace(t: ExecutionContext, name = 'workplace'): Promise<Workplace> {
  if (!arduinoCli.isReady()) throw new Error('arduino-cli is not installed yet: npm run test:e2e does it');
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing: npm run build');
  const temporary = await mkdtemp(join(tmpdir(), 'ota-hooks-arduino-'));
  t.teardown(() => rm(temporary, { recursive: true, force: true }));
  const folder = join(temporary, name);
  const data = join(folder, 'data');
  const core = join(data, 'packages/esp8266/hardware/esp8266/3.1.2');
  await cp(arduinoCli.data, data, { recursive: true, verbatimSymlinks: true });
  await cp(platform, core, { recursive: true });
  const env = {
    PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    HOME: folder,
    LANG: 'C.UTF-8',
    ARDUINO_CLI: arduinoCli.program,
    ARDUINO_DIRECTORIES_DATA: data,
    ARDUINO_DIRECTORIES_USER: join(folder, 'user'),
    ARDUINO_DIRECTORIES_DOWNLOADS: join(folder, 'downloads'),
    ARDUINO_BUILD_CACHE_PATH: join(folder, 'cache'),
    ARDUINO_UPDATER_ENABLE_NOTIFICATION: 'false',
  };
  const settings = { cwd: folder, extendEnv: false, reject: false, all: true, timeout: 480_000 } as const;
  const runProgram = async (program: string, args: readonly string[], more = {}): Promise<Run> => {
    const { exitCode, all } = await execa(program, args, { ...settings, env: { ...env, ...more } });
    return { exitCode, output: all };
  };
  const runOwn = (args: readonly string[], more = {}) => runProgram(process.execPath, [cli, ...args], more);

  return {
    folder,
    core,
    sketch: (sketchName, text = sketchText) => makeSketch(join(folder, 'user', sketchName), sketchName, text),
    compile: (sketch, ...options) => runProgram(arduinoCli.program, ['compile', '--fqbn', board, ...options, sketch]),
    compileWith: (more, sketch, ...options) =>
      runProgram(arduinoCli.program, ['compile', '--fqbn', board, ...options, sketch], more),
    arduinoWith: (more, ...args) => runProgram(arduinoCli.program, args, more),
    manifest: async (sketch) =>
      readFile(`${await findImage(join(folder, 'cache', 'sketches'), sketch)}.ota.json`, 'utf8'),
    build: (sketch, ...options) => runOwn(['build', '--source', sketch, '--', '--fqbn', board, ...options]),
    run: (...args) => runOwn(args),
    runScript: (script, ...args) => runProgram(process.execPath, [script, ...args]),
    runWith: (more, ...args) => runOwn(args, more),
    image: (sketch) => findImage(join(folder, 'cache', 'sketches'), sketch),
  };
}

async function makeSketch(folder: string, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.ino`), text);
  return folder;
}

async function findImage(cache: string, sketch: string): Promise<string> {
  const name = `${sketch.slice(dirname(sketch).length + 1)}.ino`;
  for (const build of await readdir(cache)) {
    if (existsSync(join(cache, build, `${name}.elf`))) return join(cache, build, `${name}.bin`);
  }
  throw new Error(`${sketch} was not built`);
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

/** Writes a key pair, or only the public key, where the hooks look for it. */
export async function placeKeys(folder: string, keys: KeyPair, half: 'both' | 'public' = 'both'): Promise<void> {
  await writeFile(join(folder, 'public.key'), keys.publicKey);
  if (half === 'public') return;
  await writeFile(join(folder, 'private.key'), keys.privateKey);
  await chmod(join(folder, 'private.key'), 0o600);
}

export async function removeKeys(folder: string): Promise<void> {
  for (const name of ['public.key', 'private.key']) await rm(join(folder, name), { force: true });
}

/** Returns whether a file consists of payload, signature and length, and the signature matches this key. */
export async function isSignedWith(path: string, { publicKey }: KeyPair): Promise<boolean> {
  const bytes = await readFile(path);
  const end = bytes.length - 4;
  const start = end - bytes.readUInt32LE(end);
  return verify('sha256', bytes.subarray(0, start), publicKey, bytes.subarray(start, end));
}

/** Returns whether a device with this image verifies updates: the linker kept the verifier, and the image contains the key. */
export async function willVerify(image: string, { publicKey }: KeyPair): Promise<boolean> {
  const elf = `${image.slice(0, -'.bin'.length)}.elf`;
  const { stdout } = await execa('xtensa-lx106-elf-nm', ['--demangle', elf]);
  return stdout.includes('updaterSigningVerifier') && (await readFile(image)).includes(publicKey);
}

/** Suffixes of the files beside an image, including temporary files. */
export async function artifactsOf(image: string): Promise<readonly string[]> {
  const name = image.slice(dirname(image).length + 1);
  const names = await readdir(dirname(image));
  return names
    .filter((it) => it !== name && (it.startsWith(name) || it.startsWith(`.${name}`)))
    .map((it) => (it.startsWith('.') ? it : it.slice(name.length)))
    .sort();
}

/** Suffixes of the artifacts that a build with both keys writes. */
export const allArtifacts: readonly string[] = ['.gz', '.gz.signed', '.ota.json', '.signed'];
/** Suffixes of the artifacts that a build without a private key writes. */
export const unsignedArtifacts: readonly string[] = ['.gz', '.ota.json'];
