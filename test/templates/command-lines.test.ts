import test from 'ava';
import { checkWords, commandLinesIn } from '../support/command-lines.ts';
import { readTemplate, templatePaths } from './files.ts';

const commands = templatePaths.flatMap((path) => commandLinesIn(readTemplate(path)).map((words) => ({ path, words })));
/** A template may contain the same command twice, but titles must be unique. */
const titled = new Map(commands.map(({ path, words }) => [`${path}: ota-hooks ${words.join(' ')}`, words]));

test('the templates contain the main commands', (t) => {
  const shown = new Set(commands.map(({ words }) => words[0]));
  for (const command of ['build', 'header', 'keygen', 'pack', 'sign', 'verify']) t.true(shown.has(command), command);
});

for (const [title, words] of titled) {
  test(title, (t) => checkWords(t, words));
}
