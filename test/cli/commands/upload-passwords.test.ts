import test from 'ava';
import { listed, packedDoor, virtualDoor } from '../../support/fleet.ts';
import { runCli } from '../../support/run-cli.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';

const image = 'build/door.ino.bin';
const passwords = ['from-the-environment', 'from-a-file', 'from-the-prompt', 'not-the-right-one'];
const secrets = [...passwords, Buffer.from('admin:from-the-prompt').toString('base64')];

function hasNoSecret({ stdout, stderr, error }: CommandRun): boolean {
  const said = [stdout, stderr, error?.message, error?.hint, error?.stack, JSON.stringify(error)].join('\n');
  return secrets.every((secret) => !said.includes(secret));
}

test('upload reads passwords from the environment, a file or a prompt and never prints them', async (t) => {
  const byEnv = await virtualDoor(t, { password: 'from-the-environment' });
  const byFile = await virtualDoor(t, { password: 'from-a-file' });
  const byPrompt = await virtualDoor(t, { password: 'from-the-prompt' });
  const webLogin = { username: 'admin', password: 'from-the-prompt' };
  const byWeb = await virtualDoor(t, { webPort: 0, webLogin });
  const wrong = await virtualDoor(t, { password: 'the-right-one' });
  const folder = await packedDoor(
    t,
    {
      'by-env': listed(byEnv, { password: { env: 'OTA_DEVICE_DOOR' } }),
      'by-file': listed(byFile, { password: { file: 'door.password' } }),
      'by-prompt': listed(byPrompt),
      'by-web': { address: byWeb.host, port: byWeb.webPort, method: 'web' },
      wrong: listed(wrong, { password: { env: 'OTA_DEVICE_WRONG' } }),
    },
    { upload: { password: { prompt: true } } },
  );
  await folder.write('door.password', 'from-a-file\n');
  const prompts: string[] = [];
  const world = {
    cwd: folder.path,
    env: { OTA_DEVICE_DOOR: 'from-the-environment', OTA_DEVICE_WRONG: 'not-the-right-one' },
    promptSecret: async (question: string) => {
      prompts.push(question);
      return 'from-the-prompt';
    },
  };
  for (const argv of [['--json'], ['--verbose'], ['--quiet']]) {
    prompts.length = 0;
    const run = await runCommand(['upload', image, '--all', ...argv], world);
    t.is(run.exitCode, 1);
    t.regex(run.error?.message ?? '', /^The update failed on 1 of 5 devices: wrong \(rejected: Authentication Failed/);
    t.true(hasNoSecret(run), run.stdout + run.stderr);
    t.deepEqual(prompts, ['Password of by-prompt, by-web'], 'one prompt covers all devices that share the setting');
  }
  for (const name of (await folder.list()).filter((path) => path.startsWith('.ota/'))) {
    const text = await folder.text(name);
    t.true(
      secrets.every((secret) => !text.includes(secret)),
      name,
    );
  }
});

test('upload fails before sending when a password is unavailable', async (t) => {
  const folder = await packedDoor(t, {
    prompted: { address: '127.0.0.1', port: 9, password: { prompt: true } },
    absent: { address: '127.0.0.2', port: 9, password: { file: 'nowhere' } },
  });
  const send = (...argv: string[]) => runCommand(['upload', image, ...argv], { cwd: folder.path });
  const unprompted = await send('--host', 'prompted');
  t.is(unprompted.error?.code, 'PASSWORD_NOT_PROMPTED');
  t.is(unprompted.exitCode, 2);
  t.is((await send('--host', 'absent')).error?.code, 'FILE_UNREADABLE');
  t.is((await send('--host', 'prompted', '--password-env', 'UNSET')).error?.code, 'SECRET_MISSING');
});

test('upload rejects plain-text passwords in the configuration and on the command line', async (t) => {
  const folder = await packedDoor(t);
  await folder.write(
    'ota.config.json',
    JSON.stringify({ devices: { door: { address: '127.0.0.1', password: 'not-the-right-one' } } }),
  );
  const run = await runCommand(['upload', image, '--all'], { cwd: folder.path });
  t.is(run.error?.code, 'CONFIG_INVALID');
  t.regex(run.error?.message ?? '', /devices\.door\.password must be \{"env"/);
  t.true(hasNoSecret(run));
  t.is((await runCommand(['upload', image, '--all', '--password', 'x'], { cwd: folder.path })).exitCode, 2);
});

test('upload does not print a password that a device echoes', async (t) => {
  const device = await virtualDoor(t, {
    password: 'the-right-one',
    faults: { invitationResponse: 'ERR: not-the-right-one?' },
  });
  const folder = await packedDoor(t, { door: listed(device, { password: { env: 'OTA_DEVICE_DOOR' } }) });
  const run = await runCli(['upload', image, '--all', '--verbose'], folder.path, {
    OTA_DEVICE_DOOR: 'not-the-right-one',
  });
  t.is(run.exitCode, 1);
  t.false(`${run.stdout}${run.stderr}`.includes('not-the-right-one'), run.stderr);
});
