import type { Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds the numbers of devices by version over time. */
export const versionSamples: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer, tableOptions }: ColumnTypes): Promise<void> {
  const table = schema
    .createTable('version_samples')
    .addColumn('project_id', integer, (column) => column.notNull().references('projects.id'))
    .addColumn('at', integer, (column) => column.notNull())
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('devices', integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('version_samples_key', ['project_id', 'at', 'version']);
  await (tableOptions === undefined ? table : table.modifyEnd(tableOptions.keyed)).execute();
}
