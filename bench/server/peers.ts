import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PostgresCluster } from '../../test/engines/postgres.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { DeviceWords } from './device-request.ts';
import { type FilledData, writeArtifact } from './fleet.ts';
import { type Measured, type Running, start, watch } from './processes.ts';
import { untilListening, untilResponse } from './ready.ts';
import { type Storage, sqliteStorage } from './storage.ts';

/** A server under test; devices send requests to `url`. */
export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly servers: readonly Running[];
  /** Database of the servers, which other peers may use as well. Its CPU counts while this peer is measured. */
  readonly engine?: Measured | undefined;
}

const seedScript = fileURLToPath(new URL('update.php', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const phpChildren = 8;

/** Database that contains the table of the update script. */
interface DeviceDatabase {
  readonly cluster: PostgresCluster;
  readonly name: string;
}

/** Notes a peer whose servers must be stopped when the benchmark ends. */
export type OpenPeer = (peer: Peer) => Peer;

/** nginx in front of PHP-FPM with the update script and a table of its devices: in a file, or in a PostgreSQL database. */
export async function phpPeer(
  folder: string,
  filled: FilledData,
  devices: readonly DeviceWords[],
  database?: DeviceDatabase,
): Promise<Peer> {
  const root = join(folder, 'php');
  await mkdir(root, { recursive: true });
  await copyFile(seedScript, join(root, 'update.php'));
  await writeArtifact(join(root, 'door.bin'), filled);
  const row = { file: 'door.bin', version: filled.version };
  await writeFile(join(root, 'devices.json'), JSON.stringify(Object.fromEntries(devices.map(({ mac }) => [mac, row]))));

  const socket = join(root, 'fpm.sock');
  const pool = ['[global]', 'error_log = /dev/null', 'daemonize = no', '[www]', `listen = ${socket}`];
  const size = ['pm = static', `pm.max_children = ${phpChildren}`, 'user = root', 'group = root'];
  await writeFile(join(root, 'fpm.conf'), `${[...pool, ...size].join('\n')}\n`);
  const fpm = start(phpFpm(), ['--nodaemonize', '--allow-to-run-as-root', '--fpm-config', join(root, 'fpm.conf')]);
  const source =
    database === undefined ? '' : `fastcgi_param DEVICE_DATABASE "${await tableIn(database, devices, row)}";`;
  const script = `fastcgi_param SCRIPT_FILENAME ${root}/update.php; ${source}`;
  const location = `location / { include /etc/nginx/fastcgi_params; ${script} fastcgi_pass unix:${socket}; }`;
  const nginx = await startNginx(root, location);
  const url = `http://127.0.0.1:${nginx.port}/update.php`;
  await untilResponse(url, 403);
  const engine = database && watch(database.cluster.pid);
  return { name: 'PHP', url, servers: [fpm, nginx.running], engine };
}

/** @returns connection string for PHP */
async function tableIn(
  { cluster, name }: DeviceDatabase,
  devices: readonly DeviceWords[],
  { file, version }: { readonly file: string; readonly version: string },
): Promise<string> {
  await cluster.createDatabase(name);
  const rows = devices.map(({ mac }) => `('${mac}', '${file}', '${version}')`);
  await cluster.sql(
    `CREATE TABLE devices (mac text PRIMARY KEY, file text NOT NULL, version text NOT NULL);
     INSERT INTO devices VALUES ${rows.join(', ')}; ANALYZE`,
    name,
  );
  const { port, user, password } = cluster;
  return `host=127.0.0.1 port=${port} dbname=${name} user=${user} password=${password}`;
}

/** nginx, which sends the same file to every client. */
export async function staticPeer(folder: string, filled: FilledData): Promise<Peer> {
  const root = join(folder, 'static');
  await mkdir(root, { recursive: true });
  await writeArtifact(join(root, 'door.bin'), filled);
  const nginx = await startNginx(root, `location / { root ${root}; }`);
  const url = `http://127.0.0.1:${nginx.port}/door.bin`;
  await untilResponse(url, 200);
  return { name: 'nginx static', url, servers: [nginx.running] };
}

/** `ota-hooks serve` as users start it. */
export async function ownPeer(storage: Storage, name: string, options: readonly string[] = []): Promise<Peer> {
  const argv = ['serve', ...storage.argv, '--listen', '127.0.0.1:0', '--json', ...options];
  const running = start(process.execPath, [cli, ...argv], storage.env);
  const url = await urlOf(running);
  return { name, url: `${url}/update/door`, servers: [running], engine: storage.engine };
}

/** `ota-hooks serve` behind nginx, which sends the artifacts. */
export async function acceleratedPeer(folder: string, data: string): Promise<Peer> {
  const own = await ownPeer(sqliteStorage(data), 'ours', [
    '--trust-proxy',
    '127.0.0.1',
    '--x-accel-redirect',
    '/blobs/',
  ]);
  return behindNginx('ours behind nginx', join(folder, 'accelerated'), { ...own, blobs: `${data}/blobs` });
}

/** A Node.js server that makes no decisions, behind nginx. */
export async function bareAcceleratedPeer(folder: string, filled: FilledData): Promise<Peer> {
  const root = join(folder, 'bare');
  await mkdir(root, { recursive: true });
  await writeArtifact(join(root, 'door.bin'), filled);
  const bare = await barePeer('bare', 'accelerated', '/blobs/door.bin');
  return behindNginx('bare behind nginx', root, { ...bare, blobs: root });
}

async function behindNginx(name: string, root: string, peer: Peer & { readonly blobs: string }): Promise<Peer> {
  await mkdir(root, { recursive: true });
  const { origin, pathname } = new URL(peer.url);
  const location = `location / { proxy_pass ${origin}; } location /blobs/ { internal; alias ${peer.blobs}/; }`;
  const nginx = await startNginx(root, location);
  const url = `http://127.0.0.1:${nginx.port}${pathname}`;
  await untilListening(nginx.port);
  return { name, url, servers: [...peer.servers, nginx.running] };
}

/** nginx with the certificate of one of our servers. */
export async function securePeer(folder: string, tls: string): Promise<Peer> {
  const root = join(folder, 'secure');
  await mkdir(root, { recursive: true });
  const session = 'ssl_protocols TLSv1.2; ssl_session_cache shared:sessions:20m; ssl_session_timeout 1d;';
  const certificate = `ssl_certificate ${tls}/server.pem; ssl_certificate_key ${tls}/server.key; ${session}`;
  const nginx = await startNginx(root, `${certificate} location / { return 204; }`, 'ssl');
  await untilListening(nginx.port);
  return { name: 'nginx', url: `https://127.0.0.1:${nginx.port}/`, servers: [nginx.running] };
}

/** A Node.js HTTP server that makes no decisions, as the lower bound. It sends a file, its X-Accel-Redirect path, or nothing. */
export async function barePeer(name: string, ...how: readonly string[]): Promise<Peer> {
  const running = start(process.execPath, [fileURLToPath(new URL('bare-server.mjs', import.meta.url)), ...how]);
  return { name, url: `${await urlOf(running)}/`, servers: [running] };
}

/** A Node.js server that makes no decisions but records each device before it sends the file. */
export async function recordingPeer(file: string, database: string): Promise<Peer> {
  const script = fileURLToPath(new URL('recording-server.mjs', import.meta.url));
  const running = start(process.execPath, [script, file, database]);
  return { name: 'recording', url: `${await urlOf(running)}/`, servers: [running] };
}

async function startNginx(
  root: string,
  location: string,
  how: '' | 'ssl' = '',
): Promise<{ running: Running; port: number }> {
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${root}/${name};`,
  );
  const http = [
    'access_log off;',
    'sendfile on;',
    ...temporary,
    `server { listen 127.0.0.1:${port} ${how} backlog=4096; ${location} }`,
  ];
  const main = [
    'user root;',
    'worker_processes auto;',
    'daemon off;',
    `pid ${root}/nginx.pid;`,
    'error_log /dev/null;',
  ];
  const events = 'events { worker_connections 8192; }';
  await writeFile(join(root, 'nginx.conf'), `${main.join('\n')}\n${events}\nhttp { ${http.join('\n')} }\n`);
  return { running: start('/usr/sbin/nginx', ['-c', join(root, 'nginx.conf'), '-p', root]), port };
}

/** Debian appends the version to the name. */
function phpFpm(): string {
  const name = readdirSync('/usr/sbin').find((each) => /^php-fpm\d/.test(each));
  if (name === undefined) throw new Error('php-fpm is not installed');
  return join('/usr/sbin', name);
}

async function urlOf({ stdout }: Running): Promise<string> {
  if (stdout === null) throw new Error('the server has no standard output');
  const [line] = (await once(stdout, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer];
  return JSON.parse(line.toString().split('\n')[0] ?? '').url;
}
