/** Sessions, log-ins, tokens and pages of several processes that share one database. */
import test from 'ava';
import { firstToken } from '../../../src/server/services/tokens.ts';
import { testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { loseNotices, type Process, twoProcesses } from './two-processes.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });

function logIn({ url }: Process, token: string): Promise<Response> {
  return fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url },
    body: new URLSearchParams({ token }),
  });
}

async function cookieOf(process: Process, token: string): Promise<string> {
  return (await logIn(process, token)).headers.get('set-cookie')?.split(';')[0] ?? '';
}

function page({ url }: Process, cookie: string, path = '/'): Promise<Response> {
  return fetch(url + path, { redirect: 'manual', headers: { cookie } });
}

test('accepts a session in both processes until it ends in one of them', async (t) => {
  const { first, second, token } = await twoProcesses(t);
  const cookie = await cookieOf(first, token);
  const seen = await page(second, cookie);
  t.is(seen.status, 200);
  const form = /name="form" value="([^"]+)"/.exec(await seen.text())?.[1] ?? '';
  await fetch(`${second.url}/logout`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: second.url },
    body: new URLSearchParams({ form }),
  });
  t.is((await page(first, cookie)).status, 303);
});

test('ends the sessions and requests of a revoked token in both processes', async (t) => {
  const { first, second } = await twoProcesses(t);
  const { body } = await first.api('POST', '/tokens', { roles: ['read'] });
  const cookie = await cookieOf(first, String(body['token']));
  t.is((await second.api('DELETE', `/tokens/${body['id']}`)).status, 200);
  t.is((await page(first, cookie)).status, 303);
  t.is((await first.api('GET', '/server', undefined, String(body['token']))).status, 401);
});

test('limits failed log-ins and rejected tokens of an address across processes', async (t) => {
  const { first, second } = await twoProcesses(t, { failuresPerAddress: 4, failuresPerSecond: 1e-6 });
  for (const process of [first, second, first]) t.is((await logIn(process, 'ota_of_nobody')).status, 401);
  t.is((await second.api('GET', '/server', undefined, 'ota_of_nobody')).status, 401);
  for (const process of [first, second]) {
    t.is((await logIn(process, 'ota_of_nobody')).status, 429);
    t.is((await process.api('GET', '/server', undefined, 'ota_of_nobody')).status, 429);
  }
});

test('shows a project and its alias that another process created', async (t) => {
  const { first, second } = await twoProcesses(t);
  loseNotices(first);
  t.is((await first.publish(build)).status, 201);
  t.is((await second.api('GET', '/projects/door')).status, 200);
  t.is((await requestAsDevice(second.port, '/update/door')).status, 200);
  await first.api('PUT', '/projects/door', { aliases: [{ path: '/esp.php' }] });
  await second.parts.catalog.update();
  t.is((await requestAsDevice(second.port, '/esp.php')).status, 200);
});

test('creates one first token when two processes start at the same time', async (t) => {
  const { first, second, token } = await twoProcesses(t);
  const { tokens } = first.parts.store;
  const [id = ''] = (await tokens.list()).map((each) => each.id);
  const kept: string[] = [];
  const keep = async (text: string) => void kept.push(text);
  t.is(await firstToken(first.parts, keep), undefined, 'there is a token');
  t.is(kept.length, 0);
  tokens.list = async () => [];
  second.parts.store.tokens.list = async () => [];
  const made = await Promise.all([firstToken(first.parts, keep), firstToken(second.parts, keep)]);
  t.deepEqual(made, [undefined, undefined]);
  t.deepEqual(kept, [], 'both had read an empty list, and neither replaces the file of the first token');
  t.true(token.startsWith(`ota_${id}_`));
});

test('refreshes a page in one process when the other process changes a device', async (t) => {
  const { first, second, token } = await twoProcesses(t);
  t.is((await first.publish(build)).status, 201);
  const response = await page(second, await cookieOf(first, token), '/events?project=door');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error('no stream');
  const before = second.parts.counters.updates;
  await requestAsDevice(first.port, '/update/door');
  let text = '';
  while (!text.includes('event: change')) text += (await reader.read()).value ?? '';
  await reader.cancel();
  t.is(second.parts.counters.updates, before, 'only the process that handled the request counts the event');
  t.is(second.parts.counters.publications, 0);
});

test('lists the same devices without a project in both processes', async (t) => {
  const { first, second } = await twoProcesses(t);
  loseNotices(first);
  const path = '/esp/update';
  for (const project of ['door', 'temp']) await first.api('PUT', `/projects/${project}`, { aliases: [{ path }] });
  await second.parts.catalog.update();
  const listed = async (process: Process) => {
    const { devices } = (await process.api('GET', '/devices/not-enrolled')).body;
    return (devices as { mac: string }[]).map(({ mac }) => mac);
  };
  const [one, two] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
  for (const mac of [one, two]) t.is((await requestAsDevice(first.port, path, { mac })).status, 304);
  t.deepEqual(new Set(await listed(first)), new Set([one, two]));
  t.deepEqual(await listed(second), await listed(first));
  t.is((await requestAsDevice(second.port, path, { mac: one, version: 'door@1' })).status, 404);
  t.deepEqual(await listed(second), [two], 'the reported version names the project');
  t.deepEqual(await listed(first), [two]);
  t.is((await first.api('PUT', `/projects/temp/devices/${two}`, { enrolled: true })).status, 200);
  t.deepEqual(await listed(first), []);
  t.deepEqual(await listed(second), []);
});
