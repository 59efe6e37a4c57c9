/** Documents with 100,000 levels of nesting cause a clear error, although a recursive reader would overflow the stack. */
import test from 'ava';
import { builtSketch } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';
import { countAttacks } from '../support/attack-counts.ts';

const levels = 100_000;
const list = '['.repeat(levels);
const closedList = `${list}${']'.repeat(levels)}`;
const object = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const documents = {
  list,
  closedList,
  object,
  inDevices: `{"devices":${object}}`,
  inImages: `{"images":${closedList}}`,
};
const yaml = { ...documents, block: `${'- '.repeat(levels)}a`, keys: '? '.repeat(levels) };

const places: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ['ota.config.json', documents, ['pack', 'build/door.ino.bin']],
  ['.otarc', yaml, ['pack', 'build/door.ino.bin']],
  ['ota.config.yaml', yaml, ['pack', 'build/door.ino.bin']],
  ['ota.config.json', documents, ['discover', '--add', '--timeout', '0.01']],
  ['.config/ota-hooks/config.json', documents, ['publish', 'build', '--to', './www']],
  ['build/door.ino.bin.ota.json', documents, ['verify', 'build/door.ino.bin']],
  ['build/door.ino.bin.ota.json', documents, ['inspect', 'build/door.ino.bin']],
  ['build/door.ino.bin.ota.json', documents, ['preflight', 'build/door.ino.bin.ota.json']],
  ['build/door.ino.bin.ota.json', documents, ['sign', '--manifest', 'build/door.ino.bin.ota.json']],
  ['build/door.ino.bin.ota.json', documents, ['publish', 'build', '--to', './www']],
  ['build/build.options.json', documents, ['pack', '--arduino-build', 'build']],
  ['facts.json', documents, ['preflight', 'build/door.ino.bin', '--device', 'facts.json']],
];

for (const [path, contents, argv] of places) {
  test(`ends ${argv.join(' ')} without a stack overflow for a deeply nested ${path}`, async (t) => {
    for (const [name, content] of Object.entries(contents)) {
      const folder = await builtSketch(t, { [path]: content, 'www/.keep': '' });
      const { exitCode } = await runCommand(argv, { cwd: folder.path });
      t.true([0, 1, 2, 3].includes(exitCode), name);
    }
    const tried = Object.keys(contents).length;
    countAttacks({ kind: 'deeply nested documents', tried, withstood: tried });
  });
}
