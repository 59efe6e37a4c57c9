import { posix, win32 } from 'node:path';
import test from 'ava';
import { withNearPaths } from '../../src/files/near-paths.ts';

const here = '/home/ann/door';

test('shortens paths below the working directory anywhere in a text', (t) => {
  const near = (text: string) => withNearPaths(text, here, posix);
  t.is(near('/home/ann/door/build/door.bin is empty'), 'build/door.bin is empty');
  t.is(near('"/home/ann/door/a b.key" and (/home/ann/door/c.key)'), '"a b.key" and (c.key)');
  t.is(near('--config=/home/ann/door/ota.config.json'), '--config=ota.config.json');
  t.is(near('/home/ann/door/a/home/ann/door/b'), 'a/home/ann/door/b');
});

test('keeps paths outside the working directory, and the directory itself', (t) => {
  const near = (text: string) => withNearPaths(text, here, posix);
  for (const text of [
    'there is no project in /home/ann/door',
    'nothing in /home/ann/door/ or below',
    '/mnt/home/ann/door/x',
    '/home/ann/doors/x',
    'file:///home/ann/door/x',
    'set OTA_SAFE_DIRECTORY=/home/ann/door/x, or add: {"projects":{"/home/ann/door/x":{"publishTo":["/home/ann/door/www"]}}}',
    '',
  ]) {
    t.is(near(text), text);
  }
});

test('keeps absolute paths when the working directory is the root', (t) => {
  t.is(withNearPaths('/etc/door.key', '/', posix), '/etc/door.key');
  t.is(withNearPaths('C:\\door.key', 'C:\\', win32), 'C:\\door.key');
});

test('shortens Windows paths that contain backslashes', (t) => {
  const near = (text: string) => withNearPaths(text, 'C:\\work\\door', win32);
  t.is(near('Image not found: C:\\work\\door\\build\\door.bin'), 'Image not found: build\\door.bin');
  t.is(near('Image not found: C:\\work\\doors\\door.bin'), 'Image not found: C:\\work\\doors\\door.bin');
});
