import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { openPostgresStore } from '../../../src/server/storage/sql/postgres/open-postgres.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import {
  fillPlannedStore,
  largeTables,
  plannedMac,
  runDashboard,
  runDevices,
  runRollout,
} from '../../server/storage/planned-store.ts';

const copies = 50_000;
const database = 'planned';
/** PostgreSQL counts what its plans have read. */
const reads = `SELECT relname, seq_scan, coalesce(idx_tup_fetch, 0) + coalesce((
    SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0)
  FROM pg_stat_user_tables t WHERE relname IN (${largeTables.map((name) => `'${name}'`).join()}) ORDER BY relname`;

let cluster: PostgresCluster;
let rollout: number;

test.before(async () => {
  cluster = await startPostgres();
  const store = await openPostgresStore(await cluster.createDatabase(database));
  rollout = await fillPlannedStore(store);
  await store.close();
  await copyRows(cluster);
});

test.after.always(() => cluster?.end());

test.serial('reads a few rows by indexes for device requests', async (t) => {
  const read = await readBy(t, runDevices);
  for (const [table, { scans, rows }] of read) {
    t.is(scans, 0, `${table} is read completely`);
    t.true(rows < 100, `${rows} rows of ${table} are read`);
  }
});

test.serial('reads no table completely for device lists', async (t) => {
  for (const [table, { scans }] of await readBy(t, runDashboard)) t.is(scans, 0, `${table} is read completely`);
});

test.serial('reads no table completely for rollouts, and only members that have not soaked', async (t) => {
  const read = await readBy(t, runRollout);
  for (const [table, { scans }] of read) t.is(scans, 0, `${table} is read completely`);
  t.true((read.get('rollout_members')?.rows ?? copies) < 1000);
});

interface Reads {
  /** Number of sequential scans. */
  readonly scans: number;
  /** Number of rows and index entries that index scans have read. */
  readonly rows: number;
}

/** Runs the work with a store of its own, and returns what was read from the large tables. */
async function readBy(
  t: ExecutionContext,
  run: (store: Store, rollout: number) => Promise<void>,
): Promise<ReadonlyMap<string, Reads>> {
  await cluster.sql('SELECT pg_stat_reset()', database);
  const store = await openPostgresStore(cluster.url(database));
  await run(store, rollout);
  // A connection reports what it has read at the latest when it ends.
  await store.close();
  for (;;) {
    const open = await cluster.sql(`SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}'`);
    if (open.trim() === '0') break;
    await setTimeout(20);
  }
  const lines = (await cluster.sql(reads, database)).trim().split('\n');
  t.log(lines.join(', '));
  return new Map(
    lines.map((line) => {
      const [table = '', scans, rows] = line.split('|');
      return [table, { scans: Number(scans), rows: Number(rows) }];
    }),
  );
}

/** Copies the first device, its memberships and an audit entry, so that the planner sees a large fleet. */
async function copyRows({ sql }: PostgresCluster): Promise<void> {
  const hex = `upper(lpad(to_hex(n), 6, '0'))`;
  const mac = `'${plannedMac(0).slice(0, 9)}' || substr(${hex}, 1, 2) || ':' || substr(${hex}, 3, 2) || ':' || substr(${hex}, 5, 2)`;
  const copied = `generate_series(100, ${copies}) n`;
  await sql(
    `INSERT INTO devices SELECT (jsonb_populate_record(d, jsonb_build_object('mac', ${mac}, 'name', 'lamp ' || n))).*
       FROM devices d, ${copied} WHERE d.mac = '${plannedMac(0)}';
     INSERT INTO rollout_members SELECT (jsonb_populate_record(m, jsonb_build_object('mac', ${mac}))).*
       FROM rollout_members m, ${copied} WHERE m.mac = '${plannedMac(0)}';
     INSERT INTO rollout_results SELECT rollout_id, stage, kind, mac FROM rollout_members;
     INSERT INTO audit (at, actor, action, project, mac, detail)
       SELECT n, 'tester', 'device.edited', 'door', ${mac}, '{}' FROM ${copied};
     UPDATE device_counts SET devices = devices + ${copies} - 99;
     UPDATE rollout_counts SET devices = devices + ${copies} - 99`,
    database,
  );
  await sql('VACUUM ANALYZE', database);
}
