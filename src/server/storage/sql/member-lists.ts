import { sql } from 'kysely';
import type { MemberFilter, RecordPage } from '../store.ts';
import type { Engine } from './engine.ts';

/**
 * Returns a page of the MACs of a rollout's members, in the order of `page`. Each stage and kind is a range of an index that is sorted by MAC,
 * and at most `page.limit` entries of each range are read.
 */
export async function memberMacs(
  { db, indexedBy }: Engine,
  { rollout, parts }: MemberFilter,
  { after = '', before, limit }: RecordPage,
): Promise<readonly string[]> {
  if (parts.length === 0) return [];
  const [position, order] =
    before === undefined ? [sql`mac > ${after}`, sql.raw('ASC')] : [sql`mac < ${before}`, sql.raw('DESC')];
  const ranges = parts.map(
    ({ stage, kind }) => sql`
      SELECT mac FROM (
        SELECT mac FROM rollout_members ${indexedBy('rollout_members_listed')}
        WHERE rollout_id = ${rollout} AND stage = ${stage} AND kind = ${kind} AND ${position}
        ORDER BY mac ${order} LIMIT ${limit}) AS part`,
  );
  const { rows } = await sql<{
    mac: string;
  }>`${sql.join(ranges, sql` UNION ALL `)} ORDER BY mac ${order} LIMIT ${limit}`.execute(db);
  return rows.map(({ mac }) => mac);
}
