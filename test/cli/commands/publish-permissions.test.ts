import test, { type ExecutionContext } from 'ava';
import { folderWith, packedDoor } from '../../publishing/packed-door.ts';
import { startTestServer } from '../../server/running-server.ts';
import { runCommand } from '../../support/run-command.ts';

/** Server with `devices` devices on stable, a packed build, and the command that publishes it. */
async function doorWithDevices(t: ExecutionContext, devices: number, channels: readonly string[] = ['stable']) {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', { publicKeys: [packedKey] });
  const put = (mac: number, settings: object) =>
    server.api('PUT', `/projects/door/devices/18:FE:34:00:00:${mac}`, settings);
  for (let mac = 10; mac < 10 + devices; mac++) await put(mac, {});
  await put(98, { channel: 'beta' });
  const { body } = await server.api('POST', '/tokens', { roles: ['publish'], channels, name: 'ci' });
  const folder = await folderWith(t, { build: packedDoor });
  const questions: string[] = [];
  const confirming = (response: boolean) => ({
    confirm: async (question: string) => {
      questions.push(question);
      return response;
    },
  });
  return {
    server,
    questions,
    publish(argv: readonly string[] = [], response?: boolean) {
      const env = { OTA_TOKEN: String(body['token']) };
      const prompt = response === undefined ? undefined : confirming(response);
      return runCommand(['publish', 'build', '--project', 'door', '--to', server.url, ...argv], {
        cwd: folder.path,
        env,
        prompt,
      });
    },
    async served() {
      const { body: project } = await server.api('GET', '/projects/door');
      return project['channels'];
    },
  };
}

// The manifest is JSON that `pack` wrote.
const packedKey: string = JSON.parse(Buffer.from(packedDoor['door.ino.bin.ota.json'] ?? '').toString('utf8')).signing
  .publicKey.pem;

test('publish creates a draft if the token cannot promote to the channel, and prints the command that promotes the draft', async (t) => {
  const { publish, served, server } = await doorWithDevices(t, 0, []);
  const { exitCode, stderr, stdout } = await publish();
  t.is(exitCode, 0);
  const next = 'ota-hooks server releases promote door 1.0.0 --channel stable';
  t.regex(`${stdout}${stderr}`, /Published draft door 1\.0\.0/);
  t.true(`${stdout}${stderr}`.includes(`Run this command with a token that does: ${next}`));
  t.deepEqual(await served(), []);
  const again = await publish(['--json']);
  t.like(JSON.parse(again.stdout).published[0], { outcome: 'unchanged', channel: null, next });
  const env = { OTA_TOKEN: server.token, OTA_SERVER: server.url };
  t.is((await runCommand(next.split(' ').slice(1), { cwd: server.folder, env })).exitCode, 0);
  t.like(await served(), [{ channel: 'stable', version: '1.0.0' }]);
  t.is(JSON.parse((await publish(['--json'])).stdout).published[0].next, null);
});

test('publish prompts for confirmation in a terminal before it promotes a release for ten devices', async (t) => {
  const { publish, questions, served } = await doorWithDevices(t, 10);
  const declined = await publish([], false);
  t.is(declined.error?.code, 'PUBLISH_DECLINED');
  t.deepEqual(questions, ['Publish door 1.0.0 to 10 devices?']);
  t.deepEqual(await served(), []);
  t.is((await publish(['--channel', 'beta'], false)).error?.code, undefined, 'a draft requires no confirmation');
  const confirmed = await publish([], true);
  t.is(confirmed.exitCode, 0);
  t.regex(confirmed.stderr, /10 devices on stable will be sent door 1\.0\.0 at the next update check/);
  t.like(await served(), [{ channel: 'stable' }]);
});

for (const [how, devices, argv, response] of [
  ['with --yes', 10, ['--yes'], false],
  ['for nine devices', 9, [], false],
  ['without a terminal', 10, [], undefined],
] as const) {
  test(`publish does not prompt for confirmation ${how}`, async (t) => {
    const { publish, questions, served } = await doorWithDevices(t, devices);
    const { exitCode, stderr } = await publish(argv, response);
    t.is(exitCode, 0);
    t.is(/devices? on stable will be sent/.test(stderr), response !== undefined);
    t.deepEqual(questions, []);
    t.like(await served(), [{ channel: 'stable' }]);
  });
}
