import test from 'ava';
import { compilersInElf } from '../../../src/core/firmware/elf-compilers.ts';
import { door } from '../../support/built-sketch.ts';
import { elfWithComment } from '../../support/elf-with-comment.ts';

test('lists each version of GCC in an ELF file once', (t) => {
  const elf = elfWithComment(
    '\0GCC: (GNU) 10.3.0\0GCC: (GNU Tools 4.8) 4.8.2\0GCC: (12.2.0-14+11 (Debian)) 12.2.0\0GCC: (GNU) 10.3.0\0',
  );
  t.deepEqual(compilersInElf(elf), [
    { name: 'GCC', version: '10.3.0' },
    { name: 'GCC', version: '12.2.0' },
    { name: 'GCC', version: '4.8.2' },
  ]);
});

test('a file without such names lists no compiler', (t) => {
  for (const file of [
    door.elf,
    door.bin,
    Buffer.from('GCC: (GNU) 10.3.0'),
    elfWithComment('GCC: 10.3.0\0clang 18\0'),
  ]) {
    t.deepEqual(compilersInElf(file), []);
  }
});
