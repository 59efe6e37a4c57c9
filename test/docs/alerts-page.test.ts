/** Runs the commands of docs/alerts.md with a running server. */
import test, { type ExecutionContext } from 'ava';
import { testBuild, testSigner } from '../server/builds.ts';
import { startTestServer, type TestServer } from '../server/running-server.ts';
import { startReceiver } from '../server/webhooks/receiver.ts';
import { runCommand } from '../support/run-command.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';
import { until } from '../support/until.ts';
import { type Act, actsOf } from './acts.ts';

interface Reader {
  readonly server: TestServer;
  readonly folder: TestFolder;
  /** Runs the steps under a heading, and returns the output of each command; each command must succeed. */
  readonly follow: (heading: string, before?: (act: Act) => Promise<void>) => Promise<readonly string[]>;
}

async function reader(t: ExecutionContext): Promise<Reader> {
  const server = await startTestServer(t);
  const folder = await testFolder(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token, OTA_TOKEN_ORIGIN: server.url };
  return {
    server,
    folder,
    async follow(heading, before = async () => undefined) {
      const outputs: string[] = [];
      for (const act of actsOf('alerts.md', heading)) {
        if (act.act === 'save') {
          await folder.write(act.path, act.text);
          continue;
        }
        await before(act);
        const argv = act.command.replace(/^npx ota-hooks /, '').split(' ');
        if (argv.includes('--url-file')) argv.push('--allow-private');
        const { exitCode, stdout, stderr, error } = await runCommand(argv, { cwd: folder.path, env });
        t.is(exitCode, 0, `${act.command}\n${error?.message}\n${stderr}`);
        outputs.push(`${stdout}${stderr}`);
      }
      return outputs;
    },
  };
}

test('docs/alerts.md: a webhook receives events, and sends one of them again', async (t) => {
  const { follow, server, folder } = await reader(t);
  const receiver = await startReceiver(t);
  const recipe = { project: 'door', signer: testSigner(), sizeBytes: 8192 };
  const build = await testBuild({ ...recipe, version: '1.0' });
  const next = await testBuild({ ...recipe, version: '2.0', seed: 2 });
  const outputs = await follow('Webhooks', async (act) => {
    const command = act.act === 'run' ? act.command : '';
    if (command.includes('webhooks add')) await folder.write('hook-url.txt', receiver.url);
    if (!command.includes('deliveries')) return;
    t.is((await server.publish(build)).status, 201);
    const mac = '02:00:00:00:00:01';
    t.is((await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true })).status, 200);
    t.is((await server.publish(next, { draft: true })).status, 201);
    t.is((await server.api('POST', '/projects/door/rollouts', { version: '2.0' })).status, 201);
    t.is((await server.api('POST', '/projects/door/releases/yank', { version: '2.0' })).status, 200);
    await receiver.received(1);
    await until(async () => (await server.parts.store.webhooks.pending()).size === 0);
  });
  const [added, listed, deliveries] = outputs;
  t.regex(added ?? '', /whsec_/);
  t.regex(listed ?? '', /^1 +http:\/\/127\.0\.0\.1:\d+ +rollout\.halted, rollout\.completed/m);
  t.regex(deliveries ?? '', /^1 +just now +rollout\.halted +delivered +1 +HTTP status 204/m);
  for (const output of outputs) t.notRegex(output, /of-the-hall/);
  t.regex(receiver.log[0]?.headers['webhook-id']?.toString() ?? '', /^msg_/);
});

test('docs/alerts.md: the token of Prometheus permits only reading', async (t) => {
  const { follow, server } = await reader(t);
  const [output = ''] = await follow('Prometheus');
  const [token = ''] = /ota_\w{12}_[\w-]{43}/.exec(output) ?? [];
  const headers = { authorization: `Bearer ${token}` };
  t.is((await fetch(`${server.url}/metrics`, { headers })).status, 200);
  t.is((await server.api('POST', '/projects/door/rollouts', {}, token)).status, 403);
});
