/** Tests `server devices credentials` and `revoke-credentials` against a running server. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { runCommand } from '../../support/run-command.ts';
import { serverCommands } from '../../support/server-commands.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });
const macs = ['18:FE:34:00:00:01', '18:FE:34:00:00:02', '18:FE:34:00:00:03'] as const;

/** Server with three enrolled devices; the first two are in the group `hall`. */
async function place(t: ExecutionContext) {
  const server = await startTestServer(t);
  await server.publish(build);
  for (const [index, mac] of macs.entries()) {
    const group = index < 2 ? 'hall' : undefined;
    await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true, name: `door-${index + 1}`, group });
  }
  const commands = serverCommands(server, server.folder);
  const check = async (mac: string, secret?: string) => {
    const authorization = secret && `Basic ${Buffer.from(`${mac.replaceAll(':', '')}:${secret}`).toString('base64')}`;
    return (await requestAsDevice(server.port, '/update/door', { mac, authorization })).status;
  };
  const secretsIn = async (file: string) => {
    const lines = (await readFile(join(server.folder, file), 'utf8')).trim().split('\n');
    return new Map(lines.slice(1).map((line) => [line.split(',')[0] ?? '', line.split(',')[2] ?? '']));
  };
  return { server, check, secretsIn, ...commands };
}

test('writes all device secrets to a file that only its owner can read, and never overwrites a file', async (t) => {
  const { server, run, check, secretsIn } = await place(t);
  const { stdout } = await run('devices', 'credentials', 'door', '--all', '--out', 'secrets.csv');
  t.is(stdout, 'Created 3 secrets in secrets.csv\n');
  const text = await readFile(join(server.folder, 'secrets.csv'), 'utf8');
  t.regex(text, /^mac,user,secret\n(?:18:FE:34:00:00:0\d,18FE3400000\d,[\w-]{32}\n){3}$/);
  if (process.platform !== 'win32') t.is((await stat(join(server.folder, 'secrets.csv'))).mode & 0o777, 0o600);
  t.is(new Set((await secretsIn('secrets.csv')).values()).size, 3);
  for (const [mac, secret] of await secretsIn('secrets.csv')) t.is(await check(mac, secret), 200);
  for (const mac of macs) t.is(await check(mac), 401);

  const again = await run('devices', 'credentials', 'door', '--all', '--rotate', '--out', 'secrets.csv');
  t.is(again.error?.code, 'FILE_EXISTS');
  t.is(await readFile(join(server.folder, 'secrets.csv'), 'utf8'), text);
  t.regex((await run('devices', 'list', 'door')).stdout, /18:FE:34:00:00:01 .* in use /);
});

test('selects devices by name, MAC and group, and skips those that must keep their secrets', async (t) => {
  const { run, json, check } = await place(t);
  const named = await json('devices', 'credentials', 'door', 'door-3');
  t.is(named.created.length, 1);
  t.is(await check(macs[2], named.created[0].secret), 200);
  const hall = await json('devices', 'credentials', 'door', '--group', 'hall');
  t.deepEqual(
    hall.created.map(({ mac }: { mac: string }) => mac),
    macs.slice(0, 2),
  );
  const { stdout } = await run('devices', 'credentials', 'door', '--all', '--out', 'none.csv');
  t.is(
    stdout,
    [
      'Created 0 secrets',
      'Skipped 2 devices: secret not used yet: pass --replace-unused if it is lost',
      'Skipped 1 device: already authenticated: pass --rotate to replace the secret\n',
    ].join('\n'),
  );
  const rotated = await json('devices', 'credentials', 'door', macs[2].toLowerCase(), '--rotate');
  t.is(await check(macs[2], named.created[0].secret), 200);
  t.is(await check(macs[2], rotated.created[0].secret), 200);
  t.is(await check(macs[2], named.created[0].secret), 401);
});

test('requires a selection of existing devices and an output file for the secrets', async (t) => {
  const { run } = await place(t);
  const errorOf = async (...argv: string[]) => (await run('devices', 'credentials', 'door', ...argv)).error?.message;
  t.is(await errorOf('--all'), '`credentials` requires --out FILE or --json');
  t.regex((await errorOf('--json')) ?? '', /requires MAC addresses or names, --group NAME, --label NAME or --all/);
  t.regex((await errorOf('door-9', '--json')) ?? '', /No device of door has the name or MAC address "door-9"/);
});

test('names the devices that a revocation locks out, and revokes only after confirmation', async (t) => {
  const { server, run, json, check } = await place(t);
  const [{ secret }] = (await json('devices', 'credentials', 'door', 'door-1')).created;
  await json('devices', 'credentials', 'door', 'door-2');
  await check(macs[0], secret);
  const refused = await run('devices', 'revoke-credentials', 'door', '--all');
  t.is(refused.error?.code, 'CONFIRMATION_UNASKED');
  t.regex(refused.stderr, /reject these devices until they use a new secret:\n.*18:FE:34:00:00:01 \(door-1\)\n$/);
  t.not(await check(macs[0], secret), 401, 'the secret is still valid');

  const env = { OTA_TOKEN: server.token, OTA_SERVER: server.url };
  const argv = ['server', 'devices', 'revoke-credentials', 'door', '--all'];
  const prompts: string[] = [];
  const confirm = async (question: string) => prompts.push(question) > 1;
  const declined = await runCommand(argv, { cwd: server.folder, env, prompt: { confirm } });
  t.is(declined.error?.code, 'CONFIRMATION_DECLINED');
  t.not(await check(macs[0], secret), 401, 'the secret is still valid after the user declines');
  const { stdout } = await runCommand(argv, { cwd: server.folder, env, prompt: { confirm } });
  t.is(stdout, 'Revoked the credentials of 2 devices\n');
  t.deepEqual(prompts, Array(2).fill('Revoke the credentials of 2 devices?'));
  t.is(await check(macs[0], secret), 401);
  t.is(await check(macs[0]), 401);
  await json('devices', 'revoke-credentials', 'door', 'door-1', '--forget', '--yes');
  t.not(await check(macs[0]), 401);
});

test('rollouts start warns about devices without credentials, whose reports can be forged', async (t) => {
  const { server, run, json, check } = await place(t);
  const next = await testBuild({ version: '2.0', project: 'door', seed: 2, signer, sizeBytes: 8192 });
  await server.publish(next, { draft: true });
  const start = async () => {
    const { stderr } = await run('rollouts', 'start', 'door', '2.0', '--stage', '100');
    await run('rollouts', 'abort', 'door', '--yes');
    return stderr;
  };
  t.regex(
    await start(),
    /no device in this rollout has credentials: anyone who can reach the server and knows the MACs/,
  );
  const [one, ...others] = (await json('devices', 'credentials', 'door', '--all')).created;
  await check(one.mac, one.secret);
  t.regex(await start(), /2 of 3 devices do not have credentials/);
  for (const { mac, secret } of others) await check(mac, secret);
  t.notRegex(await start(), /credentials/);
});
