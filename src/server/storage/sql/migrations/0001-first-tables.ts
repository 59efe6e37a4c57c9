import { type ColumnDefinitionBuilder, type CreateTableBuilder, sql, type Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

export const firstTables: SchemaMigration = { oldestProgram: '0.1.0', up };

/** Columns of a table: `text` and `integer`, nullable with a question mark, or a reference to the ID of another table. */
type Columns = Readonly<Record<string, 'text' | 'integer' | 'text?' | 'integer?' | { readonly idOf: string }>>;

async function up({ schema }: Transaction<Tables>, types: ColumnTypes): Promise<void> {
  const idTable = (name: string, columns: Columns) => {
    const table = schema.createTable(name).addColumn('id', types.integer, types.assigned);
    return finished(withColumns(table, columns, types), types.tableOptions?.assigned);
  };
  const keyedTable = (name: string, key: readonly string[], columns: Columns) => {
    const table = withColumns(schema.createTable(name), columns, types);
    return finished(table.addPrimaryKeyConstraint(`${name}_key`, [...key]), types.tableOptions?.keyed);
  };
  const index = (name: string, table: string, columns: readonly string[]) =>
    schema
      .createIndex(name)
      .on(table)
      .columns([...columns]);

  await keyedTable('meta', ['key'], { key: 'text', value: 'text' }).execute();

  await idTable('projects', { name: 'text', revision: 'integer', doc: 'text' })
    .addUniqueConstraint('projects_name', ['name'])
    .execute();

  await idTable('releases', {
    project_id: { idOf: 'projects' },
    version: 'text',
    kind: 'text',
    board: 'text',
    reference_image: 'text',
    published_at: 'integer',
    trusted: 'integer',
    yanked: 'text?',
    manifest: 'text',
  })
    .addUniqueConstraint('releases_name', ['project_id', 'version', 'kind', 'board', 'reference_image'])
    .execute();
  await keyedTable('release_blobs', ['sha256', 'release_id'], {
    sha256: 'text',
    release_id: { idOf: 'releases' },
  }).execute();
  await keyedTable('sketch_md5s', ['md5', 'release_id'], {
    md5: 'text',
    release_id: { idOf: 'releases' },
    flash_mode: 'integer',
  }).execute();

  await keyedTable('current_releases', ['project_id', 'channel', 'kind', 'board'], {
    project_id: { idOf: 'projects' },
    channel: 'text',
    kind: 'text',
    board: 'text',
    release_id: { idOf: 'releases' },
  }).execute();
  await idTable('promotions', {
    project_id: { idOf: 'projects' },
    channel: 'text',
    release_id: { idOf: 'releases' },
    at: 'integer',
  }).execute();
  await index('promotions_of_channel', 'promotions', ['project_id', 'channel']).execute();

  await keyedTable('devices', ['project_id', 'mac'], {
    project_id: { idOf: 'projects' },
    mac: 'text',
    revision: 'integer',
    retention: 'integer',
    due_ms: 'integer?',
    last_seen_at: 'integer?',
    report: 'text?',
    doc: 'text',
    status: 'text',
    name: 'text?',
    runs: 'text?',
    device_group: 'text?',
    channels: 'text',
    enrolled: 'integer',
  }).execute();
  await index('devices_due', 'devices', ['due_ms']).where(sql.ref('due_ms'), 'is not', null).execute();
  // Indices in the order of device lists: one for each filter, and one with the columns that a search compares.
  await index('devices_of_status', 'devices', ['project_id', 'status', 'mac']).execute();
  await index('devices_of_version', 'devices', ['project_id', 'runs', 'mac']).execute();
  await index('devices_of_group', 'devices', ['project_id', 'device_group', 'mac'])
    .where(sql.ref('device_group'), 'is not', null)
    .execute();
  await index('devices_searched', 'devices', ['project_id', 'mac', 'name']).execute();
  await index('devices_of_name', 'devices', ['project_id', 'name']).where(sql.ref('name'), 'is not', null).execute();
  // Devices that may be evicted from a full project.
  await index('devices_unprotected', 'devices', ['project_id', 'retention'])
    .where(sql.ref('retention'), '>', 0)
    .execute();
  const counted = {
    project_id: { idOf: 'projects' },
    status: 'text',
    runs: 'text',
    device_group: 'text',
    retention: 'integer',
    channels: 'text',
    enrolled: 'integer',
  } as const;
  await keyedTable('device_counts', Object.keys(counted), { ...counted, devices: 'integer' }).execute();

  await idTable('rollouts', {
    project_id: { idOf: 'projects' },
    channel: 'text',
    state: 'text',
    revision: 'integer',
    doc: 'text',
  }).execute();
  await index('rollouts_of_channel', 'rollouts', ['project_id', 'channel']).execute();
  await keyedTable('rollout_countings', ['rollout_id'], {
    rollout_id: { idOf: 'rollouts' },
    counted_to: 'text?',
  }).execute();
  await keyedTable('rollout_counts', ['rollout_id', 'stage', 'kind'], {
    rollout_id: { idOf: 'rollouts' },
    stage: 'integer',
    kind: 'text',
    devices: 'integer',
  }).execute();
  await keyedTable('rollout_members', ['rollout_id', 'mac'], {
    rollout_id: { idOf: 'rollouts' },
    mac: 'text',
    stage: 'integer',
    kind: 'text',
    since_ms: 'integer?',
    address: 'text?',
  }).execute();
  await index('rollout_members_since', 'rollout_members', ['rollout_id', 'kind', 'since_ms', 'stage']).execute();

  await keyedTable('tokens', ['id'], {
    id: 'text',
    hash: 'text',
    roles: 'text',
    channels: 'text',
    project: 'text?',
    name: 'text',
    created_at: 'integer',
  }).execute();
  await keyedTable('sessions', ['key'], {
    key: 'text',
    token: 'text',
    form_token: 'text',
    ends_at: 'integer',
  }).execute();
  await index('sessions_of_token', 'sessions', ['token', 'ends_at']).execute();
  await keyedTable('failure_buckets', ['bucket'], { bucket: 'text', full_at: 'integer' }).execute();

  await keyedTable('uploads', ['token', 'sha256'], {
    token: 'text',
    sha256: 'text',
    size_bytes: 'integer',
    at: 'integer',
    complete: 'integer',
  }).execute();

  await idTable('audit', {
    at: 'integer',
    actor: 'text',
    action: 'text',
    project: 'text?',
    mac: 'text?',
    detail: 'text',
  }).execute();
  await index('audit_of_devices', 'audit', ['project', 'mac']).where(sql.ref('mac'), 'is not', null).execute();
}

type Table = CreateTableBuilder<string, string>;

function withColumns(start: Table, columns: Columns, types: ColumnTypes): Table {
  return Object.entries(columns).reduce((table, [name, kind]) => {
    if (typeof kind === 'object') return table.addColumn(name, types.integer, referenceTo(`${kind.idOf}.id`));
    const type = kind.startsWith('text') ? types.text : types.integer;
    return table.addColumn(name, type, kind.endsWith('?') ? (column) => column : notNull);
  }, start);
}

function finished(table: Table, options: Parameters<Table['modifyEnd']>[0] | undefined): Table {
  return options === undefined ? table : table.modifyEnd(options);
}

function notNull(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}

function referenceTo(key: string): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) => column.notNull().references(key);
}
