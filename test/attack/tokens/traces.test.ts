import { readFile, stat } from 'node:fs/promises';
import test from 'ava';
import { Refusals } from '../../../src/server/services/refusals.ts';
import { testBuild } from '../../server/builds.ts';
import { testDashboard } from '../../server/dashboard/browsing.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

interface Audited {
  readonly actor: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

async function audited({ api }: TestServer, action: string): Promise<readonly Audited[]> {
  const { body } = await api('GET', '/audit?limit=1000');
  // The response has the type AuditInfo.
  return (body['entries'] as readonly Audited[]).filter((entry) => entry.action === action);
}

async function metricsOf({ url }: TestServer, token: string): Promise<string> {
  return (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
}

test('records rejected tokens and logins in the log, the metrics and the audit log', async (t) => {
  const server = await startTestServer(t);
  const reader = await server.api('POST', '/tokens', { roles: ['read'] });
  for (let count = 0; count < 3; count++) await server.api('GET', '/projects', undefined, 'ota_guess');
  await server.api('POST', '/tokens', {}, String(reader.body['token']));
  const headers = { origin: server.url, 'sec-fetch-site': 'same-origin' };
  const body = new URLSearchParams({ token: 'ota_guess' });
  t.is((await fetch(`${server.url}/login`, { method: 'POST', headers, body })).status, 401);
  await server.parts.refusals.flush();
  const [entry, ...more] = await audited(server, 'access.refused');
  t.deepEqual(more, []);
  t.like(entry, { actor: 'server', detail: { address: '127.0.0.1', tokens: 3, logins: 1, roles: 1 } });
  const lines = server.logged.filter(({ message }) => message.startsWith('Access refused'));
  t.is(lines.length, 1, 'one line for each address and interval');
  const stored = server.logged.filter(({ level }) => level !== 'debug');
  t.false(JSON.stringify(stored).includes('127.0.0.1'), 'only the audit log, which is cleaned, contains the address');
  t.false(JSON.stringify(server.logged).includes('ota_guess'));
  const metrics = await metricsOf(server, server.token);
  for (const [kind, count] of [
    ['token', 3],
    ['login', 1],
    ['role', 1],
  ]) {
    t.true(metrics.includes(`ota_access_rejected_total{kind="${kind}"} ${count}\n`), metrics);
  }
});

test('also counts rejected requests of a rate-limited address', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 2, failuresPerSecond: 0 } });
  for (let count = 0; count < 4; count++) await server.api('GET', '/projects', undefined, 'ota_guess');
  const { status, body } = await server.api('GET', '/projects', undefined, 'ota_guess');
  t.is(status, 429);
  t.regex(JSON.stringify(body), /missing, unknown or revoked token; also, too many failed requests/);
  await server.parts.refusals.flush();
  t.like(await audited(server, 'access.refused'), [{ detail: { tokens: 5 } }]);
});

test('limits the audit entries and log lines that many addresses can cause', async (t) => {
  const { parts } = await testDashboard(t);
  const lines: string[] = [];
  const line = (_: object, message: string) => void lines.push(message);
  const log = { debug: () => undefined, info: line, warn: line, error: line };
  const refusals = new Refusals({ store: parts.store, events: parts.events, log });
  for (let address = 0; address < 5000; address++) refusals.note(`2001:db8:${address.toString(16)}::/64`, 'token');
  await refusals.flush();
  await refusals.flush();
  const entries = await parts.store.audit.list({ limit: 1000 });
  const refused = entries.filter(({ action }) => action === 'access.refused');
  t.is(refused.length, 11);
  t.like(refused[0], { detail: { address: 'other addresses', tokens: 4990 } });
  t.is(lines.length, 11);
});

test('records which token downloaded a backup', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.api('POST', '/tokens', { roles: ['admin'] });
  const headers = { authorization: `Bearer ${body['token']}` };
  t.is((await fetch(`${server.url}/api/v1/backup`, { headers })).status, 200);
  t.like(await audited(server, 'backup.exported'), [{ actor: body['id'] }]);
});

test('keeps the last admin token, and explains in the hint how to replace it', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.api('GET', '/tokens');
  // The response has the type TokenInfo.
  const [first] = body['tokens'] as readonly { id: string }[];
  const project = await server.api('POST', '/tokens', { roles: ['admin'], project: 'door' });
  const revoked = await server.api('DELETE', `/tokens/${first?.id}`);
  t.is(revoked.status, 409);
  t.regex(JSON.stringify(revoked.body), /tokens create --role admin/);
  const next = await server.api('POST', '/tokens', { roles: ['admin'] });
  const as = String(next.body['token']);
  t.is((await server.api('DELETE', `/tokens/${first?.id}`, undefined, as)).status, 200);
  t.is((await server.api('DELETE', `/tokens/${project.body['id']}`, undefined, as)).status, 200);
  t.is((await server.api('DELETE', `/tokens/${next.body['id']}`, undefined, as)).status, 409);
});

test('shows a token for one project only the metrics of this project', async (t) => {
  const server = await startTestServer(t);
  const tokenOf = async (project: string) => {
    const { body } = await server.api('POST', '/tokens', { roles: ['read'], project });
    return String(body['token']);
  };
  for (const [project, seed] of [
    ['door', 1],
    ['window', 2],
    ['window', 3],
  ] as const) {
    t.is((await server.publish(await testBuild({ project, version: `${seed}.0`, seed }))).status, 201);
  }
  const [door, window] = [
    await metricsOf(server, await tokenOf('door')),
    await metricsOf(server, await tokenOf('window')),
  ];
  t.regex(door, /^ota_publications_total 1$/m);
  t.regex(window, /^ota_publications_total 2$/m);
  t.regex(await metricsOf(server, server.token), /^ota_publications_total 3$/m);
  t.notRegex(door, /window|process_|ota_sent_bytes|ota_access|ota_downloads/);
});

for (const [where, prompt, isPrinted] of [
  ['on a terminal', { confirm: async () => true }, true],
  ['without a terminal', undefined, false],
] as const) {
  test(`serve ${isPrinted ? 'prints' : 'does not print'} the first admin token ${where}`, async (t) => {
    const folder = await testFolder(t);
    const stop = new AbortController();
    let output = '';
    const argv = ['serve', '--data', 'data', '--listen', '127.0.0.1:0'];
    await runCommand(argv, {
      cwd: folder.path,
      signal: stop.signal,
      prompt,
      onOutput: (text) => {
        output += text;
        if (output.includes('First admin token')) stop.abort();
      },
    });
    const path = folder.at('data/first-admin.token');
    const token = (await readFile(path, 'utf8')).trim();
    t.regex(token, /^ota_/);
    t.is(output.includes(token), isPrinted);
    t.regex(output, /Dashboard: http:\/\/127\.0\.0\.1:\d+\//);
    t.true(output.includes('data/first-admin.token'));
    if (process.platform !== 'win32') t.is((await stat(path)).mode & 0o777, 0o600);
  });
}
