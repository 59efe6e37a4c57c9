import { sql } from 'kysely';
import { documentSchemas } from '../document-schemas.ts';
import type { RolloutRecord } from '../records.ts';
import type { FinalMember, MemberFilter, RecordPage, RolloutCount } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import { storedJson } from './stored-json.ts';

/**
 * Returns a page of the MACs of a rollout's members, in the order of `page`. Each stage and kind is a range of an index that is sorted by MAC,
 * and at most `page.limit` entries of each range are read.
 */
export async function memberMacs(
  { db, indexedBy }: Engine,
  { rollout, parts, isFinal }: MemberFilter,
  { after = '', before, limit }: RecordPage,
): Promise<readonly string[]> {
  if (parts.length === 0) return [];
  const [position, order] =
    before === undefined ? [sql`mac > ${after}`, sql.raw('ASC')] : [sql`mac < ${before}`, sql.raw('DESC')];
  // The key of the final members is in the order of the lists.
  const table = isFinal ? sql`rollout_results` : sql`rollout_members ${indexedBy('rollout_members_listed')}`;
  const ranges = parts.map(
    ({ stage, kind }) => sql`
      SELECT mac FROM (
        SELECT mac FROM ${table}
        WHERE rollout_id = ${rollout} AND stage = ${stage} AND kind = ${kind} AND ${position}
        ORDER BY mac ${order} LIMIT ${limit}) AS part`,
  );
  const { rows } = await sql<{
    mac: string;
  }>`${sql.join(ranges, sql` UNION ALL `)} ORDER BY mac ${order} LIMIT ${limit}`.execute(db);
  return rows.map(({ mac }) => mac);
}

/** Number of devices that one statement stores: PostgreSQL took 5 s for 200,000 devices, and its statements fail after 6 s. */
const storedAtOnce = 10_000;

/**
 * Stores the devices of a rollout within the transaction that stores its final numbers, and counts the stored devices, so that the lists
 * always match the numbers.
 */
export async function storeFinalMembers(db: Database, rollout: number): Promise<readonly RolloutCount[]> {
  // A restored backup may contain devices of a rollout in progress.
  await db.deleteFrom('rollout_results').where('rollout_id', '=', rollout).execute();
  const members = db.selectFrom('rollout_members').where('rollout_id', '=', rollout);
  for (let after = ''; ; ) {
    const rest = members.where('mac', '>', after);
    const end = await rest
      .select('mac')
      .orderBy('mac')
      .offset(storedAtOnce - 1)
      .limit(1)
      .executeTakeFirst();
    const part = end === undefined ? rest : rest.where('mac', '<=', end.mac);
    await db
      .insertInto('rollout_results')
      .columns(['rollout_id', 'stage', 'kind', 'mac'])
      .expression(part.select(['rollout_id', 'stage', 'kind', 'mac']))
      .execute();
    if (end === undefined) break;
    after = end.mac;
  }
  return db
    .selectFrom('rollout_results')
    .select(({ fn }) => ['stage', 'kind', fn.countAll<number>().as('devices')])
    .where('rollout_id', '=', rollout)
    .groupBy(['stage', 'kind'])
    .orderBy('stage')
    .orderBy('kind')
    .execute();
}

export async function hasFinalMembers(db: Database, rollout: number): Promise<boolean> {
  const query = db.selectFrom('rollout_results').select('stage').where('rollout_id', '=', rollout);
  // Without the order, PostgreSQL may read the whole table for a rollout that has no members.
  return (await query.orderBy('stage').limit(1).executeTakeFirst()) !== undefined;
}

export async function finalMembersOf(
  db: Database,
  { rollout, parts }: Omit<MemberFilter, 'isFinal'>,
  macs: readonly string[],
): Promise<readonly FinalMember[]> {
  if (macs.length === 0 || parts.length === 0) return [];
  return db
    .selectFrom('rollout_results')
    .select(['mac', 'stage', 'kind'])
    .where('rollout_id', '=', rollout)
    .where('stage', 'in', [...new Set(parts.map(({ stage }) => stage))])
    .where('kind', 'in', [...new Set(parts.map(({ kind }) => kind))])
    .where('mac', 'in', macs)
    .execute();
}

/** Removes final members of rollouts whose final numbers were stored before `at`; see `RolloutStore.forgetFinalMembers`. */
export async function forgetFinalMembers(
  db: Database,
  { project, at, most }: { readonly project: string; readonly at: number; readonly most: number },
): Promise<'more' | 'complete'> {
  const rows = await db
    .selectFrom('rollouts')
    .innerJoin('projects', 'projects.id', 'rollouts.project_id')
    .select(['rollouts.id', 'rollouts.doc'])
    .where('projects.name', '=', project)
    .where(
      // See `hasFinalMembers`. Within EXISTS, the order would have no effect.
      ({ selectFrom }) =>
        selectFrom('rollout_results')
          .select('stage')
          .whereRef('rollout_id', '=', 'rollouts.id')
          .orderBy('stage')
          .limit(1),
      'is not',
      null,
    )
    .execute();
  const old = rows.find(({ id, doc }) => {
    const what = `the document of rollout ${id}`;
    const { result } = storedJson<Pick<RolloutRecord, 'result'>>(doc, what, documentSchemas.rollouts.doc);
    return result !== undefined && result.at < at;
  });
  if (old === undefined) return 'complete';
  const key = sql`rollout_id, stage, kind, mac`;
  await sql`
    DELETE FROM rollout_results WHERE (${key}) IN (
      SELECT ${key} FROM rollout_results WHERE rollout_id = ${old.id} LIMIT ${most})`.execute(db);
  return 'more';
}
