import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** Path of the built CLI; `npm run test:e2e` builds it first. */
export const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

export interface ServingProcess {
  /** Undefined if the process was killed before it was ready. */
  readonly url: string | undefined;
  readonly token: string | undefined;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<unknown>;
}

/** Starts a server and waits until it is ready or has ended. */
export async function serveWith(
  data: string,
  killAfterMs?: number,
  { more = [], env = {} }: { more?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<ServingProcess> {
  const argv = [cli, 'serve', '--data', data, '--listen', '127.0.0.1:0', '--json', '--quiet', '--grace', '1', ...more];
  const child = execa(process.execPath, argv, { env, reject: false, stderr: 'ignore' });
  if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once('line', resolve)),
    child.then(() => undefined),
  ]);
  const ready: { url?: string; tokenFile?: string } = first === undefined ? {} : JSON.parse(first);
  const token = ready.tokenFile && (await readFile(ready.tokenFile, 'utf8')).trim();
  return { url: ready.url, token, kill: (signal) => void child.kill(signal), ended: child };
}
