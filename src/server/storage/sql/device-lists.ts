import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { DeviceFilter, RecordPage } from '../store.ts';
import type { Engine } from './engine.ts';

/** Returns a subquery for a page of MACs, which reads the index alone. */
export function listedMacs(
  engine: Engine,
  projectId: number,
  { after, before, limit }: RecordPage,
  { text, status, runs, group }: DeviceFilter,
): RawBuilder<string> {
  const conditions = [
    after === undefined ? undefined : sql<SqlBool>`mac > ${after}`,
    before === undefined ? undefined : sql<SqlBool>`mac < ${before}`,
    status === undefined ? undefined : sql<SqlBool>`status = ${status}`,
    runs === undefined ? undefined : sql<SqlBool>`runs = ${runs}`,
    group === undefined ? undefined : sql<SqlBool>`device_group = ${group}`,
    text === undefined ? undefined : contains(engine, text),
  ].filter((condition) => condition !== undefined);
  return sql<string>`(
    SELECT mac FROM devices ${engine.indexedBy('devices_index')}
    WHERE ${sql.join([sql`project_id = ${projectId}`, ...conditions], sql` AND `)}
    ORDER BY mac ${sql.raw(before === undefined ? 'ASC' : 'DESC')} LIMIT ${limit})`;
}

function contains({ like }: Engine, text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const columns = [sql.ref('name'), sql.ref('mac')];
  // A MAC may be entered without colons.
  if (/^[0-9a-f]{3,12}$/i.test(text)) columns.push(sql`replace(mac, ':', '')`);
  const places = columns.map((column) => sql`${column} ${sql.raw(like)} ${pattern} ESCAPE '\\'`);
  return sql<SqlBool>`(${sql.join(places, sql` OR `)})`;
}
