import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerOptions } from '../../src/server/options.ts';
import { seedDevices } from '../../test/chaos/fleet.ts';
import { type PostgresCluster, startPostgres } from '../../test/engines/postgres.ts';
import { type S3Server, startS3 } from '../../test/engines/s3.ts';
import { macOf } from './device-request.ts';
import { type Measured, watch } from './processes.ts';

/** Where a measured server keeps its data. */
export interface Storage {
  readonly name: 'SQLite' | 'PostgreSQL';
  readonly options: Pick<ServerOptions, 'data' | 'storeUrl' | 'blobsUrl' | 'env'>;
  /** Arguments and environment of `serve`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Processes of the database. */
  readonly engine: Measured | undefined;
  /** Adds copies of the first device until the fleet has this size, because a million saves would take too long. */
  copyFirstDevice(devices: number): Promise<void>;
  /** Size of the database with its indexes. */
  sizeBytes(): Promise<number>;
}

export function sqliteStorage(data: string): Storage {
  return {
    name: 'SQLite',
    options: { data },
    argv: ['--data', data],
    env: {},
    engine: undefined,
    copyFirstDevice: (devices) => copyInSqlite(join(data, 'ota.db'), devices),
    sizeBytes: async () => (await stat(join(data, 'ota.db'))).size,
  };
}

/** PostgreSQL and an S3 server for the parts of a benchmark that need them. */
export interface BenchEngines {
  readonly cluster: PostgresCluster;
  readonly s3: S3Server;
  /** A database and a prefix of its own. */
  storage(name: string, data: string): Promise<Storage>;
  end(): Promise<void>;
}

export async function startBenchEngines(): Promise<BenchEngines> {
  const settings = { shared_buffers: '512MB', max_wal_size: '4GB' };
  const [cluster, s3] = await Promise.all([startPostgres({ fsync: true, settings }), startS3()]);
  return {
    cluster,
    s3,
    async storage(name, data) {
      const storeUrl = await cluster.createDatabase(name);
      const blobsUrl = `s3://${s3.bucket}/${name}`;
      return {
        name: 'PostgreSQL',
        options: { data, storeUrl, blobsUrl, env: s3.env },
        argv: ['--data', data, '--blobs', blobsUrl],
        env: { ...s3.env, OTA_DATABASE_URL: storeUrl },
        engine: watch(cluster.pid),
        copyFirstDevice: (devices) => seedDevices(cluster, name, devices),
        sizeBytes: async () => Number(await cluster.sql('SELECT pg_database_size(current_database())', name)),
      };
    },
    async end() {
      await Promise.all([cluster.end(), s3.end()]);
    },
  };
}

/** Starts PostgreSQL and the S3 server when a part first needs them. */
export type OpenEngines = () => Promise<BenchEngines>;

/** The same data on both databases, one after the other. */
export async function bothStorages(folder: string, name: string, engines: OpenEngines): Promise<readonly Storage[]> {
  const { storage } = await engines();
  const onPostgres = await storage(name.replaceAll('-', '_'), join(folder, `${name}-postgres`));
  return [sqliteStorage(join(folder, name)), onPostgres];
}

/** Counterpart of `seedDevices`. */
async function copyInSqlite(path: string, devices: number): Promise<void> {
  const { default: Database } = await import('libsql');
  const database = new Database(path);
  const found = database.prepare("SELECT name FROM pragma_table_info('devices')").all() as { name: string }[];
  const columns = found.map(({ name }) => name);
  const hex = "printf('%06X', n.n)";
  const mac = `'${macOf(0).slice(0, 9)}' || substr(${hex}, 1, 2) || ':' || substr(${hex}, 3, 2) || ':' || substr(${hex}, 5, 2)`;
  const values = columns.map((name) => (name === 'mac' ? mac : `d.${name}`));
  database.exec(`
    BEGIN;
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${devices - 1})
      INSERT OR IGNORE INTO devices (${columns.join(', ')})
      SELECT ${values.join(', ')} FROM devices d, n WHERE d.mac = '${macOf(0)}';
    UPDATE device_counts SET devices = ${devices} WHERE devices > 0;
    COMMIT;
    ANALYZE;
    PRAGMA wal_checkpoint(TRUNCATE);`);
  database.close();
}
