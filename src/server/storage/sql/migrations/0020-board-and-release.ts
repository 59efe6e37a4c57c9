import type { Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/**
 * Adds the board and the running release of devices, by which lists are filtered. These filters find a device that was stored before when its
 * record is next saved. Also adds the index for the audit entries of an action.
 */
export const boardAndRelease: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer }: ColumnTypes): Promise<void> {
  await schema.alterTable('devices').addColumn('board', text).execute();
  await schema.alterTable('devices').addColumn('release_id', integer).execute();
  // A list with several filters compares these columns, and needs no others.
  await schema
    .createIndex('devices_filtered')
    .on('devices')
    .columns([...['project_id', 'mac', 'board', 'release_id', 'channels', 'status', 'runs', 'device_group', 'name']])
    .execute();
  await schema.createIndex('audit_of_action').on('audit').columns(['action', 'id']).execute();
}
