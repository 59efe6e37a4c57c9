import { connect } from 'node:net';
import test from 'ava';
import { until } from '../support/until.ts';
import { testBuild, testSigner } from './builds.ts';
import { requestAsDevice, sendRaw } from './raw-device.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
const proxied = { trustedProxies: ['127.0.0.1'] };

/** Logs in with a form of a page at `origin`. */
function logIn({ url, token }: TestServer, path: string, origin: string, headers: Record<string, string> = {}) {
  return fetch(url + path, {
    method: 'POST',
    headers: { origin, ...headers },
    body: new URLSearchParams({ token, next: '/projects/door/devices' }),
    redirect: 'manual',
  });
}

test('accepts a form for the host that a trusted proxy forwards', async (t) => {
  const server = await startTestServer(t, proxied);
  const origin = 'https://ota.example.com';
  const status = async (forwarded: string) =>
    (await logIn(server, '/login', origin, { 'x-forwarded-host': forwarded })).status;
  t.is(await status('ota.example.com'), 303);
  t.is(await status('inner.example, ota.example.com'), 303, 'Apache appends the host to the header of another proxy');
  t.is(await status('other.example'), 403);
  t.is(await status(''), 403);
});

test('ignores the forwarded host of a client that is not a trusted proxy', async (t) => {
  const server = await startTestServer(t);
  const forwarded = { 'x-forwarded-host': 'ota.example.com' };
  t.is((await logIn(server, '/login', 'https://ota.example.com', forwarded)).status, 403);
});

test('serves devices, API and dashboard below a base path, and without it', async (t) => {
  const server = await startTestServer(t, { ...proxied, basePath: '/ota' });
  await server.publish(build);
  for (const prefix of ['', '/ota']) {
    t.is((await requestAsDevice(server.port, `${prefix}/update/door`)).status, 200);
    t.is((await fetch(`${server.url}${prefix}/healthz`)).status, 200);
    const login = await logIn(server, `${prefix}/login`, server.url, { 'x-forwarded-proto': 'https' });
    t.is(login.headers.get('location'), '/ota/projects/door/devices');
    const [cookie = '', ...attributes] = (login.headers.get('set-cookie') ?? '').split('; ');
    t.regex(cookie, /^__Secure-ota=/);
    t.true(attributes.includes('Path=/ota') && attributes.includes('Secure'), attributes.join());

    const headers = { cookie, 'x-forwarded-proto': 'https' };
    const page = await fetch(`${server.url}${prefix}/projects/door/devices`, { headers });
    t.is(page.status, 200);
    const html = await page.text();
    const paths = [...html.matchAll(/ (?:href|src|action|formaction|data-events)="(\/[^"]*)"/g)].map(
      ([, path]) => path,
    );
    t.true(paths.length > 8, html);
    t.deepEqual(
      paths.filter((path) => !path?.startsWith('/ota/')),
      [],
    );
    const style = paths.find((path) => path?.endsWith('.css'));
    t.is((await fetch(server.url + style)).status, 200);
  }
  const unknown = await fetch(`${server.url}/ota/projects/door`, { redirect: 'manual' });
  t.is(unknown.headers.get('location'), `/ota/login?next=${encodeURIComponent('/projects/door')}`);
  const headers = { origin: server.url, referer: `${server.url}/ota/projects/door/releases?before=7` };
  const unsent = await fetch(`${server.url}/ota/projects/door/releases/yank`, {
    method: 'POST',
    headers,
    redirect: 'manual',
  });
  const next = encodeURIComponent('/projects/door/releases?before=7');
  t.is(unsent.headers.get('location'), `/ota/login?next=${next}&unsent=yes`);
  t.is((await fetch(`${server.url}/ota-2/healthz`)).status, 404, 'a longer name is a different path');
  t.is((await fetch(`${server.url}/ota?x=1`, { redirect: 'manual' })).status, 303);
});

test('names the PROXY protocol once in the log', async (t) => {
  const server = await startTestServer(t);
  const one = 'PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET /healthz HTTP/1.0\r\n\r\n';
  const two = Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'), Buffer.alloc(12, 1)]);
  const named = () => server.logged.filter(({ message }) => /PROXY protocol/.test(message));
  t.regex((await sendRaw(server.port, 'NONSENSE\r\n\r\n')).toString(), /^HTTP\/1\.1 400 /);
  t.deepEqual(named(), []);
  t.regex((await sendRaw(server.port, one)).toString(), /^HTTP\/1\.1 400 /);
  await until(() => named().length === 1);
  t.regex((await sendRaw(server.port, one)).toString(), /^HTTP\/1\.1 400 /);
  t.is(named().length, 1);

  const next = await startTestServer(t);
  const socket = connect({ port: next.port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(two);
  await until(() => next.logged.some(({ message }) => /PROXY protocol/.test(message)));
});
