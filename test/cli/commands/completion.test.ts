import test from 'ava';
import { shells } from '../../../src/cli/commands/completion/scripts.ts';
import { runCommand } from '../../support/run-command.ts';
import { leafCommands } from '../help/command-tree.ts';

const leaves = await leafCommands();

for (const shell of shells) {
  test(`completion ${shell} prints a script with every command and every option`, async (t) => {
    const { stdout, exitCode } = await runCommand(['completion', shell], { cwd: '.' });
    t.is(exitCode, 0);
    const words = new Set(stdout.split(/[\s'":()]+/));
    for (const { words: path, command } of leaves) {
      for (const word of path) t.true(words.has(word), word);
      for (const { long, hidden } of command.options) {
        if (hidden) continue;
        // fish has the names of options without their dashes.
        const word = shell === 'fish' ? long?.slice(2) : long;
        t.true(words.has(word ?? ''), `${path.join(' ')} ${long}`);
      }
    }
  });
}

test('completion powershell prints balanced brackets and quotes', async (t) => {
  // PowerShell is not a Debian package, so the script is not run in a test.
  const { stdout } = await runCommand(['completion', 'powershell'], { cwd: '.' });
  const code = stdout
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/'(?:[^']|'')*'/g, '')
    .replace(/"[^"]*"/g, '');
  t.notRegex(code, /['"]/);
  const open: string[] = [];
  for (const [bracket] of code.matchAll(/[{}()[\]]/g)) {
    if ('{(['.includes(bracket)) open.push(bracket);
    else t.is(open.pop(), { '}': '{', ')': '(', ']': '[' }[bracket]);
  }
  t.deepEqual(open, []);
});

test('completion powershell has no empty values, and no keys that differ only in case', async (t) => {
  const { stdout } = await runCommand(['completion', 'powershell'], { cwd: '.' });
  // PowerShell rejects a completion result without text, and a hash table whose keys are equal without regard to case.
  t.notRegex(stdout, /@\([^)]*''/);
  for (const line of stdout.split('\n').filter((line) => line.includes('[ordered]@{ '))) {
    const keys = [...line.matchAll(/'((?:[^']|'')+)' = '/g)].map(([, key = '']) => key.toLowerCase());
    t.is(new Set(keys).size, keys.length, line);
  }
});

test('completion names the shells that it supports', async (t) => {
  const { error, exitCode } = await runCommand(['completion', 'tcsh'], { cwd: '.' });
  t.is(exitCode, 2);
  t.is(error?.message, 'shell tcsh: must be bash, zsh, fish, powershell');
});
