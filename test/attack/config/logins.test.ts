/** A source tree tries to use the token of the user's login, for the user's server or for a server of its own. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { folderWith, packedDoor } from '../../publishing/packed-door.ts';
import { logIn } from '../../support/log-in.ts';
import { runCommand } from '../../support/run-command.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { startListener } from './basic-auth-listener.ts';

const token = `ota_${'0'.repeat(12)}_${'s'.repeat(43)}`;
const kind = 'tokens, keys and destinations chosen by a source tree';

/** A stranger's tree with this configuration, in the hands of a user who is logged in to `listener`. */
async function strangersTree(t: ExecutionContext, configOf: (origin: string) => object) {
  const listener = await startListener(t);
  const config = JSON.stringify(configOf(listener.origin));
  const folder = await folderWith(t, { 'tree/build': packedDoor }, { 'tree/ota.config.json': config });
  const home = folder.at('home');
  await logIn(home, listener.origin, token);
  const world = { cwd: folder.at('tree'), home };
  return {
    listener,
    folder,
    publish: (more: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
      runCommand(['publish', 'build', ...more], { ...world, env }),
  };
}

test("does not publish a stranger's build to the user's server, which only the tree names", async (t) => {
  for (const to of [(origin: string) => origin, (origin: string) => `${origin}/ota`]) {
    const { listener, publish } = await strangersTree(t, (origin) => ({
      project: 'door',
      publish: { to: to(origin) },
    }));
    const { error, stdout, stderr } = await publish();
    t.is(error?.code, 'LOGIN_NOT_CHOSEN');
    t.regex(error?.hint ?? '', /--to http:.*add to .*config\.json: .*"publishTo":\["http:/);
    t.false(`${stdout}${stderr}${error?.message}${error?.hint}`.includes(token));
    t.is(listener.requests(), 0);
  }
  countAttacks({ kind, tried: 2, withstood: 2 });
});

test("does not send the token of the user's server to a server of the tree", async (t) => {
  const own = await startListener(t);
  const { listener, publish } = await strangersTree(t, (origin) => ({
    // A project and a path with the name of the user's server select nothing.
    project: new URL(origin).host.replace(':', '-'),
    publish: { to: `${own.origin}/${encodeURIComponent(origin)}` },
  }));
  const { error } = await publish();
  t.is(error?.code, 'SECRET_MISSING');
  t.is(own.requests(), 0);
  t.is(listener.requests(), 0);
  countAttacks({ kind, tried: 1, withstood: 1 });
});

test('does not use a file of the tree as the stored tokens', async (t) => {
  const { listener, folder, publish } = await strangersTree(t, () => ({ project: 'door' }));
  const planted = { servers: { [listener.origin]: { token: 'planted' } } };
  await mkdir(folder.at('tree/.config/ota-hooks'), { recursive: true });
  await writeFile(folder.at('tree/.config/ota-hooks/tokens.json'), JSON.stringify(planted), { mode: 0o600 });
  await publish(['--to', listener.origin], { XDG_CONFIG_HOME: '.config' });
  t.deepEqual(listener.heard(), [token]);
  countAttacks({ kind, tried: 1, withstood: 1 });
});

test('uses the token for a server on the command line, in OTA_SERVER or in the user configuration', async (t) => {
  const configured = (origin: string) => ({ project: 'door', publish: { to: origin } });
  const byOption = await strangersTree(t, configured);
  await byOption.publish(['--to', byOption.listener.origin]);
  t.deepEqual(byOption.listener.heard(), [token]);

  const byVariable = await strangersTree(t, () => ({ project: 'door' }));
  await byVariable.publish([], { OTA_SERVER: byVariable.listener.origin });
  t.deepEqual(byVariable.listener.heard(), [token]);

  const byConfig = await strangersTree(t, configured);
  const [entry = ''] = /\{"projects".*\}\}/.exec((await byConfig.publish()).error?.hint ?? '') ?? [];
  await writeFile(byConfig.folder.at('home/.config/ota-hooks/config.json'), entry, { mode: 0o600 });
  await byConfig.publish();
  t.deepEqual(byConfig.listener.heard(), [token]);
});

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('does not use stored tokens that other users can read', async (t) => {
  const { listener, folder, publish } = await strangersTree(t, () => ({ project: 'door' }));
  await chmod(folder.at('home/.config/ota-hooks/tokens.json'), 0o640);
  const { error } = await publish(['--to', listener.origin]);
  t.is(error?.code, 'USER_CONFIG_UNSAFE');
  t.regex(error?.hint ?? '', /chmod 600 .*tokens\.json/);
  t.is(listener.requests(), 0);
});
