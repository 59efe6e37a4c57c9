import { generateKeyPairSync, verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { execa } from 'execa';
import { arduinoCli } from '../provision/arduino-cli.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
export const cli = join(repository, 'dist', 'cli.js');
const platform = join(repository, 'test', 'e2e', 'esp8266');
const board = 'esp8266:esp8266:d1_mini';

/** A sketch that takes updates, as most do. */
export const sketchText =
  '#include <ESP8266WiFi.h>\nvoid setup() { WiFi.begin("network", "password"); }\nvoid loop() {}\n';

export interface Run {
  readonly exitCode: number | undefined;
  /** Everything that was printed, stdout and stderr. */
  readonly output: string;
}

/** An Arduino of its own: data folder with the core installed, sketchbook, build cache. */
export interface Workplace {
  readonly folder: string;
  /** Where the Boards Manager would have put the core. */
  readonly core: string;
  /** Makes a sketch; gives its folder. */
  readonly sketch: (name: string, text?: string) => Promise<string>;
  /** `arduino-cli compile` as a user types it, none of our hooks given. */
  readonly compile: (sketch: string, ...options: string[]) => Promise<Run>;
  /** The same with other environment variables. */
  readonly compileWith: (env: Readonly<Record<string, string>>, sketch: string, ...options: string[]) => Promise<Run>;
  /** Any command of arduino-cli, with other environment variables. */
  readonly arduinoWith: (env: Readonly<Record<string, string>>, ...args: string[]) => Promise<Run>;
  /** `ota-hooks build -- …` on the same board. */
  readonly build: (sketch: string, ...options: string[]) => Promise<Run>;
  /** Any command of ours. */
  readonly run: (...args: string[]) => Promise<Run>;
  /** The same with other environment variables. */
  readonly runWith: (env: Readonly<Record<string, string>>, ...args: string[]) => Promise<Run>;
  /** Path of what stands beside a sketch's image: `image(sketch) + '.signed'`. Known once the sketch was built. */
  readonly image: (sketch: string) => Promise<string>;
  /** The text of the manifest beside it. */
  readonly manifest: (sketch: string) => Promise<string>;
}

/** A workplace that is gone after the test. */
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

/** Puts a pair, or its public half alone, where the hooks look for it. */
export async function placeKeys(folder: string, keys: KeyPair, half: 'both' | 'public' = 'both'): Promise<void> {
  await writeFile(join(folder, 'public.key'), keys.publicKey);
  if (half === 'public') return;
  await writeFile(join(folder, 'private.key'), keys.privateKey);
  await chmod(join(folder, 'private.key'), 0o600);
}

export async function removeKeys(folder: string): Promise<void> {
  for (const name of ['public.key', 'private.key']) await rm(join(folder, name), { force: true });
}

/** Whether a file is payload, signature and length, as a device with this key wants it. */
export async function isSignedWith(path: string, { publicKey }: KeyPair): Promise<boolean> {
  const bytes = await readFile(path);
  const end = bytes.length - 4;
  const start = end - bytes.readUInt32LE(end);
  return verify('sha256', bytes.subarray(0, start), publicKey, bytes.subarray(start, end));
}

/** Whether a device running this image verifies: the linker kept the verifier, and the key is in the image. */
export async function willVerify(image: string, { publicKey }: KeyPair): Promise<boolean> {
  const elf = `${image.slice(0, -'.bin'.length)}.elf`;
  const { stdout } = await execa('xtensa-lx106-elf-nm', ['--demangle', elf]);
  return stdout.includes('updaterSigningVerifier') && (await readFile(image)).includes(publicKey);
}

/** The suffixes of what stands beside an image, temporary files included. */
export async function artifactsOf(image: string): Promise<readonly string[]> {
  const name = image.slice(dirname(image).length + 1);
  const names = await readdir(dirname(image));
  return names
    .filter((it) => it !== name && (it.startsWith(name) || it.startsWith(`.${name}`)))
    .map((it) => (it.startsWith('.') ? it : it.slice(name.length)))
    .sort();
}

/** What a build with both keys leaves beside the image. */
export const allArtifacts: readonly string[] = ['.gz', '.gz.signed', '.ota.json', '.signed'];
/** The same without a private key. */
export const unsignedArtifacts: readonly string[] = ['.gz', '.ota.json'];
