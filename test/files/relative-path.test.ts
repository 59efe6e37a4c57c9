import { posix, win32 } from 'node:path';
import test from 'ava';
import { relativePath } from '../../src/files/relative-path.ts';

test('returns the same relative path on every system', (t) => {
  t.is(relativePath('/home/jo/door', '/home/jo/door/.ota/node', posix), '.ota/node');
  t.is(relativePath('C:\\Users\\jo\\door', 'C:\\Users\\jo\\door\\.ota\\node', win32), '.ota/node');
  t.is(relativePath('C:\\Users\\jo\\all\\door', 'c:\\users\\jo\\all\\private.key', win32), '../private.key');
  t.is(relativePath('\\\\nas\\home\\door', '\\\\nas\\home\\door\\src\\main.cpp', win32), 'src/main.cpp');
});

test('returns the absolute path of a file on a different Windows drive', (t) => {
  const path = relativePath('D:\\door', 'C:\\Users\\jo doe\\private.key', win32);
  t.is(path, 'C:/Users/jo doe/private.key');
  t.true(win32.isAbsolute(path));
});

test('keeps a backslash in a file name on Linux and macOS', (t) => {
  t.is(relativePath('/home/jo', '/home/jo/a\\b', posix), 'a\\b');
});
