import { sql, type Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds the labels of devices, and the number of recent sends of rollouts with a limit per hour. */
export const labelsAndPace: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer, tableOptions }: ColumnTypes): Promise<void> {
  await schema.alterTable('devices').addColumn('labels', text).execute();
  // A list of the devices with a label compares only labeled devices, and needs no other columns.
  await schema
    .createIndex('devices_of_labels')
    .on('devices')
    .columns(['project_id', 'mac', 'labels', 'status', 'runs', 'device_group', 'name'])
    .where(sql.ref('labels'), 'is not', null)
    .execute();
  const sends = schema
    .createTable('rollout_sends')
    .addColumn('rollout_id', integer, (column) => column.notNull().references('rollouts.id'))
    .addColumn('minute', integer, (column) => column.notNull())
    .addColumn('sends', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('rollout_sends_key', ['rollout_id', 'minute']);
  await (tableOptions === undefined ? sends : sends.modifyEnd(tableOptions.keyed)).execute();
}
