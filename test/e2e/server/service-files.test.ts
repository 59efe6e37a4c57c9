/** Tests the files in templates/server as far as possible without a container runtime. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { startCli } from '../../support/run-cli.ts';
import { testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';
import { readCompose } from './compose-file.ts';

const textOf = (path: string) => readFile(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
const [unit, container] = await Promise.all(
  ['templates/server/ota-hooks.service', 'templates/server/Containerfile'].map(textOf),
);

function found(pattern: RegExp, text: string | undefined): string {
  const [, first] = pattern.exec(text ?? '') ?? [];
  if (first === undefined) throw new Error(`no match for ${pattern}`);
  return first;
}

/** Runs the server with the arguments of a template, but with its own data folder and a free port. */
async function serveAs(t: ExecutionContext, argv: readonly string[], folder: string) {
  const data = (await testFolder(t)).at('data');
  const words = argv.map((word) => (word === folder ? data : word.replace(/:(8266|8443)$/, ':0')));
  const server = startCli([...words, '--json'], process.cwd());
  t.teardown(() => server.kill('SIGKILL'));
  const lines = createInterface({ input: server.stdout });
  const ready = JSON.parse(await new Promise<string>((resolve) => lines.once('line', resolve)));
  return { server, data, port: new URL(ready.url).port, ready };
}

test('systemd accepts the unit, and its command serves and exits with 0', async (t) => {
  await aptInstall(['systemd']);
  const command = found(/^ExecStart=(.+)$/m, unit);
  const [program = '', ...argv] = command.split(' ');
  const folder = await testFolder(t);
  const file = await folder.write('ota-hooks.service', (unit ?? '').replace(program, process.execPath));
  const { exitCode, all } = await execa('systemd-analyze', ['verify', '--man=no', file], { reject: false, all: true });
  t.is(exitCode, 0, all);
  t.notRegex(all ?? '', /ota-hooks\.service/, 'systemd reports no warnings');

  const { server, ready } = await serveAs(t, argv, '/var/lib/ota-hooks');
  t.like(ready, { event: 'ready' });
  const [, signal = ''] = /^ExecReload=\/bin\/kill -(\w+) \$MAIN\w+$/m.exec(unit ?? '') ?? [];
  t.is(signal, 'HUP');
  server.kill(`SIG${signal}` as NodeJS.Signals);
  t.is((await fetch(`${ready.url}/healthz`)).status, 200, 'a reload does not end the server');
  server.kill('SIGTERM');
  t.is((await server).exitCode, 0);
});

test('the container command serves, and its health check fails after the server stops', async (t) => {
  const argv: readonly string[] = JSON.parse(found(/^ENTRYPOINT (\[.+\])$/m, container));
  const { server, port } = await serveAs(t, argv.slice(1), '/data');
  const health: readonly string[] = JSON.parse(found(/^HEALTHCHECK .*CMD (\[.+\])$/m, container));
  const { services } = await readCompose('compose-several.yml');
  const [kind, program, ...ofSeveral] = services['ota-1']?.healthcheck?.test ?? [];
  t.deepEqual([kind, program], ['CMD', 'node']);
  const check = (words: readonly string[]) =>
    execa(
      process.execPath,
      words.map((word) => word.replace(':8266', `:${port}`)),
      { reject: false },
    );
  const codes = async () => [(await check(health.slice(1))).exitCode, (await check(ofSeveral)).exitCode];
  t.deepEqual(await codes(), [0, 0]);
  server.kill('SIGTERM');
  await server;
  t.deepEqual(await codes(), [1, 1]);
});

test('the command of compose-one.yml serves people over TLS and devices over HTTP, on its published ports', async (t) => {
  const { services } = await readCompose('compose-one.yml');
  const { command = [], ports, healthcheck } = services['ota'] ?? {};
  const listening = command.flatMap((word) => /^0\.0\.0\.0:(\d+)$/.exec(word)?.[1] ?? []);
  t.deepEqual(
    ports,
    listening.map((port) => `${port}:${port}`),
  );
  const { server, data, port, ready } = await serveAs(t, command, '/data');
  t.like(ready, { event: 'ready', ca: `${data}/tls/ca.pem` });
  t.is((await fetch(`${ready.deviceUrl}/update/none`)).status, 403, 'the client is not a device');
  const [kind, line = ''] = healthcheck?.test ?? [];
  t.is(kind, 'CMD-SHELL');
  const check = () =>
    execa('sh', ['-c', line.replaceAll('/data/', `${data}/`).replace(':8443', `:${port}`)], { reject: false });
  t.is((await check()).exitCode, 0);
  server.kill('SIGTERM');
  t.is((await server).exitCode, 0);
  t.is((await check()).exitCode, 1);
});

test('unit and container install only ota-hooks, and the container has a Node.js with SQLite', (t) => {
  t.is(found(/npm install --global --prefix \S+ (.+?)(?: {2,}.*)?$/m, unit), 'ota-hooks');
  t.is(found(/npm install --global --no-fund --no-audit (.+?)(?: \\)?$/m, container), 'ota-hooks');
  t.true(Number(found(/^FROM \S+node:(\d+)-slim$/m, container)) >= 22);
});
