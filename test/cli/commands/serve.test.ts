import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { readableLog } from '../../../src/cli/commands/serve/readable-log.ts';
import type { Io } from '../../../src/cli/io.ts';
import { filteredOutput } from '../../../src/cli/output/terminal-text.ts';
import { hostAndPort } from '../../../src/cli/shared/option-values.ts';
import { firstTokenKeeper } from '../../../src/server/first-token-file.ts';
import { pinoLog } from '../../../src/server/observability/pino-log.ts';
import { startTestServer } from '../../server/running-server.ts';
import { ageCertificate, usedAuthority } from '../../server/tls/authority.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { patienceMs } from '../../support/patience.ts';
import { startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

interface Ready {
  readonly event: string;
  readonly url: string;
  readonly deviceUrl: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly header?: string;
}

/** Starts `serve --json` in a separate process and returns its first line. */
async function serving(t: ExecutionContext, folder: TestFolder, ...more: string[]) {
  const argv = ['serve', '--data', folder.at('data'), '--listen', '127.0.0.1:0', '--json', ...more];
  const process = startCli(argv, folder.path);
  t.teardown(() => process.kill('SIGKILL'));
  const lines = createInterface({ input: process.stdout });
  const first = await new Promise<string>((resolve) => lines.once('line', resolve));
  return { process, ready: JSON.parse(first) as Ready };
}

test('serve writes the first admin token to a private file and stops cleanly on a signal', async (t) => {
  const folder = await testFolder(t);
  const first = await serving(t, folder);
  t.is(first.ready.event, 'ready');
  t.regex(first.ready.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.is(first.ready.tokenFile, folder.at('data/first-admin.token'));
  const token = (await folder.text('data/first-admin.token')).trim();
  t.regex(token, /^ota_[0-9a-f]{12}_[\w-]{43}$/);
  if (process.platform !== 'win32') t.is((await stat(folder.at('data/first-admin.token'))).mode & 0o777, 0o600);
  const authorization = `Bearer ${token}`;
  const request = (url: string) => fetch(`${url}/api/v1/server`, { headers: { authorization } });
  t.like(await (await request(first.ready.url)).json(), { name: 'ota-hooks', api: 1, roles: ['admin'] });

  first.process.kill('SIGTERM');
  const ended = await first.process;
  t.is(ended.exitCode, 0);
  const lines = ended.stdout.trim().split('\n');
  t.deepEqual(
    lines.map((line) => JSON.parse(line).event),
    ['ready', 'stopped'],
  );
  t.notRegex(ended.stderr + ended.stdout, new RegExp(token), 'the output does not contain the token');

  const second = await serving(t, folder);
  t.is(second.ready.tokenFile, undefined);
  t.is((await request(second.ready.url)).status, 200, 'the token is still valid after a restart');
  const third = await runCommand(['serve', '--data', folder.at('data'), '--listen', '127.0.0.1:0'], {
    cwd: folder.path,
  });
  t.is(third.error?.code, 'SERVER_DATA_IN_USE');
  second.process.kill('SIGINT');
  await second.process;
});

test('serve prints the HTTPS URL, the device URL and the CA files in the ready line', async (t) => {
  const folder = await testFolder(t);
  const { process, ready } = await serving(t, folder, '--tls', 'self-signed', '--device-listen', '127.0.0.1:0');
  t.regex(ready.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  t.regex(ready.deviceUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
  t.is(ready.ca, folder.at('data/tls/ca.pem'));
  t.is(ready.header, folder.at('data/tls/ota_server_tls.h'));
  t.is((await fetch(`${ready.deviceUrl}/update/door`)).status, 403);
  t.is((await fetch(`${ready.deviceUrl}/healthz`)).status, 404);
  process.kill('SIGTERM');
  t.is((await process).exitCode, 0);
});

if (process.platform !== 'win32') {
  test('serve reloads the certificate on SIGHUP and keeps running', async (t) => {
    const folder = await usedAuthority(t);
    const own = ['--tls-cert', 'tls/server.pem', '--tls-key', 'tls/server.key'];
    await chmod(folder.at('tls/server.key'), 0o644);
    const { process, ready } = await serving(t, folder, ...own);
    t.is(ready.deviceUrl, ready.url);
    await ageCertificate(folder, 10);
    process.kill('SIGHUP');
    const lines = createInterface({ input: process.stderr });
    const retryPolicy = setTimeout(() => process.kill('SIGKILL'), patienceMs);
    for await (const line of lines) if (line.includes('Certificate replaced')) break;
    clearTimeout(retryPolicy);
    process.kill('SIGTERM');
    const { exitCode, stderr } = await process;
    t.is(exitCode, 0);
    t.regex(stderr, /server\.key can be read by other users; run: chmod 600 .*server\.key/);
    t.regex(stderr, /Certificate replaced/);
  });
}

if (process.platform !== 'win32') {
  test('serve without TLS ignores SIGHUP and SIGUSR1, and stops like after SIGTERM on SIGQUIT', async (t) => {
    const { process, ready } = await serving(t, await testFolder(t), '--log-level', 'debug');
    for (const signal of ['SIGHUP', 'SIGUSR1'] as const) {
      process.kill(signal);
      t.is((await fetch(`${ready.url}/healthz`)).status, 200, signal);
    }
    process.kill('SIGQUIT');
    const { exitCode, stdout, stderr } = await process;
    t.is(exitCode, 0);
    t.regex(stdout, /"stopped"/);
    t.notRegex(stderr, /Debugger listening/);
  });

  test('serve makes the folders private, also those that existed before', async (t) => {
    const folder = await testFolder(t);
    for (const name of ['data', 'data/blobs', 'data/tls']) {
      await mkdir(folder.at(name));
      await chmod(folder.at(name), 0o755);
    }
    const { process } = await serving(t, folder);
    for (const name of ['data', 'data/blobs', 'data/uploads', 'data/tls']) {
      t.is((await stat(folder.at(name))).mode & 0o777, 0o700, name);
    }
    process.kill('SIGTERM');
    await process;

    await chmod(folder.at('data'), 0o711);
    await chmod(folder.at('data/blobs'), 0o755);
    const proxied = await serving(t, folder, '--x-accel-redirect', '/blobs');
    t.is((await stat(folder.at('data'))).mode & 0o777, 0o711, 'nginx reads the blobs');
    t.is((await stat(folder.at('data/blobs'))).mode & 0o777, 0o755);
    proxied.process.kill('SIGTERM');
    await proxied.process;
  });
}

test('serve rejects invalid options', async (t) => {
  const { path } = await testFolder(t);
  const refused = async (...argv: string[]) => (await runCommand(['serve', ...argv], { cwd: path })).exitCode;
  t.is(await refused(), 2);
  t.is(await refused('--data', 'data', '--listen', 'here'), 2);
  t.is(await refused('--data', 'data', '--listen', 'here:99999'), 2);
  for (const listen of [
    '::1:80',
    '0:0',
    '0:8266',
    '1.2.3:80',
    '0x7f.1:80',
    '[::1]',
    '[1.2.3.4]:80',
    '*:80',
    'a b:80',
    '80',
  ]) {
    t.is(await refused('--data', 'data', '--listen', listen), 2, listen);
  }
  t.is(await refused('--data', 'data', '--grace', 'long'), 2);
  for (const path of ['ota', '/ota/../x', '/./ota', '//ota', '/ota?x', '/api', '/update/ota', '/']) {
    t.is(await refused('--data', 'data', '--base-path', path), 2, path);
  }
  t.is(await refused('--data', 'data', '--log-level', 'loud'), 2);
  t.is(await refused('--data', 'data', '--max-downloads', '-1'), 2);
  t.is(await refused('--data', 'data', '--device-listen', 'here'), 2);
  t.is(await refused('--data', 'data', '--tls', 'somehow'), 2);
  t.is(await refused('--data', 'data', '--tls-cert', 'cert.pem'), 2);
  t.is(await refused('--data', 'data', '--tls-host', 'here'), 2);
  t.is(await refused('--data', 'data', '--tls', 'self-signed', '--tls-host', 'https://here'), 2);
  t.is(await refused('--data', 'data', '--tls', 'self-signed', '--tls-cert', 'cert.pem', '--tls-key', 'key.pem'), 2);
});

test('serve at a terminal prints readable lines, the dashboard and the first token, and later where the token is', async (t) => {
  const folder = await testFolder(t);
  const start = async (...more: readonly string[]) => {
    const ctrlC = new AbortController();
    let shown = '';
    const running = runCommand(['serve', '--data', 'data', '--listen', '127.0.0.1:0', '--verbose', ...more], {
      cwd: folder.path,
      size: { columns: 100, rows: 30 },
      signal: ctrlC.signal,
      prompt: { confirm: async () => false },
      onOutput: (text) => {
        shown += text;
        if (/Dashboard: .*\n(?:.*token.*\n)?/.test(shown)) ctrlC.abort();
      },
    });
    return running;
  };
  const first = await start('--token-file', 'admin.token');
  const token = (await folder.text('admin.token')).trim();
  t.regex(first.stderr, /^ {2}Dashboard: http:\/\/127\.0\.0\.1:\d+\/$/m);
  t.true(first.stderr.includes(`  First admin token (also in admin.token): ${token}\n`), first.stderr);
  const second = await start('--token-file', 'admin.token');
  t.regex(
    second.stderr,
    /First admin token: in admin\.token, which only its owner can read\. Store the token, then delete/,
  );
  t.false(second.stderr.includes(token));
  const third = await start();
  t.notRegex(third.stderr, /First admin token/);
  for (const { stderr } of [first, second, third]) t.notRegex(stderr, /^\{/m, 'no JSON lines');
});

test('serve never overwrites a file with the first admin token that the user named', async (t) => {
  const folder = await testFolder(t, { 'private.key': 'precious' });
  const argv = ['serve', '--data', 'data', '--listen', '127.0.0.1:0', '--token-file', 'private.key'];
  t.is((await runCommand(argv, { cwd: folder.path })).error?.code, 'FILE_EXISTS');
  t.is(await folder.text('private.key'), 'precious');
});

test('serve replaces a token file of a start that stopped before the token was stored, and no other file', async (t) => {
  const folder = await testFolder(t);
  const keeper = () => firstTokenKeeper(folder.at('data'), folder.at('admin.token'));
  await keeper().keep('ota_first');
  await keeper().keep('ota_second');
  t.is(await folder.text('admin.token'), 'ota_second\n');
  const server = await startTestServer(t, { data: folder.at('data'), tokenFile: folder.at('admin.token') });
  t.is(`${server.token}\n`, await folder.text('admin.token'));
  t.is((await server.api('GET', '/token')).status, 200);
  await expectOtaError(t, 'FILE_EXISTS', () => keeper().keep('ota_third'));
  t.is(`${server.token}\n`, await folder.text('admin.token'));
  await rm(folder.at('admin.token'));
  await keeper().keep('ota_fourth');
  await writeFile(folder.at('admin.token'), 'precious');
  await expectOtaError(t, 'FILE_EXISTS', () => keeper().keep('ota_fifth'));
  t.is(await folder.text('admin.token'), 'precious');
});

test('the log at a terminal shows time, severity, message and fields of the JSON lines, and no control characters', (t) => {
  const shown: string[] = [];
  const stderr = filteredOutput((text) => shown.push(text));
  const write = readableLog({ stderr, fancy: false } as unknown as Io);
  const log = pinoLog('info', write);
  log.info({ project: 'door', devices: 2, token: 'ota_secret' }, 'Rollout changed');
  log.warn({ address: 'a\u001b[2Jb' }, 'Access refused');
  log.error({ err: new TypeError('kaput') }, 'Maintenance failed');
  const time = '\\d\\d:\\d\\d:\\d\\d';
  const [info = '', warning = '', error = ''] = shown;
  t.regex(info, new RegExp(`^${time} {2}Rollout changed project=door devices=2 token="?\\[secret\\]"?\n$`));
  t.regex(warning, new RegExp(`^${time} {2}warning: Access refused address=.*b"?\n$`));
  t.false(warning.includes('\u001b'));
  t.regex(error, new RegExp(`^${time} {2}error: Maintenance failed: TypeError: kaput\n$`));
});

test('listen addresses have one form', (t) => {
  t.deepEqual(hostAndPort('0.0.0.0:0'), { host: '0.0.0.0', port: 0 });
  t.deepEqual(hostAndPort(':8266'), { host: '0.0.0.0', port: 8266 });
  t.deepEqual(hostAndPort('[0:0::0]:80'), { host: '::', port: 80 });
  t.deepEqual(hostAndPort('[fe80::1%eth0]:80'), { host: 'fe80::1%eth0', port: 80 });
  t.deepEqual(hostAndPort('ota-1.example.com:65535'), { host: 'ota-1.example.com', port: 65_535 });
  t.deepEqual(hostAndPort('localhost:80'), { host: 'localhost', port: 80 });
});
