import type { ColumnDefinitionBuilder, Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds the devices of rollouts that have ended. The devices of rollouts that ended before are not known. */
export const rolloutResults: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer, tableOptions }: ColumnTypes): Promise<void> {
  const notNull = (column: ColumnDefinitionBuilder) => column.notNull();
  const results = schema
    .createTable('rollout_results')
    .addColumn('rollout_id', integer, (column) => column.notNull().references('rollouts.id'))
    .addColumn('stage', integer, notNull)
    .addColumn('kind', text, notNull)
    .addColumn('mac', text, notNull)
    .addPrimaryKeyConstraint('rollout_results_key', ['rollout_id', 'stage', 'kind', 'mac']);
  await (tableOptions === undefined ? results : results.modifyEnd(tableOptions.keyed)).execute();
}
