import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { rolldown } from 'rolldown';

const cache = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url));
const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));

/** The command line as one file that starts in a fifth of a second; a test that starts it 200 times cannot wait for more. */
export async function bundleCli(): Promise<{ path: string; remove(): Promise<void> }> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(`${cache}cli-`);
  const path = `${folder}/cli.js`;
  const bundle = await rolldown({
    input: cli,
    platform: 'node',
    external: (id) => /^[^./]/.test(id) && !id.startsWith('/'),
  });
  await bundle.write({ file: path, format: 'esm', codeSplitting: false });
  await bundle.close();
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

export interface ServingProcess {
  /** Undefined when it was killed before it served. */
  readonly url: string | undefined;
  readonly token: string | undefined;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<unknown>;
}

/** Starts a server, and waits until it serves or has ended. */
export async function serveWith(
  cliPath: string,
  data: string,
  killAfterMs?: number,
  { more = [], env = {} }: { more?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<ServingProcess> {
  const argv = [
    cliPath,
    'serve',
    '--data',
    data,
    '--listen',
    '127.0.0.1:0',
    '--json',
    '--quiet',
    '--grace',
    '1',
    ...more,
  ];
  const child = execa(process.execPath, argv, { env, reject: false, stderr: 'ignore' });
  if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once('line', resolve)),
    child.then(() => undefined),
  ]);
  // The ready line.
  const ready: { url?: string; token?: string } = first === undefined ? {} : JSON.parse(first);
  return { url: ready.url, token: ready.token, kill: (signal) => void child.kill(signal), ended: child };
}
