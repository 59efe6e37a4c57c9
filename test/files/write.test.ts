import { chmod, lstat, stat, symlink, utimes } from 'node:fs/promises';
import test from 'ava';
import {
  makeFolderOf,
  removeFiles,
  removeLeftovers,
  rewriteFile,
  writeAtomically,
  writeIfChanged,
} from '../../src/files/write.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { testFolder } from '../support/test-folder.ts';

test('writes or replaces a file and leaves no temporary file', async (t) => {
  const folder = await testFolder(t, { 'old.bin': 'old' });
  await writeAtomically(folder.at('old.bin'), Buffer.from('new'));
  await writeAtomically(folder.at('new.txt'), 'text');
  t.deepEqual(await folder.list(), ['new.txt', 'old.bin']);
  t.is(await folder.text('old.bin'), 'new');
});

test('keeps the complete file of one writer after concurrent writes', async (t) => {
  const folder = await testFolder(t);
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(50_000));
  await Promise.all(texts.map((text) => writeAtomically(folder.at('door.bin'), text)));
  t.true(texts.includes(await folder.text('door.bin')));
  t.deepEqual(await folder.list(), ['door.bin']);
});

test('reports the reason for a failed write and leaves no file or temporary file', async (t) => {
  const folder = await testFolder(t, { file: '', 'folder/inside': '' });
  const missing = await expectOtaError(t, 'FOLDER_MISSING', () => writeAtomically(folder.at('missing/door.bin'), ''));
  t.is(missing.exitCode, 1);
  const below = await expectOtaError(t, 'FILE_UNWRITABLE', () => writeAtomically(folder.at('file/door.bin'), ''));
  t.regex(below.message, /part of the path is a file/);
  const onFolder = await expectOtaError(t, 'FILE_UNWRITABLE', () => writeAtomically(folder.at('folder'), ''));
  t.regex(onFolder.message, /it is a folder/);
  t.deepEqual(await folder.list(), ['file', 'folder/inside']);
});

test('rewrites a file only when its text changes', async (t) => {
  const folder = await testFolder(t);
  const path = folder.at('header.h');
  const then = new Date('2020-02-02');
  t.is(await writeIfChanged(path, 'one'), 'written');
  await utimes(path, then, then);
  t.is(await writeIfChanged(path, 'one'), 'unchanged');
  t.deepEqual((await stat(path)).mtime, then);
  t.is(await writeIfChanged(path, 'two'), 'written');
  t.notDeepEqual((await stat(path)).mtime, then);
});

test('removeFiles ignores missing files, and removes all other files before it reports those that are left', async (t) => {
  const folder = await testFolder(t, { 'a.bin': '', 'd.bin': '', 'folder/inside': '', 'other/inside': '' });
  await removeFiles([folder.at('a.bin'), folder.at('b.bin'), folder.at('missing/c.bin')]);
  t.deepEqual(await folder.list(), ['d.bin', 'folder/inside', 'other/inside']);
  const paths = ['folder', 'd.bin', 'other'].map((name) => folder.at(name));
  const error = await expectOtaError(t, 'FILE_UNREMOVABLE', () => removeFiles(paths));
  t.regex(error.message, /folder, .*other could not be removed: /);
  t.notRegex(error.message, /d\.bin/);
  t.deepEqual(await folder.list(), ['folder/inside', 'other/inside']);
});

test('removes only the temporary files that a killed writer left behind', async (t) => {
  const folder = await testFolder(t, {
    'door.bin': '',
    '.door.bin.0badcafe.tmp': 'half',
    '.door.bin2.0badcafe.tmp': 'of another',
    '.door.bin.note': 'of the user',
  });
  await removeLeftovers([folder.at('door.bin'), folder.at('missing/door.bin')]);
  t.deepEqual(await folder.list(), ['.door.bin.note', '.door.bin2.0badcafe.tmp']);
});

test('creates nested folders and reports a file that is in the way', async (t) => {
  const folder = await testFolder(t, { file: '' });
  await makeFolderOf(folder.at('a/b/c/header.h'));
  await makeFolderOf(folder.at('a/b/c/header.h'));
  t.true((await stat(folder.at('a/b/c'))).isDirectory());
  const error = await expectOtaError(t, 'FILE_UNWRITABLE', () => makeFolderOf(folder.at('file/b/header.h')));
  t.regex(error.message, /file.*folder/);
});

test('rewrites a user file without changing permissions or symbolic links', async (t) => {
  const folder = await testFolder(t, { 'real.ini': 'old' });
  await chmod(folder.at('real.ini'), 0o640);
  await symlink(folder.at('real.ini'), folder.at('link.ini'));
  await rewriteFile(folder.at('link.ini'), 'new');
  t.true((await lstat(folder.at('link.ini'))).isSymbolicLink());
  t.is(await folder.text('real.ini'), 'new');
  t.is((await stat(folder.at('real.ini'))).mode & 0o777, 0o640);
  await rewriteFile(folder.at('new.ini'), 'first');
  t.deepEqual(await folder.list(), ['link.ini', 'new.ini', 'real.ini']);
});
