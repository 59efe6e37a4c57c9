import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely';

const strict = sql`STRICT`;
const strictWithoutRowid = sql`STRICT, WITHOUT ROWID`;

export const firstTables: Migration = { up };

async function up({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('meta')
    .addColumn('key', 'text', primaryKey)
    .addColumn('value', 'text', notNull)
    .modifyEnd(strictWithoutRowid)
    .execute();

  await schema
    .createTable('projects')
    .addColumn('id', 'integer', primaryKey)
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('doc', 'text', notNull)
    .modifyEnd(strict)
    .execute();

  await schema
    .createTable('releases')
    .addColumn('id', 'integer', primaryKey)
    .addColumn('project_id', 'integer', referenceTo('projects.id'))
    .addColumn('version', 'text', notNull)
    .addColumn('kind', 'text', notNull)
    .addColumn('board', 'text', notNull)
    .addColumn('reference_image', 'text', notNull)
    .addColumn('published_at', 'integer', notNull)
    .addColumn('trusted', 'integer', notNull)
    .addColumn('yanked', 'text')
    .addColumn('manifest', 'text', notNull)
    .addUniqueConstraint('releases_name', ['project_id', 'version', 'kind', 'board', 'reference_image'])
    .modifyEnd(strict)
    .execute();
  await schema
    .createTable('release_blobs')
    .addColumn('sha256', 'text', notNull)
    .addColumn('release_id', 'integer', referenceTo('releases.id'))
    .addPrimaryKeyConstraint('release_blobs_key', ['sha256', 'release_id'])
    .modifyEnd(strictWithoutRowid)
    .execute();
  await schema
    .createTable('sketch_md5s')
    .addColumn('md5', 'blob', notNull)
    .addColumn('release_id', 'integer', referenceTo('releases.id'))
    .addColumn('flash_mode', 'integer', notNull)
    .addPrimaryKeyConstraint('sketch_md5s_key', ['md5', 'release_id'])
    .modifyEnd(strictWithoutRowid)
    .execute();

  await schema
    .createTable('current_releases')
    .addColumn('project_id', 'integer', referenceTo('projects.id'))
    .addColumn('channel', 'text', notNull)
    .addColumn('kind', 'text', notNull)
    .addColumn('board', 'text', notNull)
    .addColumn('release_id', 'integer', referenceTo('releases.id'))
    .addPrimaryKeyConstraint('current_releases_key', ['project_id', 'channel', 'kind', 'board'])
    .modifyEnd(strictWithoutRowid)
    .execute();
  await schema
    .createTable('promotions')
    .addColumn('id', 'integer', primaryKey)
    .addColumn('project_id', 'integer', referenceTo('projects.id'))
    .addColumn('channel', 'text', notNull)
    .addColumn('release_id', 'integer', referenceTo('releases.id'))
    .addColumn('at', 'integer', notNull)
    .modifyEnd(strict)
    .execute();
  await schema.createIndex('promotions_of_channel').on('promotions').columns(['project_id', 'channel']).execute();

  await schema
    .createTable('devices')
    .addColumn('project_id', 'integer', referenceTo('projects.id'))
    .addColumn('mac', 'text', notNull)
    .addColumn('revision', 'integer', notNull)
    .addColumn('retention', 'integer', notNull)
    .addColumn('due_ms', 'integer')
    .addColumn('last_seen_at', 'integer')
    .addColumn('report', 'text')
    .addColumn('doc', 'text', notNull)
    .addColumn('status', 'text', notNull)
    .addColumn('name', 'text')
    .addColumn('runs', 'text')
    .addColumn('device_group', 'text')
    .addPrimaryKeyConstraint('devices_key', ['project_id', 'mac'])
    .modifyEnd(strictWithoutRowid)
    .execute();
  await schema
    .createIndex('devices_due')
    .on('devices')
    .column('due_ms')
    .where(sql.ref('due_ms'), 'is not', null)
    .execute();
  // Index for filtering device lists. It is a tenth of the size of the table and has the order of the lists.
  await schema
    .createIndex('devices_index')
    .on('devices')
    .columns(['project_id', 'mac', 'status', 'name', 'runs', 'device_group'])
    .execute();

  await schema
    .createTable('rollouts')
    .addColumn('id', 'integer', primaryKey)
    .addColumn('project_id', 'integer', referenceTo('projects.id'))
    .addColumn('channel', 'text', notNull)
    .addColumn('state', 'text', notNull)
    .addColumn('doc', 'text', notNull)
    .modifyEnd(strict)
    .execute();
  await schema.createIndex('rollouts_of_channel').on('rollouts').columns(['project_id', 'channel']).execute();

  await schema
    .createTable('tokens')
    .addColumn('id', 'text', primaryKey)
    .addColumn('hash', 'text', notNull)
    .addColumn('roles', 'text', notNull)
    .addColumn('channels', 'text', notNull)
    .addColumn('project', 'text')
    .addColumn('name', 'text', notNull)
    .addColumn('created_at', 'integer', notNull)
    .modifyEnd(strictWithoutRowid)
    .execute();

  await schema
    .createTable('uploads')
    .addColumn('token', 'text', notNull)
    .addColumn('sha256', 'text', notNull)
    .addColumn('size_bytes', 'integer', notNull)
    .addColumn('at', 'integer', notNull)
    .addColumn('complete', 'integer', notNull)
    .addPrimaryKeyConstraint('uploads_key', ['token', 'sha256'])
    .modifyEnd(strictWithoutRowid)
    .execute();

  await schema
    .createTable('audit')
    .addColumn('id', 'integer', primaryKey)
    .addColumn('at', 'integer', notNull)
    .addColumn('actor', 'text', notNull)
    .addColumn('action', 'text', notNull)
    .addColumn('project', 'text')
    .addColumn('detail', 'text', notNull)
    .modifyEnd(strict)
    .execute();
  await schema
    .createIndex('audit_of_devices')
    .on('audit')
    .column('project')
    .expression(sql`detail ->> 'mac'`)
    .where(sql`detail ->> 'mac'`, 'is not', null)
    .execute();
}

function primaryKey(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.primaryKey();
}

function notNull(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}

function referenceTo(key: string): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) => column.notNull().references(key);
}
