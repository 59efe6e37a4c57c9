import test from 'ava';
import { checkWords, commandLinesIn } from '../support/command-lines.ts';
import { readTemplate, templatePaths } from './files.ts';

const commands = templatePaths.flatMap((path) => commandLinesIn(readTemplate(path)).map((words) => ({ path, words })));

test('the templates show commands', (t) => {
  const verbs = new Set(commands.map(({ words }) => words[0]));
  for (const verb of ['build', 'header', 'keygen', 'pack', 'sign', 'verify']) t.true(verbs.has(verb), verb);
});

for (const { path, words } of commands) {
  test(`${path}: ota-hooks ${words.join(' ')}`, (t) => checkWords(t, words));
}
