/** The nginx template with a real nginx: devices receive the same responses as from the server itself. */
import { chmod, mkdir, readFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { installNginx, type Nginx, startNginx } from './nginx.ts';
import { overTls } from './over-tls.ts';
import { updateDeviceThrough } from './update-device-through.ts';

const template = fileURLToPath(new URL('../../../templates/server/nginx.conf', import.meta.url));
const signer = testSigner();
const build = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 300_000 });

test.before(installNginx);

/** Starts nginx with the template; only ports and paths are replaced. */
async function withNginx(t: ExecutionContext, server: TestServer): Promise<Nginx> {
  const site = (await readFile(template, 'utf8'))
    .replace('127.0.0.1:8266;', `127.0.0.1:${server.port};`)
    .replace('alias /var/lib/ota-hooks/', `alias ${server.folder}/`);
  return startNginx(t, site);
}

/** The form of the login page. */
const form = { 'content-type': 'application/x-www-form-urlencoded' };

test('updates a virtual device through nginx, which sends the artifact', async (t) => {
  const server = await startTestServer(t, { accelPath: '/blobs', trustedProxies: ['127.0.0.1'] });
  // nginx workers do not run as root, but only root can access a test folder.
  await chmod(server.folder, 0o711);
  await chmod(server.folder.replace(/\/data$/, ''), 0o711);
  await mkdir(`${server.folder}/blobs`, { recursive: true });
  await server.publish(build);
  const nginx = await withNginx(t, server);
  const { httpPort } = nginx;

  const response = await requestAsDevice(httpPort, '/update/door');
  t.is(response.status, 200, response.body.toString('latin1', 0, 300));
  t.is(response.header('x-md5'), response.md5);
  t.is(response.headers.filter(([name]) => name === 'x-md5').length, 1);
  t.is(response.header('content-length'), String(response.body.length));
  t.is(response.header('transfer-encoding'), undefined);
  t.is(response.header('x-version'), '2.0');
  t.regex(response.header('content-disposition') ?? '', /filename=door\.bin\.signed/);
  t.is((await requestAsDevice(httpPort, `/blobs/${'0'.repeat(2)}/${'0'.repeat(64)}`)).status, 404);
  t.is((await requestAsDevice(httpPort, '/api/v1/server')).status, 404, 'tokens are not sent unencrypted');

  await updateDeviceThrough(t, { httpPort, server, build, signer });

  const authorization = `Bearer ${server.token}`;
  const api = await overTls(nginx, { path: '/api/v1/server', headers: { authorization } });
  t.is(api.status, 200, api.body);
  t.like(JSON.parse(api.body), { name: 'ota-hooks', roles: ['admin'] });
});

test('over TLS, nginx sends HSTS and the session cookie is secure', async (t) => {
  const server = await startTestServer(t, { trustedProxies: ['127.0.0.1'] });
  const nginx = await withNginx(t, server);
  const body = new URLSearchParams({ token: server.token }).toString();
  for (const forged of [{}, { 'x-forwarded-proto': 'http' }]) {
    const headers = { ...form, ...forged, origin: 'https://localhost' };
    const login = await overTls(nginx, { path: '/login', method: 'POST', headers, body });
    t.is(login.status, 303, login.body);
    t.is(login.headers['strict-transport-security'], 'max-age=31536000');
    const [cookie = '', ...more] = login.headers['set-cookie'] ?? [];
    t.is(more.length, 0);
    t.regex(cookie, /^__Host-ota=/);
    t.regex(cookie, /; Secure(;|$)/);
    t.is((await overTls(nginx, { path: '/', headers: { cookie: cookie.split(';')[0] } })).status, 200);
  }
  const missing = await overTls(nginx, { path: '/nothing' });
  t.is(missing.status, 404);
  t.is(missing.headers['strict-transport-security'], 'max-age=31536000', 'error responses also contain the header');
});

test('nginx passes on the port, so that the dashboard accepts forms on any port', async (t) => {
  const server = await startTestServer(t, { trustedProxies: ['127.0.0.1'] });
  const nginx = await withNginx(t, server);
  const host = `localhost:${nginx.httpsPort}`;
  const post = (path: string, fields: Record<string, string>, headers: OutgoingHttpHeaders) => {
    const body = new URLSearchParams(fields).toString();
    return overTls(nginx, { path, method: 'POST', headers: { ...form, host, ...headers }, body });
  };
  const origin = `https://${host}`;
  const login = await post('/login', { token: server.token }, { origin });
  t.is(login.status, 303, login.body);
  const cookie = login.headers['set-cookie']?.[0]?.split(';')[0];
  const page = await overTls(nginx, { path: '/', headers: { host, cookie } });
  t.is(page.status, 200);
  const fields = { form: /name="form" value="([^"]+)"/.exec(page.body)?.[1] ?? '' };

  for (const foreign of [
    'https://localhost',
    `https://localhost:${nginx.httpPort}`,
    `https://other:${nginx.httpsPort}`,
  ]) {
    t.is((await post('/logout', fields, { origin: foreign, cookie })).status, 403, foreign);
  }
  t.is((await overTls(nginx, { path: '/', headers: { host, cookie } })).status, 200, 'still logged in');
  const logout = await post('/logout', fields, { origin, cookie });
  t.is(logout.status, 303, logout.body);
  t.is((await overTls(nginx, { path: '/', headers: { host, cookie } })).status, 303, 'logged out');
});

test('without TLS, nginx sends no HSTS and no cookie is marked as secure', async (t) => {
  const server = await startTestServer(t, { trustedProxies: ['127.0.0.1'] });
  const { httpPort } = await withNginx(t, server);
  const forged = { ...form, 'x-forwarded-proto': 'https' };
  const login = { method: 'POST', headers: forged, body: new URLSearchParams({ token: server.token }) };
  const closed = await fetch(`http://127.0.0.1:${httpPort}/login`, login);
  t.is(closed.status, 404);
  t.is(closed.headers.get('set-cookie'), null);
  t.is(closed.headers.get('strict-transport-security'), null);
  t.is((await requestAsDevice(httpPort, '/update/none')).header('strict-transport-security'), undefined);

  const direct = await fetch(`${server.url}/login`, {
    ...login,
    headers: { ...form, origin: server.url },
    redirect: 'manual',
  });
  t.is(direct.status, 303);
  t.regex(direct.headers.get('set-cookie') ?? '', /^ota=/);
  t.notRegex(direct.headers.get('set-cookie') ?? '', /secure/i);
  t.is(direct.headers.get('strict-transport-security'), null);
});
