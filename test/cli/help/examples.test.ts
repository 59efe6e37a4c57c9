import test from 'ava';
import { commandTree, understood, words } from './command-tree.ts';

const tree = await commandTree();

test('the command tree includes all commands and subcommands', (t) => {
  const paths = tree.map(({ words: path }) => path.slice(1).join(' '));
  for (const path of ['', 'init', 'uninstall', 'signing', 'server', 'server devices import'])
    t.true(paths.includes(path), path);
  t.true(paths.length > 35);
});

for (const { words: path, help, examples } of tree) {
  const name = path.join(' ');

  test(`the help for ${name} ends with two examples`, (t) => {
    t.regex(help, /\nExamples:\n {2}\$ [^\n]+\n {2}\$ [^\n]+\n$/);
    t.is(new Set(examples).size, 2);
    t.is(examples.length, 2);
  });

  test(`the examples for ${name} are valid command lines`, async (t) => {
    for (const example of examples) {
      t.true(`${example} `.startsWith(`${name} `), example);
      const argv = words(example);
      const command = await understood(argv);
      // An example with --help prints the usage instead of selecting a command.
      if (argv.includes('--help')) t.regex(command, new RegExp(`^Usage: ${argv.slice(0, -1).join(' ')} `), example);
      else t.true(`${example} `.startsWith(`${command} `) && command.startsWith(name), `${example}: ${command}`);
    }
  });
}

test('the parser accepts valid command lines and rejects invalid ones', async (t) => {
  t.is(await understood(['ota-hooks', 'pack', 'door.bin']), 'ota-hooks pack');
  t.regex(await understood(['ota-hooks', 'pack', '--frobnicate']), /unknown option '--frobnicate'/);
  t.regex(await understood(['ota-hooks', 'server', 'releases', 'promote']), /missing required argument/);
  t.regex(await understood(['ota-hooks', 'pakc']), /unknown command/);
});

test('the help groups the commands by task, and lists the options of every command last', async (t) => {
  const helpOf = (name: string) => tree.find(({ words: path }) => path.join(' ') === name)?.help ?? '';
  const headings = (help: string) => [...help.matchAll(/^(\S.*):$/gm)].map(([, heading]) => heading);
  t.deepEqual(headings(helpOf('ota-hooks')), [
    'Start a project',
    'Build and sign',
    'Deliver updates',
    'Operate a server',
    'Plumbing',
    'Global options',
    'Examples',
  ]);
  for (const { words: path, help } of tree) {
    const [lists, end] = [headings(help), headings(help).indexOf('Global options')];
    t.true(lists.lastIndexOf('Options') < end && lists.lastIndexOf('Commands') < end, path.join(' '));
    t.is(lists.at(-1), 'Examples', path.join(' '));
    const [globals = ''] = /^Global options:\n(?: .*\n)*/m.exec(help) ?? [];
    const commonOptions =
      path.join(' ') === 'ota-hooks' ? ['--version'] : isGroup(path) ? [] : ['--json', '--no-color'];
    for (const option of [...commonOptions, '--help']) {
      t.true(globals.includes(option), `${path.join(' ')} ${option}`);
      t.is(help.split(` ${option} `).length, 2, `${path.join(' ')} lists ${option} once`);
    }
  }
});

function isGroup(path: readonly string[]): boolean {
  return tree.some(({ words: other }) => other.length > path.length && path.every((word, at) => other[at] === word));
}
