/**
 * Follows docs/scale.md from one server to two servers with real PostgreSQL, S3 and HAProxy, and upgrades the servers without a break. The
 * servers are started with the commands of the page and of the templates.
 */
import { once } from 'node:events';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { Program } from '../../engines/program.ts';
import { type S3Server, startS3 } from '../../engines/s3.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { freePort } from '../../support/free-port.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';
import { installMoto } from '../provision/moto.ts';
import { readCompose } from '../server/compose-file.ts';
import { cli } from '../server/serving-process.ts';

const textOf = (path: string) => readFile(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
const page = await textOf('docs/scale.md');
const build = await testBuild({ version: '2.0', project: 'door', signer: testSigner(), seed: 2, sizeBytes: 300_000 });
let postgres: PostgresCluster;
let s3: S3Server;

test.before(async () => {
  await aptInstall(['postgresql', 'haproxy', 'openssl', 'python3-yaml', 'systemd']);
  await installMoto();
  [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
});

test.after.always(() => Promise.all([postgres?.end(), s3?.end()]));

/** Section of the page whose commands the test runs. */
const section = page.split(/^## /m).find((text) => text.startsWith('Move to several servers\n')) ?? '';

/** Lines of the shell commands in the section that match. */
function commands(pattern: RegExp): readonly string[] {
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, lines = '']) => lines);
  return blocks.flatMap((lines) => lines.split('\n')).filter((line) => pattern.test(line));
}

/** The variables that the page sets, with the values of this test. */
function environment(databaseUrl: string): Readonly<Record<string, string>> {
  const values: Readonly<Record<string, string>> = {
    ...s3.env,
    AWS_ENDPOINT_URL: s3.endpoint,
    OTA_DATABASE_URL: databaseUrl,
    OTA_BLOBS_URL: `s3://${s3.bucket}/ota`,
  };
  const names = commands(/^export /).map((line) => /^export (\w+)=/.exec(line)?.[1] ?? '');
  return Object.fromEntries(names.map((name) => [name, values[name] ?? '']));
}

