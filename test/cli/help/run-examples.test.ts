import test from 'ava';
import { runVerb } from '../../support/run-verb.ts';
import { assertDocument, isVerb } from './assert-document.ts';
import { commandTree } from './command-tree.ts';
import { exampleRun } from './example-run.ts';

for (const { words: path, examples } of await commandTree()) {
  for (const example of examples) {
    test(`${path.join(' ')}, by its help: ${example}`, async (t) => {
      const verb = path.slice(1);
      const wantsJson = example === examples[1] && isVerb(verb.join(' '));
      const { argv, cwd, home, env, goesOn } = await exampleRun(t, verb, example, ...(wantsJson ? ['--json'] : []));
      const ctrlC = new AbortController();
      const running = runVerb(argv, {
        cwd,
        home,
        env,
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
      else t.false(stdout.includes(`${cwd}/`), stdout);
      t.false(stderr.includes(`${cwd}/`), `paths from where the user stands: ${stderr}`);
    });
  }
}
