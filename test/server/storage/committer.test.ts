import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Committer, type Durability } from '../../../src/server/storage/sqlite/committer.ts';
import { Connection } from '../../../src/server/storage/sqlite/connection.ts';
import { chooseDriver } from '../../../src/server/storage/sqlite/drivers/choose.ts';
import { JournalFlush } from '../../../src/server/storage/sqlite/journal-flush.ts';
import { endlessMs } from '../../support/patience.ts';
import { testFolder } from '../../support/test-folder.ts';

/** Database with a single table, `notes`. */
async function notebook(t: ExecutionContext, journalOf: (path: string) => string = (path) => path, lazyMs?: number) {
  const path = (await testFolder(t)).at('notes.db');
  const connection = new Connection(path, await chooseDriver());
  connection.execute('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT');
  const journal = new JournalFlush(journalOf(path));
  const committer = new Committer(connection, journal, lazyMs);
  t.teardown(async () => {
    committer.commit();
    await journal.close();
    connection.close();
  });
  return {
    committer,
    connection,
    note: (text: string) => connection.execute(`INSERT INTO notes (text) VALUES ('${text}')`),
    notes: () => countOf(connection),
    inJournal: async (text: string) => (await readFile(`${path}-wal`)).includes(text),
  };
}

function countOf(connection: Connection): number {
  const { db } = connection;
  // The types of the server do not include this table, because it exists only in this test.
  const query = db.selectFrom('notes' as 'meta').select(({ fn }) => fn.countAll<number>().as('value'));
  return connection.first(query)?.value ?? 0;
}

const durabilities: readonly Durability[] = ['group', 'sync', 'lazy', 'group', 'group', 'sync', 'lazy'];

test('resolves writes in call order, even while the journal is being flushed', async (t) => {
  const { committer, note } = await notebook(t);
  const settled: number[] = [];
  const writes: Promise<unknown>[] = [];
  for (let count = 0; count < 300; count++) {
    const durability = durabilities[count % durabilities.length] ?? 'group';
    writes.push(committer.write(durability, () => note(`note ${count}`)).then(() => settled.push(count)));
    // Some writes share a transaction. Other writes arrive while earlier writes are being flushed.
    if (count % 3 === 0) await nextTurn();
  }
  committer.commit();
  await Promise.all(writes);
  t.deepEqual(
    settled,
    Array.from({ length: 300 }, (_, count) => count),
  );
});

test('resolves a write only after the write is in the journal', async (t) => {
  const { committer, note, inJournal } = await notebook(t);
  for (const durability of ['sync', 'group', 'lazy'] as const) {
    await committer.write(durability, () => note(`a ${durability} note`));
    t.true(await inJournal(`a ${durability} note`), durability);
  }
});

test('commits a lazy write with the next transaction, in write order', async (t) => {
  const { committer, note, notes } = await notebook(t, undefined, endlessMs);
  let isSettled = false;
  const waiting = committer.write('lazy', () => note('receipt')).then(() => (isSettled = true));
  await nextTurn();
  await nextTurn();
  t.is(notes(), 0, 'it waits');
  const before = await committer.write('group', () => notes());
  t.is(before, 1, 'it was written before what came after it');
  t.true(isSettled);
  await waiting;
});

test('rolls back only the failed write in a transaction', async (t) => {
  const { committer, note, notes } = await notebook(t);
  const outcomes = await Promise.allSettled([
    committer.write('group', () => note('before')),
    committer.write('group', () => {
      note('half');
      throw new Error('it failed');
    }),
    committer.write('group', () => note('behind')),
  ]);
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.is(notes(), 2);
});

test('rejects all writes in a transaction that SQLite rolls back because the disk is full', async (t) => {
  const { committer, connection, note, notes } = await notebook(t);
  let undone = 0;
  committer.onUndone(() => undone++);
  const outcomes = await Promise.allSettled([
    committer.write('group', () => note('before')),
    committer.write('group', () => {
      // SQLite itself rolls back when the disk is full (sqlite.org/lang_transaction.html, 3.1).
      connection.execute('ROLLBACK');
      throw new Error('SQLITE_FULL');
    }),
    committer.write('lazy', () => note('behind')),
  ]);
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  t.is(notes(), 0);
  t.is(undone, 1);
  await committer.write('group', () => note('when there is room again'));
  t.is(notes(), 1);
});

test('rejects a group write when the journal cannot be flushed', async (t) => {
  const { committer, note } = await notebook(t, (path) => `${path}-elsewhere`);
  await t.throwsAsync(
    committer.write('group', () => note('group')),
    { code: 'ENOENT' },
  );
  await t.notThrowsAsync(committer.write('sync', () => note('sync')));
});
