import test from 'ava';
import { runVerb } from '../support/run-verb.ts';
import { readTemplate, templatePaths } from './files.ts';

/** `ota-hooks VERB …` to the end of its line, or of the words in back quotes; a backslash joins the next line. */
const commandLine = /(?<![\w/.-])(?:npx |node_modules\/\.bin\/)?ota-hooks ((?:[a-z][^\n`\\]*|\\\n\s*)+)/g;

const commands = templatePaths.flatMap((path) =>
  // `npm install … ota-hooks hono` names packages, not a verb.
  [
    ...readTemplate(path)
      .replaceAll(/npm install.*/g, '')
      .matchAll(commandLine),
  ].map(([, words = '']) => ({
    path,
    words: words
      .replaceAll(/\\\n\s*/g, '')
      .trim()
      .split(/\s+/),
  })),
);

test('the templates show commands', (t) => {
  const verbs = new Set(commands.map(({ words }) => words[0]));
  for (const verb of ['build', 'header', 'keygen', 'pack', 'sign', 'verify']) t.true(verbs.has(verb), verb);
});

for (const { path, words } of commands) {
  const [verb = ''] = words;
  const end = words.indexOf('--');
  const options = words.slice(0, end === -1 ? undefined : end).filter((word) => word.startsWith('--'));
  test(`${path}: ota-hooks ${words.join(' ')}`, async (t) => {
    // `server` has verbs of its own, whose help is asked for by naming them.
    const asked =
      verb === 'server'
        ? words.slice(
            0,
            words.findIndex((word) => word.startsWith('-')),
          )
        : [verb];
    const help = await runVerb([...asked, '--help'], { cwd: '.' });
    t.is(help.exitCode, 0);
    t.true(help.stdout.startsWith(`Usage: ota-hooks ${verb} `), `there is no verb ${verb}`);
    for (const option of options) t.regex(help.stdout, new RegExp(`^ +${option}[ ,]`, 'm'), option);
  });
}
