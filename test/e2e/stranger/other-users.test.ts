/** Runs processes of several users in checkouts that belong to different users, as in containers and CI jobs. */
import { chmod, chown, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { door } from '../../support/built-sketch.ts';
import { testFolder } from '../../support/test-folder.ts';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const [ada, mallory] = [64_123, 64_124];

/** A checkout that belongs to one user, with a configuration. */
async function checkoutOf(t: ExecutionContext, owner: number) {
  const folder = await testFolder(t, {
    'checkout/.git/HEAD': 'ref: refs/heads/main',
    'checkout/.git/objects/.keep': '',
    'checkout/door/ota.config.json': '{"publicKey": "../public.key"}',
    'checkout/public.key': door.publicPem,
    'out/.keep': '',
  });
  await chmod(folder.path, 0o755);
  await chmod(folder.at('out'), 0o777);
  for (const name of ['', '/.git', '/door', '/door/ota.config.json', '/public.key']) {
    await chown(folder.at(`checkout${name}`), owner, owner);
  }
  const header = (uid: number, env: Readonly<Record<string, string>> = {}) =>
    execa(process.execPath, [cli, 'header', '--out', folder.at(`out/${uid}.h`)], {
      cwd: folder.at('checkout/door'),
      extendEnv: false,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
      uid,
      gid: uid,
      reject: false,
      all: true,
    });
  return { folder, header };
}

test('the owner, root in a container and the owner under sudo can use a checkout', async (t) => {
  const { header } = await checkoutOf(t, ada);
  for (const [uid, env] of [
    [ada, {}],
    [0, {}],
    [0, { SUDO_UID: String(ada) }],
  ] as const) {
    const { exitCode, all } = await header(uid, env);
    t.is(exitCode, 0, all);
    t.regex(all, /Enabling binary signing/);
  }
});

test('a different user, with or without sudo, receives an error that shows how to trust the checkout', async (t) => {
  const { header } = await checkoutOf(t, ada);
  for (const [uid, env] of [
    [mallory, {}],
    [mallory, { SUDO_UID: String(ada) }],
    [0, { SUDO_UID: String(mallory) }],
  ] as const) {
    const { exitCode, all } = await header(uid, env);
    t.is(exitCode, 2, all);
    t.regex(all, /error\[CONFIG_OF_OTHER_USER\]: .*user ID 64123/);
    const [, trusted = ''] = /OTA_SAFE_DIRECTORY=(\S+),/.exec(all) ?? [];
    t.is((await header(uid, { ...env, OTA_SAFE_DIRECTORY: trusted })).exitCode, 0);
  }
});

test('every user can use a checkout that belongs to root', async (t) => {
  const { header } = await checkoutOf(t, 0);
  for (const uid of [0, ada, mallory]) t.is((await header(uid)).exitCode, 0);
});

test("rejects a configuration that a different user added to a checkout, for the checkout's owner and for root", async (t) => {
  const { folder, header } = await checkoutOf(t, ada);
  await writeFile(folder.at('checkout/door/ota.config.json'), '{}');
  await chown(folder.at('checkout/door/ota.config.json'), mallory, mallory);
  for (const uid of [ada, 0]) t.regex((await header(uid)).all, /CONFIG_OF_OTHER_USER.*user ID 64124/);
});
