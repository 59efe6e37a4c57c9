/** The nginx template with a real nginx: devices receive the same responses as from the server itself. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import type { DeviceInfo } from '../../../src/api/admin-info.ts';
import { startVirtualDevice } from '../../../src/simulator/index.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { patientTimings } from '../../simulator/patient-timings.ts';
import { freePort } from '../../support/free-port.ts';
import { endlessMs } from '../../support/patience.ts';
import { testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';

const template = fileURLToPath(new URL('../../../templates/server/nginx.conf', import.meta.url));
/** Path in Debian's package. */
const nginxPath = '/usr/sbin/nginx';
const signer = testSigner();
const build = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 300_000 });

test.before(() => aptInstall(['nginx', 'openssl']));

/** Starts nginx with the template; only ports and paths are replaced. */
async function withNginx(t: ExecutionContext, server: TestServer): Promise<{ httpPort: number; httpsPort: number }> {
  const folder = await testFolder(t);
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const certificate = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
  await execa('openssl', ['req', ...certificate, '-keyout', folder.at('key.pem'), '-out', folder.at('cert.pem')]);
  const site = (await readFile(template, 'utf8'))
    .replace('127.0.0.1:8266;', `127.0.0.1:${server.port};`)
    .replace('listen 80;', `listen 127.0.0.1:${httpPort};`)
    .replace('listen 443 ssl;', `listen 127.0.0.1:${httpsPort} ssl;`)
    .replace('alias /var/lib/ota-hooks/', `alias ${server.folder}/`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${folder.at('cert.pem')};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${folder.at('key.pem')};`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.at(name)};`,
  );
  const main = `daemon off; pid ${folder.at('pid')}; error_log ${folder.at('error.log')}; events {} http { access_log off; ${temporary.join(' ')}\n${site} }`;
  const nginx = execa(nginxPath, ['-p', folder.path, '-c', await folder.write('nginx.conf', main)], { reject: false });
  t.teardown(async () => {
    nginx.kill('SIGTERM');
    await nginx;
  });
  // nginx writes the PID file after it has started to listen.
  while (!existsSync(folder.at('pid'))) {
    if (nginx.exitCode !== null) throw new Error((await nginx).stderr);
    await pause(20);
  }
  return { httpPort, httpsPort };
}

test('updates a virtual device through nginx, which sends the artifact', async (t) => {
  const server = await startTestServer(t, { accelPath: '/blobs', trustedProxies: ['127.0.0.1'] });
  // nginx workers do not run as root, but only root can access a test folder.
  await chmod(server.folder, 0o711);
  await chmod(server.folder.replace(/\/data$/, ''), 0o711);
  await mkdir(`${server.folder}/blobs`, { recursive: true });
  await server.publish(build);
  const { httpPort, httpsPort } = await withNginx(t, server);

  const response = await requestAsDevice(httpPort, '/update/door');
  t.is(response.status, 200, response.body.toString('latin1', 0, 300));
  t.is(response.header('x-md5'), response.md5);
  t.is(response.headers.filter(([name]) => name === 'x-md5').length, 1);
  t.is(response.header('content-length'), String(response.body.length));
  t.is(response.header('transfer-encoding'), undefined);
  t.is(response.header('x-version'), '2.0');
  t.regex(response.header('content-disposition') ?? '', /filename=door\.bin\.signed/);
  t.is((await requestAsDevice(httpPort, `/blobs/${'0'.repeat(2)}/${'0'.repeat(64)}`)).status, 404);
  t.is((await requestAsDevice(httpPort, '/api/v1/server')).status, 404, 'tokens do not travel in the clear');

  await using device = await startVirtualDevice({
    image: { sizeBytes: 40_000, seed: 9 },
    publicKey: signer.publicKey,
    timings: patientTimings,
    updateUrl: `http://127.0.0.1:${httpPort}/update/door`,
    updateIntervalMs: 50,
    manifests: [build.manifest],
  });
  await device.nextEvent(({ event }) => event === 'boot', endlessMs);
  await device.nextEvent(({ event }) => event === 'checked', endlessMs);
  const { body } = await server.api('GET', `/projects/door/devices/${device.mac}`);
  const info = body as unknown as DeviceInfo;
  t.is(info.running?.version, '2.0');
  t.like(info.attempts[0], { state: 'running', sends: 1 });

  const authorization = `Authorization: Bearer ${server.token}`;
  const api = await execa('curl', ['-sk', '-H', authorization, `https://127.0.0.1:${httpsPort}/api/v1/server`], {
    reject: false,
  });
  if (api.exitCode === 0) t.like(JSON.parse(api.stdout), { name: 'ota-hooks', roles: ['admin'] });
});
