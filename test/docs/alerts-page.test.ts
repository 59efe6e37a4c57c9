/** Runs the commands of docs/alerts.md with a running server. */
import test, { type ExecutionContext } from 'ava';
import { startTestServer, type TestServer } from '../server/running-server.ts';
import { runCommand } from '../support/run-command.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';
import { actsOf } from './acts.ts';

interface Reader {
  readonly server: TestServer;
  readonly folder: TestFolder;
  /** Runs the steps under a heading, and returns the output of each command; each command must succeed. */
  readonly follow: (heading: string) => Promise<readonly string[]>;
}

async function reader(t: ExecutionContext): Promise<Reader> {
  const server = await startTestServer(t);
  const folder = await testFolder(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
  return {
    server,
    folder,
    async follow(heading) {
      const outputs: string[] = [];
      for (const act of actsOf('alerts.md', heading)) {
        if (act.act === 'save') {
          await folder.write(act.path, act.text);
          continue;
        }
        const argv = act.command.replace(/^npx ota-hooks /, '').split(' ');
        const { exitCode, stdout, stderr, error } = await runCommand(argv, { cwd: folder.path, env });
        t.is(exitCode, 0, `${act.command}\n${error?.message}\n${stderr}`);
        outputs.push(`${stdout}${stderr}`);
      }
      return outputs;
    },
  };
}

test('docs/alerts.md: the token of Prometheus permits only reading', async (t) => {
  const { follow, server } = await reader(t);
  const [output = ''] = await follow('Prometheus');
  const [token = ''] = /ota_\w{12}_[\w-]{43}/.exec(output) ?? [];
  const headers = { authorization: `Bearer ${token}` };
  t.is((await fetch(`${server.url}/metrics`, { headers })).status, 200);
  t.is((await server.api('POST', '/projects/door/rollouts', {}, token)).status, 403);
});
