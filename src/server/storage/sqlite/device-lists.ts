import { type SqlBool, sql } from 'kysely';
import type { DeviceFilter, RecordPage } from '../store.ts';
import type { Connection } from './connection.ts';

/** Returns a page of MACs, read from the index alone. */
export function macsOf(connection: Connection, projectId: number, page: RecordPage, filter: DeviceFilter): string[] {
  const { after, before, limit } = page;
  const { text, status, runs, group } = filter;
  const isBackwards = before !== undefined;
  const conditions = [
    after === undefined ? undefined : sql<SqlBool>`mac > ${after}`,
    before === undefined ? undefined : sql<SqlBool>`mac < ${before}`,
    status === undefined ? undefined : sql<SqlBool>`status = ${status}`,
    runs === undefined ? undefined : sql<SqlBool>`runs = ${runs}`,
    group === undefined ? undefined : sql<SqlBool>`device_group = ${group}`,
    text === undefined ? undefined : contains(text),
  ].filter((condition) => condition !== undefined);
  const query = sql<{ mac: string }>`
    SELECT mac FROM devices INDEXED BY devices_index
    WHERE ${sql.join([sql`project_id = ${projectId}`, ...conditions], sql` AND `)}
    ORDER BY mac ${sql.raw(isBackwards ? 'DESC' : 'ASC')} LIMIT ${limit}`;
  const macs = connection.all({ compile: () => query.compile(connection.db) }).map(({ mac }) => mac);
  return isBackwards ? macs.reverse() : macs;
}

function contains(text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const columns = [sql.ref('name'), sql.ref('mac')];
  // A MAC may be entered without colons.
  if (/^[0-9a-f]{3,12}$/i.test(text)) columns.push(sql`replace(mac, ':', '')`);
  const places = columns.map((column) => sql`${column} LIKE ${pattern} ESCAPE '\\'`);
  return sql<SqlBool>`(${sql.join(places, sql` OR `)})`;
}
