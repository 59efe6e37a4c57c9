import type { ExecutionContext } from 'ava';
import { runCommand } from './run-command.ts';

/** `ota-hooks COMMAND …` up to the end of the line or the closing backtick; a backslash joins the next line. */
const commandLine = /(?<![\w/.-])(?:npx |node_modules\/\.bin\/)?ota-hooks ((?:[a-z][^\n`\\]*|\\\n\s*)+)/g;

/** Returns the words after `ota-hooks` for each command line in a text. */
export function commandLinesIn(text: string): readonly (readonly string[])[] {
  // `npm install … ota-hooks hono` names packages, not a command.
  const lines = text.replaceAll(/npm install.*/g, '').matchAll(commandLine);
  return [...lines].map(([, words = '']) =>
    words
      .replaceAll(/\\\n\s*/g, '')
      .replace(/\s+# .*$/, '')
      .trim()
      .split(/\s+/),
  );
}

/** Checks that the command and its options exist, without running it. */
export async function checkWords(t: ExecutionContext, words: readonly string[]): Promise<void> {
  const [command = ''] = words;
  const end = words.indexOf('--');
  const own = words.slice(0, end === -1 ? undefined : end);
  const help = await runCommand([...namesOf(own), '--help'], { cwd: '.' });
  t.is(help.exitCode, 0);
  t.true(help.stdout.startsWith(`Usage: ota-hooks ${command} `), `the command ${command} does not exist`);
  for (const option of own.filter((word) => /^--?[a-z]/.test(word))) {
    const [name = ''] = option.split('=');
    t.regex(help.stdout, new RegExp(`^ +(?:-\\w, )?${name}(?:[ ,]|$)`, 'm'), option);
  }
}

/** `server` and `keys` have subcommands with their own help. */
function namesOf(words: readonly string[]): readonly string[] {
  if (words[0] !== 'server' && words[0] !== 'keys') return words.slice(0, 1);
  const first = words.findIndex((word) => /^(?:-|[A-Z"]|[^ ]*[.:])/.test(word));
  return words.slice(0, first === -1 ? undefined : first);
}
