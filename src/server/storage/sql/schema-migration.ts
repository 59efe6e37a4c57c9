import type { Transaction } from 'kysely';
import type { ColumnTypes } from './engine.ts';
import type { Tables } from './tables.ts';

export interface SchemaMigration {
  /**
   * Oldest version of ota-hooks that can use the data after this migration. During a rolling upgrade, processes of that version are still
   * running, so the migration must not break their statements: it may add tables, and columns that are nullable or have a default.
   */
  readonly oldestProgram: string;
  up(db: Transaction<Tables>, types: ColumnTypes): Promise<void>;
}
