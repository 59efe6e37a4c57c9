import type { Transaction } from 'kysely';
import type { ColumnTypes } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';
import type { Tables } from '../tables.ts';

/** Adds the notes of releases, one text for all images of a version. */
export const releaseNotes: SchemaMigration = { oldestProgram: '0.1.0', up };

async function up({ schema }: Transaction<Tables>, { text, integer, tableOptions }: ColumnTypes): Promise<void> {
  const notes = schema
    .createTable('release_notes')
    .addColumn('project_id', integer, (column) => column.notNull().references('projects.id'))
    .addColumn('version', text, (column) => column.notNull())
    .addColumn('notes', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('release_notes_key', ['project_id', 'version']);
  await (tableOptions === undefined ? notes : notes.modifyEnd(tableOptions.keyed)).execute();
}
