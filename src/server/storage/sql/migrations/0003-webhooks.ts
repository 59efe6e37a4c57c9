import { type ColumnDefinitionBuilder, sql, type Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds webhooks, and the queue of events to send to them, which is also the log of deliveries. */
export const webhooks: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, types: ColumnTypes): Promise<void> {
  const { text, integer, assigned, tableOptions } = types;
  const notNull = (column: ColumnDefinitionBuilder) => column.notNull();
  const targets = schema
    .createTable('webhooks')
    .addColumn('id', integer, assigned)
    .addColumn('url', text, notNull)
    .addColumn('secret', text, notNull)
    .addColumn('events', text, notNull)
    .addColumn('project', text)
    .addColumn('format', text, notNull)
    .addColumn('allow_private', integer, notNull)
    .addColumn('created_at', integer, notNull);
  // The column does not reference the webhook, because a webhook may be removed while another transaction adds an event for it.
  const deliveries = schema
    .createTable('webhook_deliveries')
    .addColumn('id', integer, assigned)
    .addColumn('webhook_id', integer, notNull)
    .addColumn('event_id', text, notNull)
    .addColumn('event', text, notNull)
    .addColumn('payload', text, notNull)
    .addColumn('at', integer, notNull)
    .addColumn('state', text, notNull)
    .addColumn('attempts', integer, notNull)
    .addColumn('next_at', integer, notNull)
    .addColumn('status', integer)
    .addColumn('error', text);
  for (const table of [targets, deliveries]) {
    await (tableOptions === undefined ? table : table.modifyEnd(tableOptions.assigned)).execute();
  }
  await schema
    .createIndex('webhook_deliveries_of_webhook')
    .on('webhook_deliveries')
    .columns(['webhook_id', 'id'])
    .execute();
  await schema
    .createIndex('webhook_deliveries_pending')
    .on('webhook_deliveries')
    .columns(['webhook_id', 'id'])
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute();
}
