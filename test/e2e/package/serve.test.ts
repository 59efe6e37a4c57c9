/** The installed package serves without other packages on a Node.js version with SQLite, and with libsql on an older version. */
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { installNode } from '../provision/node.ts';
import { type InstalledProject, installedProject } from './installed.ts';

const serve = ['npx', 'ota-hooks', 'serve', '--data', 'data', '--listen', '127.0.0.1:0'];
const mostBytes = 10_000_000;

interface Served {
  readonly status: number;
  /** First admin token, or the token passed in. */
  readonly token: string | undefined;
  /** Combined stdout and stderr. */
  readonly output: string;
}

/** Starts a server, requests its metrics, and stops it with SIGINT. */
async function serveOnce(project: InstalledProject, node: string, token?: string): Promise<Served> {
  const server = project.run(serve, node);
  let output = '';
  const shown = once(
    createInterface({ input: server.all }).on('line', (line) => (output += `${line}\n`)),
    'close',
  );
  const until = async (pattern: RegExp) => {
    while (!pattern.test(output))
      await Promise.race([once(server.all, 'data'), shown.then(() => Promise.reject(new Error(output)))]);
    return pattern.exec(output)?.[1];
  };
  const url = await until(/Serving on (http:\S+)/);
  const first = token ?? (await tokenIn(project.folder, await until(/First admin token: in (\S+),/)));
  const { status } = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${first}` } });
  if (server.pid !== undefined) process.kill(-server.pid, 'SIGINT');
  await server;
  await shown;
  return { status, token: first, output };
}

async function tokenIn(folder: string, path: string | undefined): Promise<string> {
  return (await readFile(resolve(folder, path ?? ''), 'utf8')).trim();
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('the installed package and its dependencies use at most 10 MB', async (t) => {
  const { folder } = await installedProject(t);
  const bytes = await bytesIn(join(folder, 'node_modules'));
  t.log(`${bytes} bytes`);
  t.true(bytes <= mostBytes, `${bytes} bytes`);
});

async function assertServes(t: ExecutionContext, project: InstalledProject, node: string, token?: string) {
  const served = await serveOnce(project, node, token);
  t.is(served.status, 200, served.output);
  t.notRegex(served.output, /Warning/);
  return served.token;
}

for (const version of ['22.13.0', '22', '24', '26']) {
  test(`serves on Node.js ${version} without other packages and without warnings`, async (t) => {
    await assertServes(t, await installedProject(t), await installNode(version));
  });
}

test('on Node.js 20.19, names the missing package libsql and serves after its installation', async (t) => {
  const project = await installedProject(t);
  const node = await installNode('20.19.0');
  const { exitCode, all } = await project.run(serve, node);
  t.is(exitCode, 1);
  t.regex(
    all,
    /^error\[SQLITE_MISSING\]: The server on Node\.js 20\.19\.0 needs the libsql package, which is not installed\n.*npm install --save-dev libsql@0\.5/m,
  );
  await project.install('libsql@0.5');
  const token = await assertServes(t, project, node);
  // Each driver can open the data folder of the other.
  await assertServes(t, project, await installNode('24'), token);
  await assertServes(t, project, node, token);
});
