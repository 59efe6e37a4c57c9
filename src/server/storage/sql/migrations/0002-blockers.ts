import type { Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds what blocks a device. A device that was stored before counts as blocked by nothing until its next decision is stored. */
export const blockers: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer, tableOptions }: ColumnTypes): Promise<void> {
  await schema.alterTable('devices').addColumn('blockers', text).execute();
  const counts = schema
    .createTable('blocker_counts')
    .addColumn('project_id', integer, (column) => column.notNull().references('projects.id'))
    .addColumn('blockers', text, (column) => column.notNull())
    .addColumn('devices', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('blocker_counts_key', ['project_id', 'blockers']);
  await (tableOptions === undefined ? counts : counts.modifyEnd(tableOptions.keyed)).execute();
}
