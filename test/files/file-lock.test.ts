/** Locks of killed processes. Several processes can find the same one, and at most one of them may hold the next lock. */
import { utimes } from 'node:fs/promises';
import test from 'ava';
import { removeAbandoned, withFileLock } from '../../src/files/file-lock.ts';
import { testFolder } from '../support/test-folder.ts';

test('a process that finds an abandoned lock late does not remove the lock of the next process', async (t) => {
  const folder = await testFolder(t, { 'log.lock': '' });
  await removeAbandoned(folder.at('log'), folder.at('log.lock'));
  t.deepEqual(await folder.list(), ['log.lock']);
});

test('while one process removes an abandoned lock, no other one does', async (t) => {
  const folder = await testFolder(t, { 'log.lock': '', 'log.lock.removal': '' });
  await utimes(folder.at('log.lock'), 0, 0);
  await removeAbandoned(folder.at('log'), folder.at('log.lock'));
  t.deepEqual((await folder.list()).sort(), ['log.lock', 'log.lock.removal']);
});

test('functions run one after the other, also after a failure and an abandoned lock', async (t) => {
  const folder = await testFolder(t, { 'log.lock': '' });
  await utimes(folder.at('log.lock'), 0, 0);
  let running = 0;
  const runs = Array.from({ length: 20 }, (_, index) =>
    withFileLock(folder.at('log'), async () => {
      running += 1;
      t.is(running, 1);
      await folder.write(String(index), '');
      running -= 1;
      if (index % 5 === 0) throw new Error('no space');
    }).catch((error: Error) => t.is(error.message, 'no space')),
  );
  await Promise.all(runs);
  t.is((await folder.list()).length, 20);
});
