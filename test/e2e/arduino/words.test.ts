import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { headerHook, quoteWord } from '../../../src/project/build/arduino-hooks.ts';
import { makeWorkplace } from './workplace.ts';

const words = [
  'plain',
  'a b',
  ' spaces  around ',
  'ü ß €',
  'C:\\Program Files\\nodejs\\',
  '"',
  "'",
  'say "it" twice',
  "Jürgen's Werk",
  '--a="x y"',
  'a,b;c&d|e>f$g`h',
  '#hash =equals %percent',
  'brace{x}brace',
];

test('arduino-cli parses quoted words back to the originals, from an option and from platform.local.txt', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door', 'void setup() {}\nvoid loop() {}\n');
  const script = join(workplace.folder, 'take notes.mjs');
  const notes = join(workplace.folder, 'notes.json');
  await writeFile(
    script,
    "import { writeFileSync } from 'node:fs';\nconst [, , to, ...words] = process.argv;\nwriteFileSync(to, JSON.stringify(words));\n",
  );
  const property = `${headerHook}=${[process.execPath, script, notes, ...words].map(quoteWord).join(' ')}`;

  t.is((await workplace.compile(sketch, '--build-property', property)).exitCode, 0);
  t.deepEqual(JSON.parse(await readFile(notes, 'utf8')), words);

  await writeFile(notes, '[]');
  await writeFile(join(workplace.core, 'platform.local.txt'), `${property}\n`);
  t.is((await workplace.compile(sketch)).exitCode, 0);
  t.deepEqual(JSON.parse(await readFile(notes, 'utf8')), words);
});
