import test from 'ava';
import { startTestServer } from '../../server/running-server.ts';
import { startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const url = 'http://127.0.0.1:9/secret';

test('webhooks add reads the URL from standard input, also from a socket, and never prints it', async (t) => {
  const server = await startTestServer(t);
  const folder = await testFolder(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token };
  const argv = ['server', 'webhooks', 'add', '--events', 'rollout.halted', '--url-file', '-', '--allow-private'];
  const added = await runCommand(argv, { cwd: folder.path, env, stdin: `${url}\n` });
  t.is(added.exitCode, 0, added.stderr);
  t.false((added.stdout + added.stderr).includes(url));

  for (const [stdin, code] of [
    ['no URL\n', 'OPTION_INVALID'],
    [undefined, 'OPTION_MISSING'],
  ] as const) {
    const refused = await runCommand(argv, { cwd: folder.path, env, ...(stdin !== undefined && { stdin }) });
    t.is(refused.error?.code, code);
    t.is(refused.exitCode, 2);
  }

  // Node.js gives a child process a socket as standard input.
  const child = startCli(argv, folder.path, env);
  child.stdin?.end(`${url}\n`);
  t.is((await child).exitCode, 0);
  const { webhooks } = (await server.api('GET', '/webhooks')).body as { webhooks: readonly unknown[] };
  t.is(webhooks.length, 2);
});
