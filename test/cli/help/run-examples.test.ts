import test from 'ava';
import { runCommand } from '../../support/run-command.ts';
import { assertDocument, isCommand } from './assert-document.ts';
import { commandTree } from './command-tree.ts';
import { exampleRun } from './example-run.ts';

for (const { words: path, examples } of await commandTree()) {
  for (const example of examples) {
    test(`${path.join(' ')} runs its help example: ${example}`, async (t) => {
      const command = path.slice(1);
      const wantsJson = example === examples[1] && isCommand(command.join(' '));
      const { argv, cwd, home, env, stdin, goesOn } = await exampleRun(
        t,
        command,
        example,
        ...(wantsJson ? ['--json'] : []),
      );
      const ctrlC = new AbortController();
      const running = runCommand(argv, {
        cwd,
        home,
        env,
        ...(stdin !== undefined && { stdin }),
        signal: ctrlC.signal,
        ...(goesOn && { onOutput: () => ctrlC.abort() }),
      });
      if (goesOn) {
        const ended = await running.catch((error) => t.is(error.name, 'AbortError'));
        t.true(ctrlC.signal.aborted);
        if (typeof ended === 'object' && argv.includes('--json')) {
          for (const line of ended.stdout.trim().split('\n')) assertDocument(t, command.join(' '), line);
        }
        return;
      }
      const { exitCode, error, stdout, stderr } = await running;
      t.is(exitCode, 0, error?.message ?? stderr);
      if (argv.includes('--json')) {
        const documents = argv.includes('--watch') ? stdout.trim().split('\n') : [stdout];
        for (const document of documents) assertDocument(t, command.join(' '), document);
      }
      if (!argv.includes('--json')) t.false(stdout.includes(`${cwd}/`), stdout);
      t.false(stderr.includes(`${cwd}/`), `stderr contains absolute paths: ${stderr}`);
    });
  }
}
