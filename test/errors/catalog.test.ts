import test from 'ava';
import { errorsOf } from '../../docs/errors-page.ts';
import { catalog, type ErrorCode, OtaError } from '../../src/errors/ota-error.ts';

for (const code of Object.keys(catalog) as ErrorCode[]) {
  test(`${code} has a one-line message, a hint, a reason and an exit code`, (t) => {
    for (const { message, hint, exitCode } of errorsOf(code)) {
      for (const text of [message, hint, catalog[code].why]) {
        t.regex(text, /^\S.*\S$/s);
        t.notRegex(text, /\n|undefined|\[object/);
      }
      t.regex(message, /[^.]$/, 'no full stop: the hint follows');
      t.true([1, 2, 3].includes(exitCode));
    }
  });
}

test('keeps the cause, code and fields of an error', (t) => {
  const cause = new Error('deeper');
  const error = new OtaError('KEY_EMPTY', { path: 'private.key', kind: 'private' }, cause);
  t.is(error.cause, cause);
  t.is(error.code, 'KEY_EMPTY');
  t.is(error.name, 'OtaError');
  t.deepEqual(error.fields, { path: 'private.key', kind: 'private' });
  t.false('cause' in new OtaError('KEY_EMPTY', { path: 'private.key', kind: 'private' }));
});

test('describes an operating system error in words and keeps its code for searching', (t) => {
  const message = (reason: string) => new OtaError('FILE_UNWRITABLE', { path: 'door.bin.signed', reason }).message;
  t.is(message('ENOSPC'), 'door.bin.signed could not be written: the disk is full (ENOSPC)');
  t.is(message('EROFS'), 'door.bin.signed could not be written: the disk is read-only (EROFS)');
  t.is(message('ESOMETHING'), 'door.bin.signed could not be written: ESOMETHING');
});

test('adapts the hint for an unwritable file to the reason', (t) => {
  const hint = (reason: string) => new OtaError('FILE_UNWRITABLE', { path: 'x', reason }).hint;
  t.regex(hint('ENOSPC'), /space/);
  t.regex(hint('EACCES'), /permissions/);
  t.regex(hint('EISDIR'), /different path/);
});
