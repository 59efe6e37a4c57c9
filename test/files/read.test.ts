import test from 'ava';
import { readNamedFile, readOptionalFile } from '../../src/files/read.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { testFolder } from '../support/test-folder.ts';

test('reports the kind and path of a missing file that the user named', async (t) => {
  const folder = await testFolder(t, { file: 'content' });
  t.is(Buffer.from(await readNamedFile(folder.at('file'), 'image')).toString(), 'content');
  for (const name of ['gone.bin', 'gone/door.bin', 'file/door.bin']) {
    const error = await expectOtaError(t, 'FILE_NOT_FOUND', () => readNamedFile(folder.at(name), 'image'));
    t.is(error.exitCode, 2);
    t.is(error.message, `Image not found: ${folder.at(name)}`);
  }
});

test('explains that a folder cannot be read as a file', async (t) => {
  const folder = await testFolder(t);
  const error = await expectOtaError(t, 'FILE_UNREADABLE', () => readNamedFile(folder.path, 'image'));
  t.is(error.exitCode, 1);
  t.regex(error.message, /could not be read: it is a folder \(EISDIR\)$/);
});

test('returns undefined for a missing optional file and fails for an unreadable one', async (t) => {
  const folder = await testFolder(t, { file: 'content' });
  t.is(await readOptionalFile(folder.at('gone')), undefined);
  t.is(Buffer.from((await readOptionalFile(folder.at('file'))) ?? []).toString(), 'content');
  await expectOtaError(t, 'FILE_UNREADABLE', () => readOptionalFile(folder.path));
});
