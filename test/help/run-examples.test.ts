import { join } from 'node:path';
import test from 'ava';
import { runVerb } from '../support/run-verb.ts';
import { assertDocument, isVerb } from './assert-document.ts';
import { commandTree, words } from './command-tree.ts';
import { exampleWorlds } from './example-worlds.ts';

for (const { words: path, examples } of await commandTree()) {
  for (const example of examples) {
    test(`${path.join(' ')}, by its help: ${example}`, async (t) => {
      const verb = path.slice(1);
      const make =
        exampleWorlds[verb.join(' ')] ?? exampleWorlds[verb.slice(0, 2).join(' ')] ?? exampleWorlds[verb[0] ?? 'init'];
      if (make === undefined) throw new Error('nobody has made a world for it');
      const { folder, stands = '.', env = {}, instead = {}, more = [], goesOn = false } = await make(t, example);
      const options = [...more, ...(example === examples[1] && isVerb(verb.join(' ')) ? ['--json'] : [])];
      const given = words(example).slice(1);
      const argv = withOptions(
        given.map((word) => replaced(word, instead)),
        options,
      );
      const stood = join(folder.path, stands);
      const ctrlC = new AbortController();
      const running = runVerb(argv, {
        cwd: stood,
        home: folder.path,
        env: { PATH: process.env['PATH'] ?? '', ...env },
        signal: ctrlC.signal,
        ...(goesOn && { onOutput: () => ctrlC.abort() }),
      });
      if (goesOn) {
        const ended = await running.catch((error) => t.is(error.name, 'AbortError'));
        t.true(ctrlC.signal.aborted);
        if (typeof ended === 'object' && argv.includes('--json')) {
          for (const line of ended.stdout.trim().split('\n')) assertDocument(t, verb.join(' '), line);
        }
        return;
      }
      const { exitCode, error, stdout, stderr } = await running;
      t.is(exitCode, 0, error?.message ?? stderr);
      if (argv.includes('--json')) assertDocument(t, verb.join(' '), stdout);
      else t.false(stdout.includes(`${stood}/`), stdout);
      t.false(stderr.includes(`${stood}/`), `paths from where the user stands: ${stderr}`);
    });
  }
}

/** What follows `--` goes to another program. */
function withOptions(argv: readonly string[], options: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return end === -1 ? [...argv, ...options] : [...argv.slice(0, end), ...options, ...argv.slice(end)];
}

function replaced(word: string, instead: Readonly<Record<string, string>>): string {
  return Object.entries(instead).reduce((text, [from, to]) => text.replace(from, to), word);
}
