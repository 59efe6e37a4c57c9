/**
 * Records new migrations: `npm run record:schemas`. A migration that is recorded is never recorded again, because
 * data folders may have been made with it.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownMigrations } from '../../../src/server/storage/sql/migrate.ts';
import { chooseDriver } from '../../../src/server/storage/sql/sqlite/drivers/choose.ts';
import {
  firstFixture,
  fixtureOf,
  migratedData,
  recordFile,
  type SchemaRecord,
  sha256Of,
  sourceOf,
} from './schema-record.ts';

const driver = await chooseDriver();
const record: Record<string, SchemaRecord[string]> = JSON.parse(await readFile(recordFile, 'utf8').catch(() => '{}'));
const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-schemas-'));
const names = Object.keys(ownMigrations);
for (const [index, name] of names.entries()) {
  if (record[name] !== undefined) continue;
  const earlier = names.slice(0, index + 1);
  if (name !== firstFixture) await writeFile(fixtureOf(name), await migratedData(join(folder, name), earlier, driver));
  record[name] = { source: await sha256Of(sourceOf(name)), fixture: await sha256Of(fixtureOf(name)) };
  console.log(`Recorded ${name}`);
}
await rm(folder, { recursive: true });
const sorted = Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
await writeFile(recordFile, `${JSON.stringify(sorted, null, 2)}\n`);
