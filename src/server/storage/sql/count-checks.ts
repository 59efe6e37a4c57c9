import { type RawBuilder, sql } from 'kysely';
import type { RolloutRecord } from '../records.ts';
import type { CountStore, MemberOf } from '../store.ts';
import { countedDevices, recountDevices } from './device-counts.ts';
import { devicesOf, toDevice } from './devices.ts';
import type { Database, Engine } from './engine.ts';
import { memberRow } from './rollout-counts.ts';
import { currentRollouts } from './rollouts.ts';

const devicesAtOnce = 1000;
const memberColumns = ['stage', 'kind', 'since_ms', 'address'] as const;

type CountTable = 'device_counts' | 'blocker_counts' | 'rollout_counts';

export function sqlCounts(engine: Engine): CountStore {
  const { transaction, longTransaction } = engine;
  return {
    async differences(memberOf) {
      const snapshot = await engine.snapshot();
      try {
        return await countDifferences(snapshot.db, memberOf);
      } finally {
        await snapshot.end();
      }
    },

    recount: () =>
      longTransaction(async (db) => {
        // No device changes until the end of the transaction. Changes lock the same tables in the same order.
        if (engine.hasRowLocks) await sql`LOCK TABLE devices IN SHARE MODE`.execute(db);
        const ids = (await currentRollouts(db)).map(({ id }) => id);
        if (ids.length > 0) {
          await db.updateTable('rollout_countings').set({ counted_to: '' }).where('rollout_id', 'in', ids).execute();
          await db.deleteFrom('rollout_counts').where('rollout_id', 'in', ids).execute();
          await db.deleteFrom('rollout_members').where('rollout_id', 'in', ids).execute();
        }
        await recountDevices(db);
      }),

    removeEmpty: () =>
      transaction(async (db) => {
        for (const table of ['device_counts', 'blocker_counts', 'rollout_counts'] as const satisfies CountTable[]) {
          await db.deleteFrom(table).where('devices', '=', 0).execute();
        }
      }, 'crash'),
  };
}

/** Compares all kept counts with the records. Returns one message per difference. */
export async function countDifferences(db: Database, memberOf: MemberOf): Promise<readonly string[]> {
  const found = [
    ...(await compared(db, 'device_counts', countedDevices)),
    ...(await compared(
      db,
      'blocker_counts',
      sql`SELECT project_id, blockers, count(*) AS devices FROM devices WHERE blockers IS NOT NULL GROUP BY project_id, blockers`,
    )),
  ];
  for (const rollout of await currentRollouts(db)) {
    if (rollout.isCounted) found.push(...(await rolloutDifferences(db, rollout, memberOf)));
  }
  return found;
}

type CountRow = Readonly<Record<string, string | number | null>>;

async function compared(db: Database, table: CountTable, counted: RawBuilder<unknown>): Promise<string[]> {
  const kept = await sql<CountRow>`SELECT * FROM ${sql.table(table)} WHERE devices <> 0`.execute(db);
  const actual = await sql<CountRow>`${counted}`.execute(db);
  return differencesOf(table, kept.rows, actual.rows);
}

function differencesOf(table: CountTable, kept: readonly CountRow[], actual: readonly CountRow[]): string[] {
  const numbers = new Map<string, { kept: number; actual: number }>();
  const add = (rows: readonly CountRow[], which: 'kept' | 'actual') => {
    for (const { devices, ...key } of rows) {
      const names = Object.keys(key).sort();
      const text = names.map((name) => `${name}=${key[name]}`).join(' ');
      const both = numbers.get(text) ?? { kept: 0, actual: 0 };
      numbers.set(text, { ...both, [which]: both[which] + Number(devices) });
    }
  };
  add(kept, 'kept');
  add(actual, 'actual');
  const wrong = [...numbers].filter(([, count]) => count.kept !== count.actual);
  return wrong.map(([key, count]) => `${table} ${key}: ${count.kept} are counted, but there are ${count.actual}`);
}

/** Counts the devices of a rollout again, and compares the counts and the members. */
async function rolloutDifferences(db: Database, rollout: RolloutRecord, memberOf: MemberOf): Promise<string[]> {
  const actual: CountRow[] = [];
  let wrongMembers = 0;
  let members = 0;
  for await (const row of devicesWithMembers(db, rollout)) {
    const { record } = toDevice(rollout.project, row);
    const member = memberOf(rollout, record);
    if (member === undefined) continue;
    actual.push({ rollout_id: rollout.id, stage: member.stage, kind: member.kind, devices: 1 });
    members++;
    const expected = memberRow(rollout.id, record.mac, member);
    if (memberColumns.some((column) => row[column] !== expected[column])) wrongMembers++;
  }
  const query = db.selectFrom('rollout_counts').selectAll().where('rollout_id', '=', rollout.id);
  const kept = await query.where('devices', '<>', 0).execute();
  const count = db.selectFrom('rollout_members').select(({ fn }) => fn.countAll<number>().as('members'));
  const stored = (await count.where('rollout_id', '=', rollout.id).executeTakeFirst())?.members ?? 0;
  const wrong = Math.max(wrongMembers, Math.abs(stored - members));
  const text = `rollout_members rollout_id=${rollout.id}: ${wrong} differ from the devices`;
  return [...differencesOf('rollout_counts', kept, actual), ...(wrong > 0 ? [text] : [])];
}

/** Reads the devices of a rollout's project, each with its stored member. Columns of the member are null if there is none. */
async function* devicesWithMembers(db: Database, { project, id }: RolloutRecord) {
  for (let after = ''; ; ) {
    const rows = await devicesOf(db, project)
      .leftJoin('rollout_members', (join) =>
        join.onRef('rollout_members.mac', '=', 'devices.mac').on('rollout_members.rollout_id', '=', id),
      )
      .select(memberColumns)
      .where('devices.mac', '>', after)
      .orderBy('devices.mac')
      .limit(devicesAtOnce)
      .execute();
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < devicesAtOnce) return;
    after = last.mac;
  }
}
