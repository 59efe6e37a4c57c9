import type { Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/**
 * Adds the index for lists of a rollout's devices. Before, only some of the devices were stored as members, so the devices of all rollouts
 * are counted again.
 */
export const memberLists: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up(db: Transaction<Tables>, _: ColumnTypes): Promise<void> {
  await db.schema
    .createIndex('rollout_members_listed')
    .on('rollout_members')
    .columns(['rollout_id', 'stage', 'kind', 'mac'])
    .execute();
  const newest = db
    .selectFrom('rollouts')
    .select(({ fn }) => fn.max('id').as('id'))
    .groupBy(['project_id', 'channel']);
  await db.deleteFrom('rollout_counts').where('rollout_id', 'in', newest).execute();
  await db.deleteFrom('rollout_members').where('rollout_id', 'in', newest).execute();
  await db.updateTable('rollout_countings').set({ counted_to: '' }).where('rollout_id', 'in', newest).execute();
}
