import type { Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds the list of devices without a project, which was kept in the memory of each process before. */
export const notEnrolled: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer, tableOptions }: ColumnTypes): Promise<void> {
  const table = schema
    .createTable('not_enrolled')
    .addColumn('mac', text, (column) => column.primaryKey())
    .addColumn('address', text, (column) => column.notNull())
    .addColumn('last_seen_at', integer, (column) => column.notNull())
    .addColumn('doc', text, (column) => column.notNull());
  await (tableOptions === undefined ? table : table.modifyEnd(tableOptions.keyed)).execute();
}
