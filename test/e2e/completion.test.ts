/** Completion scripts in real shells. */
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { runCli } from '../support/run-cli.ts';
import { testFolder } from '../support/test-folder.ts';

const inZsh = fileURLToPath(new URL('in-zsh.py', import.meta.url));
const timeout = 240_000;

async function scriptFor(t: ExecutionContext, shell: string): Promise<string> {
  const folder = await testFolder(t, { 'door.bin': '' });
  const { stdout } = await runCli(['completion', shell], folder.path);
  await folder.write('script', stdout);
  return folder.at('script');
}

test.serial('bash completes commands, options and values', async (t) => {
  const script = await scriptFor(t, 'bash');
  const complete = async (...words: readonly string[]) => {
    const line = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ota_hooks; echo "\${COMPREPLY[*]}"`;
    const { stdout } = await execa('bash', ['-c', line, script, 'ota-hooks', ...words], { timeout });
    return stdout;
  };
  t.is(await complete('server', 'rol'), 'rollouts');
  t.regex(await complete('server', 'rollouts', ''), /^start list show /);
  t.is(await complete('upload', '--method', ''), 'espota web');
  t.is(await complete('keygen', '--bi'), '--bits');
  t.is(await complete('sign', '--bin', 'do'), '', 'bash completes file names');
});

test.serial('fish completes commands, options and values with descriptions', async (t) => {
  const script = await scriptFor(t, 'fish');
  const complete = async (line: string) => {
    const { stdout } = await execa(
      'fish',
      ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, line],
      {
        timeout,
      },
    );
    return stdout;
  };
  t.is(await complete('ota-hooks server rol'), 'rollouts\tManage staged rollouts');
  t.regex(await complete('ota-hooks upload --method '), /^espota\t.*\nweb\t/);
  t.regex(await complete('ota-hooks keygen --bi'), /^--bits\t/);
});

test.serial('zsh completes commands and values', async (t) => {
  const script = await scriptFor(t, 'zsh');
  for (const [keys, expected] of [
    ['ota-hooks server rol\\t', 'server rollouts '],
    ['ota-hooks upload --method e\\t', '--method espota'],
  ] as const) {
    await t.notThrowsAsync(execa('python3', [inZsh, script, keys, expected], { timeout }));
  }
});
