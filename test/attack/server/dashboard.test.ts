/** Attacks on the dashboard by clients without a token, by devices, and by holders of other tokens. */
import test from 'ava';
import { Sessions } from '../../../src/server/http/dashboard/sessions.ts';
import { sendRaw, updateRequest } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';

/** Logs in with a form, and returns the status and the cookie. */
async function logIn(
  { url }: TestServer,
  token: string,
  body: URLSearchParams | ReadableStream<Uint8Array> = new URLSearchParams({ token }),
): Promise<{ status: number; cookie: string }> {
  const headers = { origin: url, 'content-type': 'application/x-www-form-urlencoded' };
  // Node.js sends a stream in chunks, without Content-Length.
  const options = body instanceof ReadableStream ? { duplex: 'half' as const } : {};
  const response = await fetch(`${url}/login`, { method: 'POST', headers, body, redirect: 'manual', ...options });
  return { status: response.status, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}

test('accepts a form that is sent in chunks, and limits its size', async (t) => {
  const server = await startTestServer(t);
  const form = new URLSearchParams({ token: server.token }).toString();
  const { status, cookie } = await logIn(server, server.token, streamOf(form));
  t.is(status, 303);
  t.is((await fetch(server.url, { headers: { cookie }, redirect: 'manual' })).status, 200);
  t.is((await logIn(server, 'x', streamOf('token=x'))).status, 401);
  t.is((await logIn(server, 'x', streamOf(`token=${'x'.repeat(200_000)}`))).status, 413);
  t.deepEqual(
    server.logged.filter(({ level }) => level === 'error'),
    [],
  );
});

test('escapes the control characters in device reports', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  const version = '\u009b31m red\u009d0;t\u0085';
  const request = updateRequest('/update/door', { version, more: { 'x-ESP8266-sdk-version': version } });
  await sendRaw(server.port, Buffer.from(request, 'latin1'));
  const { cookie } = await logIn(server, server.token);
  for (const path of ['/projects/door/devices', '/projects/door/devices/18:FE:34:AA:BB:CC']) {
    const text = await (await fetch(server.url + path, { headers: { cookie } })).text();
    t.true(text.includes('\\u009b31m red'), path);
    t.notRegex(text, /[\u0080-\u009f]/, path);
  }
});

test('prevents a token from ending the sessions of other tokens or exhausting their event streams', async (t) => {
  const server = await startTestServer(t);
  const sessions = new Sessions(server.parts.store.sessions);
  const admin = await sessions.open('admin');
  const opened: string[] = [];
  for (let count = 0; count < 1100; count++) opened.push(await sessions.open('reader'));
  t.truthy(await sessions.find(admin));
  const found = await Promise.all(opened.map((id) => sessions.find(id)));
  t.is(found.filter((session) => session !== undefined).length, 1000);

  const { body } = await server.api('POST', '/tokens', { roles: ['read'], name: 'a reader' });
  const { cookie } = await logIn(server, String(body['token']));
  const controller = new AbortController();
  t.teardown(() => controller.abort());
  const follow = (as: string) => fetch(`${server.url}/events`, { headers: { cookie: as }, signal: controller.signal });
  // A response that is no longer referenced may be garbage-collected, which ends its stream.
  const responses: Response[] = [];
  for (let index = 0; index < 210; index++) responses.push(await follow(cookie));
  t.is(responses.filter(({ status }) => status === 200).length, 200);
  t.is((await follow((await logIn(server, server.token)).cookie)).status, 200);
  countAttacks({ kind: 'sessions and event streams of one token', tried: 1310, withstood: 1310 });
});

const serverPaths = [
  'api',
  'update',
  'files',
  'healthz',
  'readyz',
  'metrics',
  'login',
  'logout',
  'events',
  'assets',
  'projects',
];

test('prevents a project from using a server path as an alias', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  const admin = (await server.api('POST', '/tokens', { roles: ['admin'], project: 'door' })).body['token'];
  for (const path of serverPaths.flatMap((name) => [`/${name}`, `/${name}/`, `/${name}/x`])) {
    const { status } = await server.api('PUT', '/projects/door', { aliases: [{ path }] }, String(admin));
    t.is(status, 422, path);
  }
  t.is((await fetch(`${server.url}/readyz`)).status, 200);
  countAttacks({
    kind: 'aliases that would replace server paths',
    tried: 3 * serverPaths.length,
    withstood: 3 * serverPaths.length,
  });
});

test('rejects aliases that spell a server path differently', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  const admin = String((await server.api('POST', '/tokens', { roles: ['admin'], project: 'door' })).body['token']);
  const spellings = serverPaths.flatMap((name) => [
    `/%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
    `/${[...name].map((letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`).join('')}/x`,
    `/./${name}`,
    `/a/../${name}`,
    `/%2e/${name}/x`,
    `/a/%2E%2e/${name}`,
    `/.\\${name}`,
    `/a\\..\\${name}`,
    `/a/.././b/..//${name}`,
    `/%${name.charCodeAt(0).toString(16)}${name.slice(1)}/%zz`,
    `/${name}/../${name}`,
    `/${name}/%ff`,
  ]);
  const paths = [
    ...spellings,
    '/.',
    '/..',
    '/%2e',
    '/a/..',
    '/a/%2e%2e',
    '/.\\',
    '/%70rojects/door/devices',
    '/api/v1/%74okens',
  ];
  for (const path of paths) {
    const { status } = await server.api('PUT', '/projects/door', { aliases: [{ path }] }, admin);
    t.is(status, 422, path);
  }
  const free = ['/esp/update/arduino.php', '/esp/my%20update.php', '/esp/%e4.php', '/Update.php', '/apis', '/a/api'];
  const aliases = free.map((path) => ({ path }));
  t.is((await server.api('PUT', '/projects/door', { aliases }, admin)).status, 200);
  countAttacks({ kind: 'aliases that would replace server paths', tried: paths.length, withstood: paths.length });
});
