import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePort } from '../support/free-port.ts';
import { requireProgram } from './missing.ts';
import { Program } from './program.ts';

const versionsFolder = '/usr/lib/postgresql';
const oldestVersion = 15;
const password = 'test-password';
/** Debian's user for PostgreSQL, which refuses to run as root. */
const systemUser = 'postgres';

interface PostgresOptions {
  /** True if commits must survive a crash of the machine; off by default, because tests only kill processes. */
  readonly fsync?: boolean;
  /** Settings for postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL cluster in a temporary folder, on a free port of the loopback interface. */
export interface PostgresCluster {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** URL of a database, with the password. `port` replaces the port of the cluster, for a proxy. */
  url(database: string, port?: number): string;
  /** Creates a database, as a copy of `template` if there is one, and returns its URL. */
  createDatabase(database: string, template?: string): Promise<string>;
  dropDatabase(database: string): Promise<void>;
  /** Runs SQL with psql and returns the rows, one a line, with `|` between columns. `input` is the data of a COPY FROM STDIN. */
  sql(text: string, database?: string, input?: AsyncIterable<string>): Promise<string>;
  /** Stops the server: `fast` closes all connections, `immediate` is a crash. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  /** Starts the stopped server again, on the same port. */
  start(): Promise<void>;
  /** CPU that the server's processes have used is read from these. */
  readonly pid: number;
  /** Stops the server and removes its folder. */
  end(): Promise<void>;
}

/** @throws Error that says how to install PostgreSQL */
export async function startPostgres({ fsync = false, settings = {} }: PostgresOptions = {}): Promise<PostgresCluster> {
  const bin = programsFolder();
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-pg-'));
  const data = join(folder, 'data');
  const port = await freePort();
  const user = 'ota';
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    const [uid = 0, gid = 0] = await Promise.all(['-u', '-g'].map(idOf));
    for (const path of [folder, passwordFile]) await chown(path, uid, gid);
  }
  const authentication = ['--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  const creation = ['--no-sync', '--locale=C', '--encoding=UTF8', `--username=${user}`, ...authentication];
  const initdb = new Program(join(bin, 'initdb'), ['-D', data, ...creation], { user: systemUser, cwd: folder });
  if ((await initdb.ended) !== 0) throw new Error(`initdb failed:\n${initdb.output}`);
  const all = {
    ...{ listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: folder },
    // Two processes with a pool each, and the tests of several files at once.
    ...{ max_connections: '400', shared_buffers: '256MB', autovacuum: 'on', timezone: 'UTC' },
    ...(!fsync && { fsync: 'off', full_page_writes: 'off' }),
    ...settings,
  };
  const argv = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const launch = async () => {
    // SIGINT is PostgreSQL's fast shutdown.
    const started = new Program(join(bin, 'postgres'), argv, { user: systemUser, stopSignal: 'SIGINT', cwd: folder });
    await started.untilLine(/database system is ready to accept connections/, 120_000);
    return started;
  };
  let server = await launch();
  const sql: PostgresCluster['sql'] = async (text, database = 'postgres', input) => {
    const words = ['-h', folder, '-p', String(port), '-U', user, '-d', database, '-c', text];
    const common = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '-v', 'ON_ERROR_STOP=1'];
    const options = input === undefined ? { stdin: 'ignore' as const } : { stdin: input };
    const { stdout } = await execa('psql', [...common, ...words], { ...options, maxBuffer: 1e9, cwd: '/' });
    return stdout;
  };
  const url: PostgresCluster['url'] = (database, at = port) =>
    `postgres://${user}:${password}@127.0.0.1:${at}/${database}`;
  return {
    port,
    user,
    password,
    url,
    sql,
    async createDatabase(database, template = 'template0') {
      await sql(`CREATE DATABASE "${database}" TEMPLATE "${template}"`);
      return url(database);
    },
    async dropDatabase(database) {
      await sql(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    },
    async stop(how = 'fast') {
      await server.stop(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    },
    async start() {
      server = await launch();
    },
    get pid() {
      return server.pid;
    },
    async end() {
      await server.stop('SIGQUIT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Folder of the newest installed PostgreSQL. */
function programsFolder(): string {
  const versions = existsSync(versionsFolder) ? readdirSync(versionsFolder).map(Number) : [];
  const newest = Math.max(...versions.filter((version) => version >= oldestVersion), 0);
  const bin = newest === 0 ? undefined : join(versionsFolder, String(newest), 'bin');
  return requireProgram(bin, `PostgreSQL ${oldestVersion} or newer`, 'apt-get install postgresql');
}

async function idOf(option: string): Promise<number> {
  const { stdout } = await execa('id', [option, systemUser]);
  return Number(stdout);
}
