import { createHash } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { ServerOptions } from '../../src/server/options.ts';

/** Environment variable of `npm run test:several`: engines for all servers of the run, as JSON. */
export const enginesVariable = 'OTA_HOOKS_TEST_ENGINES';

export interface SharedEngines {
  /** URL of a database whose user may create others. */
  readonly databaseUrl: string;
  readonly bucket: string;
  /** Environment variables for the bucket. */
  readonly env: Readonly<Record<string, string>>;
}

/** Returns storage for the servers of a data folder: a database and a prefix of their own; undefined without shared engines. */
export async function sharedStorage(
  t: ExecutionContext,
  folder: string,
): Promise<Pick<ServerOptions, 'storeUrl' | 'blobsUrl' | 'env'> | undefined> {
  const text = process.env[enginesVariable];
  if (text === undefined) return undefined;
  const engines: SharedEngines = JSON.parse(text);
  const name = `t${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
  const url = new URL(engines.databaseUrl);
  url.pathname = `/${name}`;
  if (!created.has(name)) {
    created.add(name);
    await administer(engines, `CREATE DATABASE ${name}`);
    // Runs last, because a test ends its servers in the reverse order of their start.
    t.teardown(() => administer(engines, `DROP DATABASE ${name} WITH (FORCE)`));
  }
  return { storeUrl: url.href, blobsUrl: `s3://${engines.bucket}/${name}`, env: engines.env };
}

/** Databases that this process has created. A restarted server uses the database of its data folder. */
const created = new Set<string>();

async function administer({ databaseUrl }: SharedEngines, sql: string): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client(databaseUrl);
  await client.connect();
  await client.query(sql);
  await client.end();
}
