import { join } from 'node:path';
import test from 'ava';
import { runVerb } from '../support/run-verb.ts';
import { commandTree, words } from './command-tree.ts';
import { exampleWorlds } from './example-worlds.ts';

for (const { words: path, examples } of await commandTree()) {
  for (const example of examples) {
    test(`${path.join(' ')}, by its help: ${example}`, async (t) => {
      const verb = path.slice(1);
      const make = exampleWorlds[verb.join(' ')] ?? exampleWorlds[verb[0] ?? 'init'];
      if (make === undefined) throw new Error('nobody has made a world for it');
      const { folder, stands = '.', env = {}, instead = {}, more = [], goesOn = false } = await make(t, example);
      const argv = [
        ...words(example)
          .slice(1)
          .map((word) => replaced(word, instead)),
        ...more,
      ];
      const ctrlC = new AbortController();
      const running = runVerb(argv, {
        cwd: join(folder.path, stands),
        home: folder.path,
        env: { PATH: process.env['PATH'] ?? '', ...env },
        signal: ctrlC.signal,
        ...(goesOn && { onOutput: () => ctrlC.abort() }),
      });
      if (goesOn) {
        await running.catch((error) => t.is(error.name, 'AbortError'));
        t.true(ctrlC.signal.aborted);
        return;
      }
      const { exitCode, error, stderr } = await running;
      t.is(exitCode, 0, error?.message ?? stderr);
    });
  }
}

function replaced(word: string, instead: Readonly<Record<string, string>>): string {
  return Object.entries(instead).reduce((text, [from, to]) => text.replace(from, to), word);
}
