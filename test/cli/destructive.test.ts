import test from 'ava';
import type { CommandName } from '../../src/cli/output/documents/registry.ts';
import { countingServer } from '../support/counting-server.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { leafCommands } from './help/command-tree.ts';

/**
 * All commands. `asks`: the command removes, revokes or stops something, and therefore asks for confirmation before it connects to the
 * server. `shows`: it first shows what is affected, and then asks. `no`: it does not destroy anything, for example because it can be
 * reverted, creates new files only, or requires an empty target.
 */
const kinds: Readonly<Record<CommandName, 'asks' | 'shows' | 'no'>> = {
  keygen: 'no',
  'keys new': 'no',
  'keys add': 'no',
  // Roles are text in the configuration, and can be changed back.
  'keys activate': 'no',
  'keys retire': 'no',
  'keys status': 'no',
  'keys log verify': 'no',
  header: 'no',
  sign: 'no',
  pack: 'no',
  verify: 'no',
  inspect: 'no',
  preflight: 'no',
  // `init` shows its changes and asks, but only adds to files. `init --undo` removes only what it added.
  init: 'no',
  doctor: 'no',
  build: 'no',
  install: 'no',
  uninstall: 'no',
  completion: 'no',
  upload: 'no',
  ui: 'no',
  publish: 'no',
  discover: 'no',
  signing: 'no',
  espota: 'no',
  simulate: 'no',
  serve: 'no',
  login: 'no',
  // The token stays valid, and can be stored again.
  logout: 'no',
  whoami: 'no',
  'server tokens create': 'no',
  'server tokens list': 'no',
  'server tokens revoke': 'asks',
  'server projects list': 'no',
  'server projects show': 'no',
  'server projects set': 'no',
  'server releases list': 'no',
  'server releases promote': 'no',
  'server releases yank': 'asks',
  'server devices list': 'no',
  'server devices show': 'no',
  'server devices set': 'no',
  'server devices retry': 'no',
  'server devices remove': 'asks',
  'server devices import': 'no',
  'server devices enroll': 'no',
  'server devices credentials': 'no',
  'server devices revoke-credentials': 'shows',
  'server rollouts start': 'no',
  'server rollouts list': 'no',
  'server rollouts show': 'no',
  'server rollouts watch': 'no',
  'server rollouts pause': 'no',
  'server rollouts resume': 'no',
  'server rollouts advance': 'no',
  'server rollouts abort': 'asks',
  'server rollouts rollback': 'asks',
  'server approvals list': 'no',
  'server approvals approve': 'no',
  // The change can be requested again.
  'server approvals decline': 'no',
  'server webhooks add': 'no',
  'server webhooks list': 'no',
  'server webhooks remove': 'asks',
  'server webhooks deliveries': 'no',
  'server webhooks redeliver': 'no',
  'server audit': 'no',
  'server backup': 'no',
  // Only the data of a stopped server, after copying it.
  'server check': 'no',
  // Both require an empty target.
  'server restore': 'no',
  'server copy': 'no',
};

const leaves = await leafCommands();
const asking = leaves.filter(({ words }) => kinds[words.join(' ') as CommandName] === 'asks');

/** Returns a command line with placeholders for the arguments. */
function lineOf({ words, command }: (typeof leaves)[number]): readonly string[] {
  return [...words, ...command.registeredArguments.map((_, index) => `argument-${index + 1}`)];
}

test('every command states whether it is destructive, and destructive commands have the option --yes', (t) => {
  t.deepEqual(leaves.map(({ words }) => words.join(' ')).sort(), Object.keys(kinds).sort());
  for (const { words, command } of leaves) {
    if (kinds[words.join(' ') as CommandName] === 'no') continue;
    t.true(
      command.options.some(({ long }) => long === '--yes'),
      words.join(' '),
    );
  }
});

test('without a terminal and without --yes, a destructive command does nothing and exits with 2', async (t) => {
  const { path: cwd } = await testFolder(t);
  const { url, requests } = await countingServer(t);
  const env = { OTA_TOKEN: 'ota_x', OTA_SERVER: url };
  t.true(asking.length > 5);
  for (const leaf of asking) {
    const { exitCode, error } = await runCommand(lineOf(leaf), { cwd, env });
    t.is(exitCode, 2);
    t.is(error?.code, 'CONFIRMATION_UNASKED');
    t.true(error?.message.includes(`\`${leaf.words.join(' ')}\``), error?.message);
    t.regex(error?.hint ?? '', /--yes/);
  }
  t.is(requests(), 0);
});

test('a destructive command connects to the server with --yes, or after confirmation at a terminal', async (t) => {
  const { path: cwd } = await testFolder(t);
  for (const leaf of asking) {
    const { url, requests } = await countingServer(t);
    const env = { OTA_TOKEN: 'ota_x', OTA_SERVER: url };
    const line = lineOf(leaf);
    await runCommand([...line, '--yes'], { cwd, env });
    const sent = requests();
    t.true(sent > 0);
    const questions: string[] = [];
    const answering = (isYes: boolean) => ({
      cwd,
      env,
      prompt: { confirm: async (question: string) => questions.push(question) > 0 && isYes },
    });
    await runCommand(line, answering(true));
    t.is(requests(), 2 * sent);
    const { error, exitCode } = await runCommand(line, answering(false));
    t.is(requests(), 2 * sent);
    t.is(error?.code, 'CONFIRMATION_DECLINED');
    t.is(exitCode, 1);
    t.is(questions.length, 2);
    t.regex(questions[0] ?? '', /argument-1.*\?$/);
  }
});
