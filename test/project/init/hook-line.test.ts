import test from 'ava';
import { effectiveValue, environmentsOf, readIni } from '../../../src/project/build/platformio-ini.ts';
import { planHookLines, scriptsOf } from '../../../src/project/init/hook-line.ts';
import { withInsertions, withoutInsertions } from '../../../src/project/init/insertion.ts';
import { before, hook, iniCases, withHook } from './ini-cases.ts';

function esp8266Sections(text: string): readonly string[] {
  const ini = readIni(text);
  const sections = environmentsOf(ini).map((name) => `env:${name}`);
  return sections.filter((section) => /8266/.test(effectiveValue(ini, section, 'platform') ?? ''));
}

/** Plans the hook lines for the ESP8266 environments of a single file. */
function insertionsFor(text: string, sections = esp8266Sections(text)) {
  const { edits, unresolved } = planHookLines([readIni(text)], sections, hook);
  return { insertions: edits.flatMap(({ insertions }) => insertions), unresolved };
}

for (const one of iniCases) {
  test(`inserts and removes the hook line: ${one.name}`, (t) => {
    const { insertions, unresolved } = insertionsFor(before(one));
    const after = withInsertions(before(one), insertions);

    t.deepEqual(unresolved, []);
    t.is(after, withHook(one));
    t.deepEqual(insertionsFor(after).insertions, [], 'a second run changes nothing');
    t.deepEqual(withoutInsertions(after, insertions), { text: before(one), lost: [] });
    const ini = readIni(after);
    const hooked = environmentsOf(ini).filter((name) => scriptsOf(ini, `env:${name}`).includes(hook));
    t.deepEqual(
      hooked.map((name) => `env:${name}`),
      esp8266Sections(after),
    );
  });
}

test('planHookLines rejects a list in which PlatformIO would not recognize an added item', (t) => {
  // PlatformIO does not split a list at commas if an interpolated value such as ${other.text} contains a line break.
  const text =
    '[other]\ntext =\n  pre:a.py\n  pre:b.py\n[env:d1]\nplatform = espressif8266\nextra_scripts = post:c.py, $' +
    '{other.text}\n';
  t.deepEqual(insertionsFor(text), { insertions: [], unresolved: ['env:d1'] });
});

test('planHookLines edits the file that defines the list or the environment', (t) => {
  const main = readIni('[platformio]\nextra_configs = *.ini\n[env]\nextra_scripts = pre:a.py\n', 'platformio.ini');
  const esp = readIni(
    '[esp82xx_defaults]\nplatform = espressif8266\n[env:d1]\nextends = esp82xx_defaults\n',
    'esp.ini',
  );
  const other = readIni('[env:esp32]\nplatform = espressif32\n', 'esp32.ini');
  const override = readIni('[env:d1]\nextra_scripts = pre:mine.py\n', 'override.ini');
  const plan = (...files: (typeof main)[]) =>
    planHookLines(files, ['env:d1'], hook).edits.map(({ path, sections }) => [path, ...sections]);
  t.deepEqual(plan(main, esp), [['platformio.ini', 'env']]);
  t.deepEqual(plan(main, esp, other), [['esp.ini', 'esp82xx_defaults']]);
  t.deepEqual(plan(main, esp, other, override), [['override.ini', 'env:d1']]);
});

test('planHookLines reports an environment that an environment for another chip extends', (t) => {
  const text = '[env:d1]\nplatform = espressif8266\n[env:esp32]\nextends = env:d1\nplatform = espressif32\n';
  t.deepEqual(insertionsFor(text), { insertions: [], unresolved: ['env:d1'] });
});

test('planHookLines plans no changes to files that it must not edit', (t) => {
  const text = '[env:d1]\nplatform = espressif8266\n';
  const { edits, unresolved } = planHookLines([readIni(text, '/elsewhere.ini')], ['env:d1'], hook, () => false);
  t.deepEqual({ edits, unresolved }, { edits: [], unresolved: ['env:d1'] });
});

test('planHookLines plans 400 environments with lists of their own in few passes', (t) => {
  const environments = Array.from(
    { length: 400 },
    (_, index) => `[env:e${index}]\nplatform = espressif8266\nextra_scripts = pre:${index}.py\n`,
  );
  const text = `${environments.join('')}[env:esp32]\nplatform = espressif32\nextra_scripts = pre:0.py\n`;
  const { insertions, unresolved } = insertionsFor(text);
  t.is(insertions.length, 400);
  t.deepEqual(unresolved, []);
});

test('withoutInsertions removes the hook line even after other changes to the file', (t) => {
  const text = '[env:d1]\nplatform = espressif8266\n';
  const { insertions } = insertionsFor(text);
  const changed = `; a note\n${withInsertions(text, insertions)}board = d1_mini\n`;
  t.deepEqual(withoutInsertions(changed, insertions), { text: `; a note\n${text}board = d1_mini\n`, lost: [] });
});

test('withoutInsertions keeps a modified hook line and reports that it was not removed', (t) => {
  const { insertions } = insertionsFor('[env:d1]\n', ['env:d1']);
  const changed = '[env:d1]\nextra_scripts = pre:elsewhere.py\n';
  t.deepEqual(withoutInsertions(changed, insertions), { text: changed, lost: insertions });
});
