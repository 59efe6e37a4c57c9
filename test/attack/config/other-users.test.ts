/**
 * Another user who can write to a folder above the source folder plants a configuration or a package.json that would change the keys of a
 * build.
 */
import { chmod, lchown, mkdir, symlink, writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { canChangeOwners, otherUser } from '../../support/other-user.ts';
import { runCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';

const stranger = rsaPems(2048);

// Only root can create a file that belongs to another user.
const testWithOwners = canChangeOwners ? test : test.skip;

/** Shared folder that contains this user's sketch. */
async function shared(t: ExecutionContext, files: Readonly<Record<string, string>> = {}) {
  const folder = await testFolder(t, {
    'home/.keep': '',
    'shared/checkout/door/public.key': door.publicPem,
    'shared/stranger.key': stranger.publicPem,
    ...files,
  });
  const give = async (...names: readonly string[]) => {
    for (const name of names) await lchown(folder.at(name), otherUser, otherUser);
  };
  const header = (env: Readonly<Record<string, string>> = {}, ...argv: readonly string[]) =>
    runCommand(['header', '--out', 'Updater_Signing.h', ...argv], {
      cwd: folder.at('shared/checkout/door'),
      home: folder.at('home'),
      env,
    });
  return { folder, give, header };
}

const planted = JSON.stringify({ publicKey: 'stranger.key' });

async function usesOwnKey(folder: TestFolder): Promise<boolean> {
  const header = await folder.text('shared/checkout/door/Updater_Signing.h');
  const bytes = [...header.matchAll(/0x([0-9a-f]{2})/g)].map(([, hex]) => Number.parseInt(hex ?? '', 16));
  return Buffer.from(bytes)
    .toString()
    .includes(door.publicPem.trim().split('\n')[1] ?? 'no key');
}

testWithOwners(
  'rejects a configuration of another user above the source folder instead of using its key',
  async (t) => {
    const { folder, give, header } = await shared(t, {
      'shared/package.json': '{}',
      'shared/ota.config.json': planted,
    });
    await give('shared/package.json', 'shared/ota.config.json');
    const { error } = await header();
    t.is(error?.code, 'CONFIG_OF_OTHER_USER', error?.message);
    t.true(error?.message.includes(folder.at('shared/ota.config.json')));
    t.true(error?.message.includes(String(otherUser)));
    t.true(error?.hint.includes(`OTA_SAFE_DIRECTORY=${folder.at('shared')}`));
    t.false((await folder.list()).some((name) => name.endsWith('.h')));
    countAttacks({ kind: 'configurations of other users', tried: 1, withstood: 1 });
  },
);

testWithOwners('trusts the configuration of another user with the settings in the hint', async (t) => {
  const { folder, give, header } = await shared(t, { 'shared/package.json': '{}', 'shared/ota.config.json': planted });
  await give('shared/package.json', 'shared/ota.config.json');
  const { hint = '' } = (await header()).error ?? {};
  const [, directory = ''] = /OTA_SAFE_DIRECTORY=(\S+),/.exec(hint) ?? [];
  const byVariable = await header({ OTA_SAFE_DIRECTORY: `/nowhere:${directory}` });
  t.is(byVariable.exitCode, 0, byVariable.error?.message);
  t.regex(byVariable.stderr, /^Configuration: .*shared\/ota\.config\.json$/m);
  t.false(await usesOwnKey(folder));
  const [line = ''] = /\{"safeDirectories".*\}/.exec(hint) ?? [];
  await mkdir(folder.at('home/.config/ota-hooks'), { recursive: true, mode: 0o700 });
  await chmod(folder.at('home/.config/ota-hooks'), 0o700);
  await writeFile(folder.at('home/.config/ota-hooks/config.json'), line, { mode: 0o600 });
  t.is((await header()).exitCode, 0);
  t.is((await header({ OTA_SAFE_DIRECTORY: '/nowhere:.:..' })).exitCode, 0);
});

for (const [what, names] of [
  ['the folder', ['shared']],
  ['the package.json', ['shared/package.json']],
  ['the link', ['shared/ota.config.json']],
  ['the target of the link', ['shared/elsewhere.json']],
] as const) {
  testWithOwners(`rejects a configuration if ${what} belongs to another user`, async (t) => {
    const { folder, give, header } = await shared(t, { 'shared/package.json': '{}', 'shared/elsewhere.json': planted });
    if (what.includes('link')) await symlink('elsewhere.json', folder.at('shared/ota.config.json'));
    else if (what === 'the folder') await folder.write('shared/ota.config.json', planted);
    await give(...names);
    t.is((await header()).error?.code, 'CONFIG_OF_OTHER_USER');
    countAttacks({ kind: 'configurations of other users', tried: 1, withstood: 1 });
  });
}

testWithOwners('rejects a package.json of another user that would hide the configuration of this user', async (t) => {
  const { give, header } = await shared(t, {
    'shared/package.json': '{}',
    'shared/ota.config.json': '{"publicKey": "none.key"}',
    'shared/checkout/package.json': '{}',
  });
  t.is((await header()).exitCode, 0, 'the nearer package.json ends the search');
  await give('shared/checkout/package.json');
  t.is((await header()).error?.code, 'CONFIG_OF_OTHER_USER');
  countAttacks({ kind: 'configurations of other users', tried: 1, withstood: 1 });
});

testWithOwners(
  'rejects a configuration of another user in the source folder unless that user owns the whole checkout',
  async (t) => {
    const { folder, give, header } = await shared(t, { 'shared/checkout/door/ota.config.json': '{}' });
    await give('shared/checkout/door/ota.config.json');
    t.is((await header()).error?.code, 'CONFIG_OF_OTHER_USER', 'a file of another user in a folder of this user');
    await give('shared/checkout/door');
    t.is((await header()).exitCode, 0, 'root in a container starts in a checkout of another user');
    t.is((await header({ SUDO_UID: '1' })).error?.code, 'CONFIG_OF_OTHER_USER', 'a user who ran sudo is not root');
    t.is((await header({ SUDO_UID: String(otherUser) })).exitCode, 0, 'the files of the user who ran sudo');
    t.true(await usesOwnKey(folder));
    countAttacks({ kind: 'configurations of other users', tried: 2, withstood: 2 });
  },
);

testWithOwners(
  'uses the configuration of a checkout with a foreign user ID when root starts in a subfolder',
  async (t) => {
    const { folder, give, header } = await shared(t, {
      'shared/.git/HEAD': '',
      'shared/ota.config.json': '{"publicKey": "stranger.key"}',
    });
    await give('shared', 'shared/.git', 'shared/ota.config.json', 'shared/checkout', 'shared/checkout/door');
    t.is((await header()).exitCode, 0);
    t.false(await usesOwnKey(folder));
    await lchown(folder.at('shared/checkout/door'), 0, 0);
    t.is((await header()).error?.code, 'CONFIG_OF_OTHER_USER', 'a folder of root in the folder of another user');
    countAttacks({ kind: 'configurations of other users', tried: 1, withstood: 1 });
  },
);

testWithOwners('accepts a configuration of another user if --config names it', async (t) => {
  const { give, header } = await shared(t, { 'shared/ota.config.json': planted });
  await give('shared/ota.config.json');
  t.is((await header({}, '--config', '../../ota.config.json')).exitCode, 0);
});

test('prints the path of the configuration if it is not in the source folder', async (t) => {
  const { folder, header } = await shared(t, { 'shared/package.json': '{}', 'shared/ota.config.json': planted });
  t.true((await header()).stderr.includes(`Configuration: ${folder.at('shared/ota.config.json')}\n`));
  t.false((await header({}, '--quiet')).stderr.includes('Configuration:'));
  await folder.write('shared/checkout/door/ota.config.json', '{}');
  t.false((await header()).stderr.includes('Configuration:'));
});

testWithOwners('rejects a user configuration that other users can write to', async (t) => {
  const { folder, give, header } = await shared(t, { 'shared/package.json': '{}', 'shared/ota.config.json': planted });
  await give('shared/package.json', 'shared/ota.config.json');
  const path = 'home/.config/ota-hooks/config.json';
  await folder.write(path, JSON.stringify({ safeDirectories: [folder.at('shared')] }));
  const place = folder.at('home/.config/ota-hooks');
  for (const [file, others] of [
    [folder.at(path), 0o622],
    [place, 0o777],
  ] as const) {
    await chmod(folder.at(path), 0o600);
    await chmod(place, 0o700);
    t.is((await header()).exitCode, 0);
    await chmod(file, others);
    t.is((await header()).error?.code, 'USER_CONFIG_UNSAFE');
  }
  await chmod(place, 0o700);
  await give(path);
  t.is((await header()).error?.code, 'USER_CONFIG_UNSAFE');
  countAttacks({ kind: 'configurations of other users', tried: 3, withstood: 3 });
});

/** Tree that contains a user configuration, which permits the key that the tree's project configuration names. */
async function treeWithUserConfig(t: ExecutionContext, configFolder: string) {
  const { folder } = await shared(t, { 'shared/checkout/door/ota.config.json': '{"privateKey": {"env": "DOOR_KEY"}}' });
  const cwd = folder.at('shared/checkout/door');
  const allowed = { projects: { [cwd]: { privateKeys: [{ env: 'DOOR_KEY' }] } } };
  await folder.write(`shared/checkout/door/${configFolder}/ota-hooks/config.json`, JSON.stringify(allowed));
  await folder.write('shared/checkout/door/door.bin', door.bin);
  return { folder, cwd };
}

test('does not read a user configuration from the tree if HOME is empty or relative', async (t) => {
  const { cwd } = await treeWithUserConfig(t, '.config');
  for (const HOME of ['', '.', 'missing/..']) {
    const { stderr } = await runCli(['pack', 'door.bin'], cwd, { HOME, DOOR_KEY: door.privatePem });
    t.regex(stderr, /SECRET_UNTRUSTED/, HOME);
  }
});

test('does not read a user configuration from the tree if XDG_CONFIG_HOME is relative', async (t) => {
  const { folder, cwd } = await treeWithUserConfig(t, 'evil');
  const env = { XDG_CONFIG_HOME: 'evil', DOOR_KEY: door.privatePem };
  const { error } = await runCommand(['pack', 'door.bin'], { cwd, home: folder.at('home'), env });
  t.is(error?.code, 'SECRET_UNTRUSTED');
});
