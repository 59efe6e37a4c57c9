import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { moveFile, unfinishedCopyOf } from '../../src/files/move.ts';
import { folderOnOtherFileSystem, hasOtherFileSystem } from '../support/other-file-system.ts';
import { testFolder } from '../support/test-folder.ts';

const dividedTest = hasOtherFileSystem ? test : test.skip;

test('moves a file over an existing one', async (t) => {
  const folder = await testFolder(t, { 'a.bin': 'new', 'b.bin': 'old' });
  await moveFile(folder.at('a.bin'), folder.at('b.bin'));
  t.deepEqual(await folder.list(), ['b.bin']);
  t.is(await folder.text('b.bin'), 'new');
});

test('does not create the target file if the source file is missing', async (t) => {
  const folder = await testFolder(t);
  await t.throwsAsync(moveFile(folder.at('a.bin'), folder.at('b.bin')), { code: 'ENOENT' });
  t.deepEqual(await folder.list(), []);
});

dividedTest('moves a file to a different file system', async (t) => {
  const folder = await testFolder(t);
  const from = join(await folderOnOtherFileSystem(t), 'a.bin');
  t.not((await stat(join(from, '..'))).dev, (await stat(folder.path)).dev);
  await moveFile(await folder.write('a.bin', 'new'), from);
  t.deepEqual(await folder.list(), []);
  await moveFile(from, folder.at('b.bin'));
  t.deepEqual(await folder.list(), ['b.bin']);
  t.is(await folder.text('b.bin'), 'new');
  await t.throwsAsync(stat(from), { code: 'ENOENT' });
});

dividedTest(
  'keeps the source file and creates no target file if a move to a different file system fails',
  async (t) => {
    const folder = await testFolder(t, { 'a.bin': 'new' });
    const to = join(await folderOnOtherFileSystem(t), 'b.bin');
    // A folder with the name of the copy makes copying fail.
    await mkdir(join(unfinishedCopyOf(to), 'x'), { recursive: true });
    await t.throwsAsync(moveFile(folder.at('a.bin'), to), { code: 'EISDIR' });
    t.is(await folder.text('a.bin'), 'new');
    await t.throwsAsync(stat(to), { code: 'ENOENT' });
  },
);
