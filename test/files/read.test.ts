import test from 'ava';
import { readNamedFile, readOptionalFile } from '../../src/files/read.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { testFolder } from '../support/test-folder.ts';

test('a named file that is missing is a mistake of usage, and is called what it is', async (t) => {
  const folder = await testFolder(t, { file: 'content' });
  t.is(Buffer.from(await readNamedFile(folder.at('file'), 'image')).toString(), 'content');
  for (const name of ['gone.bin', 'gone/door.bin', 'file/door.bin']) {
    const error = await expectOtaError(t, 'FILE_NOT_FOUND', () => readNamedFile(folder.at(name), 'image'));
    t.is(error.exitCode, 2);
    t.is(error.message, `No image at ${folder.at(name)}`);
  }
});

test('a folder in the place of a file cannot be read, which is said in words', async (t) => {
  const folder = await testFolder(t);
  const error = await expectOtaError(t, 'FILE_UNREADABLE', () => readNamedFile(folder.path, 'image'));
  t.is(error.exitCode, 1);
  t.regex(error.message, /could not be read: it is a folder \(EISDIR\)$/);
});

test('an optional file may be missing, but not unreadable', async (t) => {
  const folder = await testFolder(t, { file: 'content' });
  t.is(await readOptionalFile(folder.at('gone')), undefined);
  t.is(Buffer.from((await readOptionalFile(folder.at('file'))) ?? []).toString(), 'content');
  await expectOtaError(t, 'FILE_UNREADABLE', () => readOptionalFile(folder.path));
});
