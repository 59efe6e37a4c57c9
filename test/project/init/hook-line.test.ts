import test from 'ava';
import { readIni } from '../../../src/project/build/platformio-ini.ts';
import { esp8266Sections, hookInsertions, hookState } from '../../../src/project/init/hook-line.ts';
import { withInsertions, withoutInsertions } from '../../../src/project/init/insertion.ts';
import { before, hook, iniCases, withHook } from './ini-cases.ts';

for (const one of iniCases) {
  test(`inserts and removes the hook line: ${one.name}`, (t) => {
    const insertions = hookInsertions(before(one), hook) ?? t.fail();
    if (!Array.isArray(insertions)) return;
    const after = withInsertions(before(one), insertions);

    t.is(after, withHook(one));
    t.deepEqual(hookInsertions(after, hook), [], 'a second run changes nothing');
    t.deepEqual(withoutInsertions(after, insertions), { text: before(one), lost: [] });
    const ini = readIni(after);
    for (const section of esp8266Sections(ini)) t.is(hookState(ini, section), 'hooked', section);
  });
}

test('hookInsertions rejects a list in which PlatformIO would not recognize an added item', (t) => {
  // PlatformIO does not split a list at commas if an interpolated value such as ${other.text} contains a line break.
  const text =
    '[other]\ntext =\n  pre:a.py\n  pre:b.py\n[env:d1]\nplatform = espressif8266\nextra_scripts = post:c.py, $' +
    '{other.text}\n';
  t.is(hookInsertions(text, hook), undefined);
});

test('hookState reports a hook without pre: as late', (t) => {
  for (const prefix of ['', 'post:']) {
    const ini = readIni(`[env:d1]\nextra_scripts = ${prefix}node_modules/ota-hooks/hooks/platformio.py\n`);
    t.is(hookState(ini, 'env:d1'), 'late');
  }
});

test('withoutInsertions removes the hook line even after other changes to the file', (t) => {
  const text = '[env:d1]\nplatform = espressif8266\n';
  const insertions = hookInsertions(text, hook) ?? [];
  const changed = `; a note\n${withInsertions(text, insertions)}board = d1_mini\n`;
  t.deepEqual(withoutInsertions(changed, insertions), { text: `; a note\n${text}board = d1_mini\n`, lost: [] });
});

test('withoutInsertions keeps a modified hook line and reports it as lost', (t) => {
  const insertions = hookInsertions('[env:d1]\n', hook) ?? [];
  const changed = '[env:d1]\nextra_scripts = pre:elsewhere.py\n';
  t.deepEqual(withoutInsertions(changed, insertions), { text: changed, lost: insertions });
});
