import { sql as expression, type SqlBool } from 'kysely';
import type { DeviceStatus } from '../../../api/admin-info.ts';
import { deviceStatus } from '../device-status.ts';
import type { DeviceRecord } from '../records.ts';
import type { DeviceFilter, RecordPage } from '../store.ts';
import type { Connection } from './connection.ts';

/** Columns of the index that device lists use; all are derived from the document. */
export interface Told {
  readonly standing: DeviceStatus;
  readonly name: string | null;
  readonly runs: string | null;
  readonly device_group: string | null;
}

export function toldOf(record: Pick<DeviceRecord, 'decisions' | 'attempts' | 'name' | 'running' | 'group'>): Told {
  return {
    standing: deviceStatus(record),
    name: record.name ?? null,
    runs: record.running?.version ?? null,
    device_group: record.group ?? null,
  };
}

/** Returns a page of MACs, read from the index alone. */
export function macsOf(connection: Connection, projectId: number, page: RecordPage, filter: DeviceFilter): string[] {
  const { after, before, limit } = page;
  const { text, status, runs, group } = filter;
  const isBackwards = before !== undefined;
  const conditions = [
    after === undefined ? undefined : expression<SqlBool>`mac > ${after}`,
    before === undefined ? undefined : expression<SqlBool>`mac < ${before}`,
    status === undefined ? undefined : expression<SqlBool>`standing = ${status}`,
    runs === undefined ? undefined : expression<SqlBool>`runs = ${runs}`,
    group === undefined ? undefined : expression<SqlBool>`device_group = ${group}`,
    text === undefined ? undefined : contains(text),
  ].filter((condition) => condition !== undefined);
  const query = expression<{ mac: string }>`
    SELECT mac FROM devices INDEXED BY devices_told
    WHERE ${expression.join([expression`project_id = ${projectId}`, ...conditions], expression` AND `)}
    ORDER BY mac ${expression.raw(isBackwards ? 'DESC' : 'ASC')} LIMIT ${limit}`;
  const macs = connection.all({ compile: () => query.compile(connection.sql) }).map(({ mac }) => mac);
  return isBackwards ? macs.reverse() : macs;
}

function contains(text: string) {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const columns = [expression.ref('name'), expression.ref('mac')];
  // A MAC may be written without its colons.
  if (/^[0-9a-f]{3,12}$/i.test(text)) columns.push(expression`replace(mac, ':', '')`);
  const places = columns.map((column) => expression`${column} LIKE ${pattern} ESCAPE '\\'`);
  return expression<SqlBool>`(${expression.join(places, expression` OR `)})`;
}

/** Fills the list columns of rows from older data and backups. Must run in a transaction. */
export function tellAll(connection: Connection): void {
  const { sql } = connection;
  const docOf = connection.prepare(
    sql.selectFrom('devices').select('doc').where('project_id', '=', 0).where('mac', '=', ''),
  );
  const untold = sql.selectFrom('devices').select(['project_id', 'mac']).where('standing', '=', '');
  for (const { project_id, mac } of connection.all(untold)) {
    // Written by `save`.
    const told = toldOf(JSON.parse(docOf.first(project_id, mac)?.doc ?? '') as DeviceRecord);
    connection.run(sql.updateTable('devices').set(told).where('project_id', '=', project_id).where('mac', '=', mac));
  }
}
