/** The templates for reverse proxies with Debian's packages: a device, a log-in, a live page and a publication through each of them. */
import { chmod, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { Program } from '../../engines/program.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { releaseRequest, startTestServer, type TestServer } from '../../server/running-server.ts';
import { freePort } from '../../support/free-port.ts';
import { testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';
import { startNginx } from './nginx.ts';
import { openOverTls, overTls, type SecureProxy } from './over-tls.ts';

interface Proxy extends SecureProxy {
  readonly httpPort: number;
}

/** Ports and files of a proxy that a test starts. */
interface Place extends Proxy {
  at(name: string): string;
  write(name: string, content: string): Promise<string>;
}

type Start = (t: ExecutionContext, serverPort: number) => Promise<Proxy>;

const templateOf = (name: string) =>
  readFile(fileURLToPath(new URL(`../../../templates/server/${name}`, import.meta.url)), 'utf8');

async function makePlace(t: ExecutionContext): Promise<Place> {
  const folder = await testFolder(t);
  await chmod(folder.path, 0o711);
  const certificate = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
  const names = ['-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', folder.at('key.pem'), '-out', folder.at('cert.pem')];
  await execa('openssl', ['req', ...certificate, ...names, ...files]);
  await folder.write('both.pem', (await folder.text('cert.pem')) + (await folder.text('key.pem')));
  return {
    httpPort: await freePort(),
    httpsPort: await freePort(),
    certificate: await folder.text('cert.pem'),
    at: (name) => folder.at(name),
    write: (name, content) => folder.write(name, content),
  };
}

async function run(t: ExecutionContext, place: Place, program: string, argv: readonly string[]): Promise<Proxy> {
  const running = new Program(program, argv, { env: { XDG_DATA_HOME: place.at('data'), HOME: place.at('home') } });
  t.teardown(() => running.stop('SIGTERM'));
  for (const port of [place.httpPort, place.httpsPort]) await running.untilListening(port);
  return place;
}

const proxies: Readonly<Record<string, Start>> = {
  async nginx(t, serverPort) {
    // Artifacts from the folder of the server are tested in nginx.test.ts.
    const site = await templateOf('nginx.conf');
    return startNginx(t, site.replace('127.0.0.1:8266;', `127.0.0.1:${serverPort};`));
  },

  async Apache(t, serverPort) {
    const place = await makePlace(t);
    const site = (await templateOf('apache.conf'))
      .replaceAll('127.0.0.1:8266', `127.0.0.1:${serverPort}`)
      .replaceAll('ota.example.com', 'localhost')
      .replace('*:80', `127.0.0.1:${place.httpPort}`)
      .replace('*:443', `127.0.0.1:${place.httpsPort}`)
      .replace(/SSLCertificateFile .*/, `SSLCertificateFile ${place.at('cert.pem')}`)
      .replace(/SSLCertificateKeyFile .*/, `SSLCertificateKeyFile ${place.at('key.pem')}`);
    // The modules that the template names, and those that Debian enables by default and that could change a response.
    const modules = [
      'headers',
      'proxy',
      'proxy_http',
      'ssl',
      'mpm_event',
      'authz_core',
      'alias',
      'deflate',
      'filter',
      'mime',
    ];
    const main = [
      ...modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
      ...[`ServerRoot ${place.at('')}`, `PidFile ${place.at('pid')}`, `ErrorLog ${place.at('error.log')}`],
      ...[
        'TypesConfig /etc/mime.types',
        'ServerName localhost',
        'AddOutputFilterByType DEFLATE text/html application/json',
      ],
      ...[
        `Listen 127.0.0.1:${place.httpPort}`,
        `Listen 127.0.0.1:${place.httpsPort}`,
        'User www-data',
        'Group www-data',
      ],
      site,
    ];
    const file = await place.write('apache.conf', main.join('\n'));
    return run(t, place, '/usr/sbin/apache2', ['-D', 'FOREGROUND', '-f', file]);
  },

  async Caddy(t, serverPort) {
    const place = await makePlace(t);
    const site = (await templateOf('Caddyfile'))
      .replaceAll('127.0.0.1:8266', `127.0.0.1:${serverPort}`)
      .replace('http://ota.example.com', `http://:${place.httpPort}`)
      .replace(
        'https://ota.example.com {',
        `https://localhost:${place.httpsPort} {\n\ttls ${place.at('cert.pem')} ${place.at('key.pem')}`,
      );
    const file = await place.write('Caddyfile', `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
    return run(t, place, '/usr/bin/caddy', ['run', '--adapter', 'caddyfile', '--config', file]);
  },

  async HAProxy(t, serverPort) {
    const place = await makePlace(t);
    const site = (await templateOf('haproxy.cfg'))
      .replace('bind :80', `bind 127.0.0.1:${place.httpPort}`)
      .replace('bind :443', `bind 127.0.0.1:${place.httpsPort}`)
      .replace('/etc/haproxy/certificate.pem', place.at('both.pem'))
      .replaceAll('ota-1:8266', `127.0.0.1:${serverPort}`)
      .replaceAll(/^.* ota-2:8266.*\n/gm, '');
    return run(t, place, '/usr/sbin/haproxy', ['-db', '-f', await place.write('haproxy.cfg', site)]);
  },
};

const signer = testSigner();
const build = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 300_000 });

test.before(() => aptInstall(['nginx', 'openssl', 'apache2', 'caddy', 'haproxy']));

for (const [name, start] of Object.entries(proxies)) {
  test(`devices, log-ins, live pages and publications work through ${name}`, async (t) => {
    const server = await startTestServer(t, { trustedProxies: ['127.0.0.1'] });
    const proxy = await start(t, server.port);
    const origin = `https://localhost:${proxy.httpsPort}`;
    const host = `localhost:${proxy.httpsPort}`;

    const form = { 'content-type': 'application/x-www-form-urlencoded', origin, host };
    const body = new URLSearchParams({ token: server.token }).toString();
    const login = await overTls(proxy, { path: '/login', method: 'POST', headers: form, body });
    t.is(login.status, 303, login.body);
    const foreign = { ...form, origin: 'https://other.example' };
    t.is((await overTls(proxy, { path: '/login', method: 'POST', headers: foreign, body })).status, 403);
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    t.regex(cookie, /^__Host-ota=/, 'the server knows that the client uses TLS');
    t.is((await overTls(proxy, { path: '/', headers: { host, cookie } })).status, 200);

    const live = await openOverTls(proxy, { path: '/events', headers: { host, cookie } });
    t.is(live.statusCode, 200);
    const changed = new Promise<void>((resolve) => {
      live.setEncoding('utf8').on('data', (chunk: string) => chunk.includes('event: change') && resolve());
    });
    await publishThrough(t, proxy, server);
    await changed;
    live.destroy();

    const response = await requestAsDevice(proxy.httpPort, '/update/door', { more: { Host: 'localhost' } });
    t.is(response.status, 200, response.body.toString('latin1', 0, 300));
    t.is(response.header('x-md5'), response.md5);
    t.is(response.header('content-length'), String(response.body.length));
    t.is(response.header('transfer-encoding'), undefined);
    const inClear = await fetch(`http://localhost:${proxy.httpPort}/api/v1/server`).catch(() => ({ status: 0 }));
    t.true([0, 403, 404].includes(inClear.status), 'tokens are not sent unencrypted');
  });
}

async function publishThrough(t: ExecutionContext, proxy: Proxy, server: TestServer): Promise<void> {
  const authorization = `Bearer ${server.token}`;
  const host = `localhost:${proxy.httpsPort}`;
  for (const { sha256, file } of build.manifest.artifacts) {
    const bytes = build.files.get(file) ?? new Uint8Array();
    const upload = { 'upload-offset': '0', 'upload-length': String(bytes.length), 'content-length': bytes.length };
    const headers = { host, authorization, 'content-type': 'application/octet-stream', ...upload };
    const sent = await openOverTls(proxy, { path: `/api/v1/uploads/${sha256}`, method: 'PATCH', headers, body: bytes });
    t.is(sent.statusCode, 200, await text(sent));
  }
  const body = JSON.stringify(releaseRequest(build.manifest));
  const headers = { host, authorization, 'content-type': 'application/json' };
  const published = await overTls(proxy, { path: '/api/v1/projects/door/releases', method: 'POST', headers, body });
  t.is(published.status, 201, published.body);
}
