/** Checks that documented commands and options exist, and that a test runs each command block or a reason is listed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { checkWords, commandLinesIn } from '../support/command-lines.ts';
import { sectionsOf } from './acts.ts';
import { type Page, pages, repository } from './pages.ts';

const newcomer = 'test/e2e/newcomer/newcomer.test.ts';
const readme = 'test/e2e/newcomer/readme.test.ts';
const server = 'test/e2e/publish/docs.test.ts';
const rollout = 'test/e2e/server/rollout-docs.test.ts';
const desk = 'test/docs/at-a-desk.test.ts';
const token = 'test/e2e/signing/token.test.ts';
const alerts = 'test/docs/alerts-page.test.ts';

/** The test that runs the commands, by page and heading. */
const followed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'Set up PlatformIO': readme,
    'Set up arduino-cli': readme,
    'Set up the Arduino IDE 2': readme,
    'Send an update': desk,
  },
  'docs/alerts.md': { Prometheus: alerts, Webhooks: alerts, 'Home Assistant': 'test/e2e/mqtt/mqtt.test.ts' },
  'docs/keys.md': {
    'Encrypted key': token,
    'PKCS#11 token': token,
    'Detached signatures': token,
    Rotation: 'test/docs/rotation-page.test.ts',
    'Record of signatures': 'test/cli/commands/recorded-signatures.test.ts',
  },
  'docs/moving.md': { 'Use the drop-in commands': 'test/e2e/newcomer/moving.test.ts' },
  'docs/never-brick.md': { '': desk },
  'docs/rollout.md': {
    'Start 200 virtual devices': rollout,
    'Roll out a release': rollout,
    'Halt a faulty release': rollout,
    'Stages, groups and pins': rollout,
    'JSON output': rollout,
  },
  'docs/scale.md': { 'Move to several servers': 'test/e2e/engines/scale.test.ts' },
  'docs/security.md': { 'Private keys': desk },
  'docs/server.md': {
    'Set up a server and a device': server,
    'Use arduino-cli': server,
    'Import devices': server,
    'Work with sets of devices': server,
    'Publish builds': server,
    'Recognize older builds': server,
    'Find and undo failed updates': server,
    'Restrict access': server,
    'Replace a PHP update script': server,
    HTTPS: server,
    'Publish to a folder': server,
    'Run the server as a service': 'test/e2e/server/service-docs.test.ts',
    'Operate the server': server,
    'Upgrade and go back': server,
    'What the server stores': 'test/docs/stored-data.test.ts',
  },
  'docs/start.md': {
    PlatformIO: newcomer,
    'arduino-cli': newcomer,
    'Arduino IDE 2': newcomer,
    Troubleshoot: newcomer,
  },
  'docs/troubleshooting.md': { '': 'test/cli/commands/doctor.test.ts' },
  'docs/upload.md': {
    '': desk,
    Firewalls: desk,
    'Update a fleet': desk,
    'Update from the browser': 'test/cli/commands/ui.test.ts',
    'Rehearse with virtual devices': desk,
  },
};

/** The reason why no test runs the commands, by page and heading. The test still checks that the commands exist. */
const onlyParsed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'Try it': 'the commands run all tests, including this one; .ci/run runs the commands in a clean clone',
    'Run an update server': `docs/server.md contains the same steps, and ${server} runs them`,
  },
  'docs/rollout.md': {
    'Ask a second person': 'the commands need two tokens and an ID; test/server/approvals.test.ts runs them',
    'Give devices credentials':
      'virtual devices send no secrets; test/cli/commands/device-credentials.test.ts runs the same commands',
  },
  'docs/server.md': {
    'The dashboard': 'the commands need a proxy; test/server/people.test.ts sends the header of a proxy to a server',
  },
  'docs/upload.md': {
    'Two hops':
      'test/cli/commands/upload-proof.test.ts uploads both hops, and test/e2e/templates/sketches.test.ts compiles the sketch',
    'Web updaters of other firmware':
      'test/cli/commands/upload-presets.test.ts runs the same command against a server with the form of each preset',
  },
  'CONTRIBUTING.md': { '': 'the commands run all tests and benchmarks; .ci/run runs the commands in a clean clone' },
  'bench/README.md': { '': 'the benchmark takes minutes', 'The update server': 'this benchmark also takes minutes' },
};

const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

/** First words of commands: shell builtins, tools installed by the reader, and ota-hooks. */
const programs =
  /^(?:apt-get|cat|cd|cp|export|mkdir|mv|npm|systemctl|npx|openssl|pio|pkcs11-tool|softhsm2-util|arduino-cli|ota-hooks) /;

function commandsOf({ path }: Page) {
  return sectionsOf(path).flatMap(({ heading, acts }) =>
    acts.flatMap((act) => (act.act === 'run' ? [{ heading, command: act.command }] : [])),
  );
}

test('the pages contain commands', (t) => {
  t.true(pages.flatMap(commandsOf).length > 80);
});

for (const page of pages) {
  const commands = commandsOf(page);
  const [ran, parsed] = [followed[page.path] ?? {}, onlyParsed[page.path] ?? {}];

  test(`${page.path}: a test runs each command block, or a reason is listed`, (t) => {
    const headings = new Set(commands.map(({ heading }) => heading));
    t.deepEqual(Object.keys({ ...ran, ...parsed }).sort(), [...headings].sort());
    for (const [heading, by] of Object.entries(ran)) {
      t.true(existsSync(join(repository, by)), by);
      t.true(readFileSync(join(repository, by), 'utf8').includes(heading), `${by} does not follow "${heading}"`);
    }
  });

  test(`${page.path}: commands start known programs and existing npm scripts`, (t) => {
    for (const { command } of commands) {
      t.regex(`${command} `, programs);
      for (const [, script = ''] of command.matchAll(/npm (?:run )?(test|(?<=run )\S+)/g))
        t.truthy(scripts[script], command);
    }
    t.pass();
  });

  const inline = [...page.prose.matchAll(/`((?:npx )?ota-hooks [^`\n]*)`/g)].map(([, words = '']) => words);
  const lines = new Set([...commands.map(({ command }) => command), ...inline]);
  for (const line of lines) {
    for (const words of commandLinesIn(line)) test(`${page.path}: ${line}`, (t) => checkWords(t, words));
  }
}