interface Place {
  readonly folder: TestFolder;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a command of the page in a folder beside the data folders. */
async function run(t: ExecutionContext, { folder, env }: Place, command: string): Promise<string> {
  const words = command.replace(/^npx ota-hooks /, '').split(' ');
  const options = { cwd: folder.at('work'), env, reject: false, all: true } as const;
  const { exitCode, all } = await execa(process.execPath, [cli, ...words], options);
  t.is(exitCode, 0, `${command}\n${all}`);
  return all ?? '';
}

/** Starts a server and waits until it is ready. */
async function serve(t: ExecutionContext, { folder, env }: Place, words: readonly string[]) {
  const argv = [cli, ...words, '--json', '--quiet'];
  const child = execa(process.execPath, argv, { cwd: folder.at('work'), env, reject: false, stderr: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    child.then(({ stderr }) => stderr),
  ]);
  t.regex(first, /"event":"ready"/);
  return { kill: (signal: NodeJS.Signals) => child.kill(signal), ended: () => child };
}

/** Starts HAProxy with the template; only its addresses and its certificate are replaced. */
async function startBalancer(t: ExecutionContext, folder: TestFolder, ports: readonly number[]) {
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const certificate = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
  const names = ['-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', folder.at('key.pem'), '-out', folder.at('cert.pem')];
  await execa('openssl', ['req', ...certificate, ...names, ...files]);
  await folder.write('certificate.pem', (await folder.text('cert.pem')) + (await folder.text('key.pem')));
  const configuration = (await textOf('templates/server/haproxy.cfg'))
    .replace('bind :80', `bind 127.0.0.1:${httpPort}`)
    .replace('bind :443', `bind 127.0.0.1:${httpsPort}`)
    .replace('/etc/haproxy/certificate.pem', folder.at('certificate.pem'))
    .replaceAll('ota-1:8266', `127.0.0.1:${ports[0]}`)
    .replaceAll('ota-2:8266', `127.0.0.1:${ports[1]}`);
  const path = await folder.write('haproxy.cfg', configuration);
  const { exitCode, all } = await execa('/usr/sbin/haproxy', ['-c', '-f', path], { reject: false, all: true });
  t.is(exitCode, 0, all);
  t.notRegex(all ?? '', /warning/i);
  const balancer = new Program('/usr/sbin/haproxy', ['-db', '-f', path]);
  t.teardown(() => balancer.stop('SIGTERM'));
  await balancer.untilListening(httpPort);
  return { httpPort, httpsPort, ca: await folder.text('cert.pem') };
}

/** Starts a server that is ready and passes its other requests to `respond`. */
async function fakeServer(t: ExecutionContext, respond: RequestListener): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url === '/readyz') response.end('{}');
    else respond(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('HAProxy repeats requests of devices on the other server, and no other requests that a server received', async (t) => {
  const folder = await testFolder(t);
  let failures = 0;
  let posts = 0;
  const count = ({ method }: { readonly method?: string | undefined }) => {
    if (method === 'POST') posts++;
  };
  const broken = await fakeServer(t, (request, response) => {
    count(request);
    failures++;
    if (request.method === 'POST' || failures % 2 === 0) request.socket.destroy();
    else response.writeHead(503).end();
  });
  const sound = await fakeServer(t, (request, response) => {
    count(request);
    response.end('sound');
  });
  const { httpPort, httpsPort, ca } = await startBalancer(t, folder, [broken, sound]);
  while (failures < 10) t.is((await requestAsDevice(httpPort, '/update/door')).status, 200);
  const post = () =>
    new Promise<number | undefined>((resolve) => {
      const to = { host: '127.0.0.1', port: httpsPort, servername: 'localhost', ca, method: 'POST' };
      const sent = request(to, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.end();
    });
  const statuses: (number | undefined)[] = [];
  while (!statuses.includes(502)) statuses.push(await post());
  t.is(posts, statuses.length);
});

/** Words of the servers' command in compose-several.yml, with the data of this test. */
async function composeCommand(): Promise<readonly string[]> {
  const { services } = await readCompose('compose-several.yml');
  return services['ota-1']?.command ?? [];
}

/** Words of the command in the systemd unit. */
async function unitCommand(): Promise<readonly string[]> {
  const unit = await textOf('templates/server/ota-hooks-several.service');
  return /^ExecStart=\S+ (.+)$/m.exec(unit)?.[1]?.split(' ') ?? [];
}

test('moves one server to two servers behind HAProxy, and upgrades them without a break', async (t) => {
  const folder = await testFolder(t);
  await mkdir(folder.at('work'));
  const databaseUrl = await postgres.createDatabase('scale');
  const place = { folder, env: environment(databaseUrl) };
  const one = await startTestServer(t, { data: folder.at('ota-data') });
  t.is((await one.publish(build)).status, 201);
  t.is((await requestAsDevice(one.port, '/update/door')).status, 200);
  await one.close(0);

  const [copy = ''] = commands(/ server copy /);
  t.regex(await run(t, place, copy), /Copied and compared: \d+ records and 4 firmware files/);

  const ports = [await freePort(), await freePort()];
  const started = commands(/ serve /).map((line, index) =>
    serve(
      t,
      place,
      line
        .replace('npx ota-hooks ', '')
        .replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${ports[index]}`)
        .split(' '),
    ),
  );
  const [first, second] = await Promise.all(started);
  const { httpPort, httpsPort, ca } = await startBalancer(t, folder, ports);
  const isReady = async (port: number) =>
    (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200;
  const untilServed = async () => {
    while ((await requestAsDevice(httpPort, '/update/none').catch(() => undefined))?.status !== 404) await pause(50);
  };
  await untilServed();

  const device = await requestAsDevice(httpPort, '/update/door', { mac: '5C:CF:7F:00:00:02' });
  t.is(device.status, 200);
  t.is(device.header('x-md5'), device.md5);
  t.is(device.header('content-length'), String(device.body.length));
  const sent = request({
    ...{ host: '127.0.0.1', port: httpsPort, servername: 'localhost', ca, path: '/api/v1/projects/door/devices' },
    headers: { host: 'localhost', authorization: `Bearer ${one.token}` },
  });
  sent.end();
  const [response] = await once(sent, 'response');
  t.is(response.statusCode, 200);
  t.is(JSON.parse(await text(response)).devices.length, 2, 'the device of the old server and the new one');
  t.is((await fetch(`http://127.0.0.1:${httpPort}/api/v1/server`)).status, 404, 'tokens are not sent unencrypted');

  // The servers are restarted one after the other, while a device checks for updates.
  const statuses = new Set<number>();
  const upgrading = new AbortController();
  const checks = (async () => {
    for (let id = 0; !upgrading.signal.aborted; id = (id + 1) % 10) {
      const { status } = await requestAsDevice(httpPort, '/update/door', {
        mac: `5C:CF:7F:00:01:0${id}`,
        mode: 'version',
      });
      statuses.add(status);
    }
  })();
  await folder.write('database.url', `${databaseUrl}\n`);
  await chmod(folder.at('database.url'), 0o600);
  const place2 = { folder, env: { ...s3.env, AWS_ENDPOINT_URL: s3.endpoint } };
  const own = (words: readonly string[], index: number) =>
    words.map((word) =>
      word
        .replace(/^(\/data|\/var\/lib\/ota-hooks)$/, folder.at(`server-${index + 1}`))
        .replace(/^0\.0\.0\.0:8266$/, `127.0.0.1:${ports[index]}`)
        .replace(/^(\/run\/secrets\/database-url|%d\/database\.url)$/, folder.at('database.url'))
        .replace(/^s3:\/\/firmware\//, `s3://${s3.bucket}/`),
    );
  for (const [index, [server, words]] of [
    [first, await composeCommand()] as const,
    [second, await unitCommand()] as const,
  ].entries()) {
    server?.kill('SIGTERM');
    t.is((await server?.ended())?.exitCode, 0);
    await serve(t, place2, own(words, index));
    while (!(await isReady(ports[index] ?? 0))) await pause(50);
    // Let the load balancer notice the server before the next one stops.
    await pause(1000);
  }
  upgrading.abort();
  await checks;
  t.deepEqual([...statuses], [200]);

  const [backup = '', restore = ''] = commands(/ server (backup|restore) /);
  await run(t, place, backup);
  await run(t, { folder, env: { ...place.env, OTA_DATABASE_URL: '', OTA_BLOBS_URL: '' } }, restore);
  const check = await execa(process.execPath, [cli, 'server', 'check', '--data', folder.at('one-server')], {
    all: true,
  });
  t.regex(check.all, /No problems: 1 release, \d+ devices/);
});

test('systemd and the containers accept the templates for several servers', async (t) => {
  const folder = await testFolder(t);
  const unit = (await textOf('templates/server/ota-hooks-several.service')).replace(
    /(?<=^ExecStart=)\S+/m,
    process.execPath,
  );
  const file = await folder.write('ota-hooks-several.service', unit);
  const { exitCode, all } = await execa('systemd-analyze', ['verify', '--man=no', file], { reject: false, all: true });
  t.is(exitCode, 0, all);
  t.notRegex(all ?? '', /ota-hooks-several\.service/, 'systemd reports no warnings');

  for (const name of ['compose-one.yml', 'compose-several.yml']) {
    const { services, volumes = {}, secrets = {}, networks = {} } = await readCompose(name);
    for (const [service, parts] of Object.entries(services)) {
      const about = `${name}: ${service}`;
      t.true(parts.image !== undefined, about);
      if (parts.build) await textOf(`templates/server/${parts.build.dockerfile}`);
      for (const volume of parts.volumes ?? []) {
        const [source = ''] = volume.split(':');
        t.true(source.startsWith('./') || source in volumes, `${about} ${volume}`);
      }
      for (const secret of parts.secrets ?? []) t.true(secret in secrets, `${about} ${secret}`);
      for (const network of parts.networks ?? []) t.true(network in networks, `${about} ${network}`);
      const needs = parts.depends_on ?? [];
      for (const needed of Array.isArray(needs) ? needs : Object.keys(needs)) t.true(needed in services, about);
    }
  }
});
