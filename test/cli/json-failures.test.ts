import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import { failureDocument } from '../../src/cli/output/documents/failure.ts';
import { catalog } from '../../src/errors/ota-error.ts';
import { countingServer } from '../support/counting-server.ts';
import { rsaPems } from '../support/key-pairs.ts';
import { runCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { type Leaf, leafCommands } from './help/command-tree.ts';

const leaves = await leafCommands();

/** Asserts that a command fails, and that stdout contains the error and nothing else. */
async function assertFailure(
  t: ExecutionContext,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { path: cwd } = await testFolder(t);
  const { exitCode, stdout } = await runCommand(argv, { cwd, env });
  const line = argv.join(' ');
  t.not(exitCode, 0, line);
  const { error } = v.parse(failureDocument, JSON.parse(stdout), {});
  t.is(error.exitCode, exitCode, line);
  t.true(Object.hasOwn(catalog, error.code), line);
  t.not(error.hint, '', line);
}

/** Returns words for the arguments and the mandatory options of a command. */
function requiredWords({ command }: Leaf): readonly string[] {
  const options = command.options.filter(({ mandatory }) => mandatory);
  return [
    ...command.registeredArguments.filter(({ required }) => required).map(() => 'x'),
    ...options.flatMap(({ long, argChoices }) => [long ?? '', argChoices?.[0] ?? 'x']),
  ];
}

/** Returns the option that skips the confirmation prompt, if the command has one. */
function yesOf({ command }: Leaf): readonly string[] {
  return command.options.some(({ long }) => long === '--yes') ? ['--yes'] : [];
}

test('every command prints a usage error as JSON', async (t) => {
  t.true(leaves.length > 40);
  for (const leaf of leaves) {
    const { words, command } = leaf;
    await assertFailure(t, [...words, '--json', '--frobnicate']);
    if (requiredWords(leaf).length > 0) await assertFailure(t, [...words, '--json']);
    if (!command.registeredArguments.some(({ variadic }) => variadic)) {
      await assertFailure(t, [...words, '--json', ...Array.from({ length: 5 }, () => 'x')]);
    }
  }
});

test('every option that restricts its value prints an invalid value as JSON', async (t) => {
  const invalid = '?!\u001b';
  let tried = 0;
  for (const { words, command } of leaves) {
    for (const { long, parseArg } of command.options) {
      // Options without a parser, and repeatable options, accept any text.
      if (long === undefined || parseArg === undefined || !throws(() => parseArg(invalid, undefined as never)))
        continue;
      await assertFailure(t, [...words, '--json', long, invalid]);
      tried++;
    }
  }
  t.true(tried > 50);
});

test('every command for a server prints a missing server and an unexpected response as JSON', async (t) => {
  const commands = leaves.filter(({ command }) => command.options.some(({ long }) => long === '--server'));
  t.true(commands.length > 20);
  const { url, requests } = await countingServer(t);
  for (const leaf of commands) {
    const argv = [...leaf.words, ...requiredWords(leaf), '--json'];
    // Without a server, this command lists the keys of the project only.
    if (leaf.words.join(' ') !== 'keys status') await assertFailure(t, argv);
    await assertFailure(t, [...argv, ...yesOf(leaf), '--server', url], { OTA_TOKEN: 'ota_x' });
  }
  t.true(requests() > 15);
});

test('the CLI prints unknown commands, a missing command and errors before a command starts as JSON', async (t) => {
  const { path } = await testFolder(t);
  for (const argv of [
    ['pakc', '--json'],
    ['server', '--json'],
    ['pack', '--json', '--arduino-build'],
  ]) {
    const { exitCode, stdout, stderr } = await runCli(argv, path);
    t.is(v.parse(failureDocument, JSON.parse(stdout)).error.exitCode, 2, argv.join(' '));
    t.is(exitCode, 2);
    t.not(stderr, '', 'people still see the error');
  }
  t.is((await runCli(['pack', '--', '--json'], path)).stdout, '', 'a file named --json');
  t.notRegex((await runCli(['pack', '--help', '--json'], path)).stdout, /"error"/);
});

test('the JSON of an error never contains a private key that was passed instead of its path', async (t) => {
  const { path } = await testFolder(t, { 'door.bin': 'x' });
  const { privatePem } = rsaPems(1024);
  const argv = ['sign', '--bin', 'door.bin', '--json', '--private-key', privatePem];
  const { stdout, stderr } = await runCli(argv, path);
  const [, body = ''] = privatePem.split('\n');
  for (const text of [stdout, stderr]) {
    t.regex(text, /\[a private key\]/);
    t.false(text.includes(body));
  }
});

function throws(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}
