/** A server that is killed while it creates its data: the next start finds no tables or all of them. */
import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import test from 'ava';
import Database from 'libsql';
import { testFolder } from '../../support/test-folder.ts';
import { serveWith } from './serving-process.ts';

const kills = Number(process.env['OTA_HOOKS_MIGRATION_KILLS'] ?? 70);

/** Number of tables left behind by a killed server, excluding those of Kysely's Migrator. */
function tablesIn(folder: string): number {
  const database = new Database(`${folder}/ota.db`);
  try {
    const query = "SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'kysely_%'";
    // The query names this column.
    return (database.prepare(query).get([]) as { tables: number }).tables;
  } finally {
    database.close();
  }
}

test.serial(`starts again after kill -9 interrupted its first start (${kills} times)`, async (t) => {
  t.timeout(9 * 60_000);
  const folder = await testFolder(t);
  const began = performance.now();
  const unharmed = await serveWith(folder.at('first'));
  let killAfterMs = performance.now() - began;
  unharmed.kill('SIGTERM');
  await unharmed.ended;
  const allTables = tablesIn(folder.at('first'));

  const found = new Map<number, number>();
  for (let count = 0; count < kills; count++) {
    const data = folder.at(`data${count}`);
    const killed = await serveWith(data, count === 0 ? 0 : killAfterMs);
    killed.kill('SIGKILL');
    await killed.ended;
    // Inspect a copy, because opening the original would recover the database from its journal.
    if (existsSync(data)) await cp(data, `${data}-looked-at`, { recursive: true });
    const tables = existsSync(`${data}-looked-at/ota.db`) ? tablesIn(`${data}-looked-at`) : 0;
    found.set(tables, (found.get(tables) ?? 0) + 1);
    // Kill later if no tables existed and earlier if all tables existed, so that kills interrupt the creation on every machine.
    killAfterMs *= tables === allTables ? 1 - 0.1 * Math.random() : 1 + 0.1 * Math.random();
    if (count % 5 === 0) {
      const server = await serveWith(data);
      t.truthy(server.url);
      server.kill('SIGKILL');
      await server.ended;
      t.is(tablesIn(data), allTables);
    }
    for (const each of [data, `${data}-looked-at`]) await rm(each, { recursive: true, force: true });
  }
  t.log(`tables left behind: ${[...found].map(([tables, times]) => `${tables}: ${times}`).join(', ')}`);
  t.deepEqual(
    [...found.keys()].filter((tables) => tables !== 0 && tables !== allTables),
    [],
  );
  t.true((found.get(0) ?? 0) > 0, 'at least one server was killed before it created the tables');
});
