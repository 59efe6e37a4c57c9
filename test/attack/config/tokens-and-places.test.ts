/** A source tree tries to send the user's token, to use the user's keys, and to read and write files outside the tree. */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { folderWith, packedDoor } from '../../publishing/packed-door.ts';
import { builtSketch, door } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { startListener } from './basic-auth-listener.ts';

const token = `ota_${'0'.repeat(12)}_${'t'.repeat(43)}`;

/** Publishes a build of a tree with this `publish.to`, with a token in the environment. */
async function publishTo(t: ExecutionContext, to: unknown, env: Readonly<Record<string, string>> = {}) {
  const listener = await startListener(t);
  const text = JSON.stringify({ project: 'door', publish: { to } }).replaceAll('LISTENER', listener.origin);
  const folder = await folderWith(
    t,
    { 'tree/build': packedDoor },
    { 'tree/ota.config.json': text, 'home/.config/.keep': '', 'www/index.html': '' },
  );
  await symlink(folder.at('www'), folder.at('tree/link'));
  await mkdir(folder.at('tree/.git/hooks'), { recursive: true });
  await mkdir(folder.at('tree/site'));
  const given = Object.entries(env).map(([name, value]) => [name, value.replaceAll('LISTENER', listener.origin)]);
  const world = {
    cwd: folder.at('tree'),
    home: folder.at('home'),
    env: { OTA_TOKEN: token, ...Object.fromEntries(given) },
  };
  const run = () => runCommand(['publish', 'build'], world);
  return { listener, folder, world, run };
}

test('does not send the token to a destination in a variable of a build server', async (t) => {
  for (const name of ['CI_COMMIT_TITLE', 'GITHUB_HEAD_REF', 'PULL_REQUEST_BODY']) {
    const { listener, run } = await publishTo(t, { env: name }, { [name]: 'LISTENER' });
    const { error } = await run();
    t.is(error?.code, 'SECRET_UNTRUSTED', error?.message);
    t.regex(error?.hint ?? '', /OTA_SERVER, or add to .*config\.json: .*"publishTo":\[\{"env":"/);
    t.is(listener.requests(), 0);
  }
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 3, withstood: 3 });
});

test('does not use an ota-hooks secret as a destination, because errors and logs show destinations', async (t) => {
  for (const [name, value] of [
    ['OTA_TOKEN', token],
    ['OTA_PASSPHRASE', 'passphrase-secret'],
    ['AWS_SECRET_ACCESS_KEY', 'cloud-secret'],
  ] as const) {
    const { run } = await publishTo(t, { env: name }, { [name]: value });
    const { error, stderr } = await run();
    t.is(error?.code, 'SECRET_RESERVED', error?.message);
    t.false(`${error?.message}${error?.hint}${stderr}`.includes(value));
  }
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 3, withstood: 3 });
});

test('does not send the token to an address in a tree', async (t) => {
  const { listener, run } = await publishTo(t, 'LISTENER');
  const { error } = await run();
  t.is(error?.code, 'TOKEN_UNBOUND');
  t.regex(error?.hint ?? '', /OTA_TOKEN_ORIGIN=http:.*add to .*config\.json: .*"publishTo":\["http:/);
  t.is(listener.requests(), 0);
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 1, withstood: 1 });
});

test('sends the token to the address in the user environment or in the user configuration', async (t) => {
  const byVariable = await publishTo(t, { env: 'OTA_SERVER_STAGING' }, { OTA_SERVER_STAGING: 'LISTENER' });
  await byVariable.run();
  t.deepEqual(byVariable.listener.heard(), [token]);
  const byOrigin = await publishTo(t, 'LISTENER', { OTA_TOKEN_ORIGIN: 'LISTENER' });
  await byOrigin.run();
  t.deepEqual(byOrigin.listener.heard(), [token]);
  const byConfig = await publishTo(t, 'LISTENER');
  const { error } = await byConfig.run();
  const [line = ''] = /\{"projects".*\}\}/.exec(error?.hint ?? '') ?? [];
  await mkdir(byConfig.folder.at('home/.config/ota-hooks'), { mode: 0o700 });
  await writeFile(byConfig.folder.at('home/.config/ota-hooks/config.json'), line, { mode: 0o600 });
  await byConfig.run();
  t.deepEqual(byConfig.listener.heard(), [token], 'the line from the error is what the user configuration needs');
});

for (const to of ['../www', 'link', '.git/hooks', 'site/../../www']) {
  test(`does not publish a build into the folder ${to}`, async (t) => {
    const { folder, run } = await publishTo(t, to);
    const before = await folder.list();
    const { error } = await run();
    t.is(error?.code, 'SECRET_UNTRUSTED', error?.message);
    t.regex(error?.hint ?? '', /pass --to \/.*"publishTo":\["\//);
    t.deepEqual(await folder.list(), before);
    countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 1, withstood: 1 });
  });
}

test('publishes a build into a project folder or a folder that the user names', async (t) => {
  t.is((await (await publishTo(t, './site')).run()).exitCode, 0);
  const { folder, world } = await publishTo(t, '../www');
  t.is((await runCommand(['publish', 'build', '--to', '../www'], world)).exitCode, 0);
  await mkdir(folder.at('home/.config/ota-hooks'), { mode: 0o700 });
  const allowed = { projects: { [folder.at('tree')]: { publishTo: [folder.at('www')] } } };
  await writeFile(folder.at('home/.config/ota-hooks/config.json'), JSON.stringify(allowed), { mode: 0o600 });
  t.is((await runCommand(['publish', 'build'], world)).exitCode, 0);
});

test('does not publish a build through a link to a folder outside the project', async (t) => {
  for (const link of ['door', 'door/1.0.0', 'door/.channels']) {
    const { folder, world, run } = await publishTo(t, './site');
    await mkdir(dirname(folder.at(`tree/site/${link}`)), { recursive: true });
    await symlink(folder.at('www'), folder.at(`tree/site/${link}`));
    const { error } = await run();
    t.is(error?.code, 'SECRET_UNTRUSTED', link);
    t.deepEqual(
      (await folder.list()).filter((path) => path.startsWith('www/')),
      ['www/index.html'],
      link,
    );
    t.is((await runCommand(['publish', 'build', '--to', './site'], world)).exitCode, 0, 'the user may use such a link');
  }
});

/** Packs a build in a tree that has no key of its own. */
async function packWith(t: ExecutionContext, config: object, env: Readonly<Record<string, string>> = {}) {
  const folder = await testFolder(t, {
    'home/company.key': door.privatePem,
    'tree/build/door.ino.bin': door.bin,
    'tree/build/door.ino.elf': door.elf,
    'tree/public.key': door.publicPem,
    'tree/ota.config.json': JSON.stringify(config),
  });
  await chmod(folder.at('home/company.key'), 0o600);
  const world = { cwd: folder.at('tree'), home: folder.at('home'), env };
  return { folder, run: (...argv: string[]) => runCommand(['pack', 'build/door.ino.bin', ...argv], world) };
}

test('prevents a tree from signing with a user key outside the tree', async (t) => {
  for (const privateKey of ['../home/company.key', { env: 'COMPANY_KEY' }]) {
    const { folder, run } = await packWith(t, { privateKey }, { COMPANY_KEY: door.privatePem });
    const { error } = await run();
    t.is(error?.code, 'SECRET_UNTRUSTED', error?.message);
    t.regex(error?.hint ?? '', /"privateKeys":\[\{"(?:file|env)":"/);
    t.false((await folder.list()).some((name) => name.endsWith('.signed')));
  }
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 2, withstood: 2 });
});

test('does not sign with a user key through a symbolic link named private.key in the tree', async (t) => {
  const { folder, run } = await packWith(t, {});
  await symlink(folder.at('home/company.key'), folder.at('tree/private.key'));
  t.is((await run()).error?.code, 'SECRET_UNTRUSTED');
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 1, withstood: 1 });
  t.is((await run('--private-key', '../home/company.key')).exitCode, 0);
});

test('does not create key files outside the tree if the configuration of the tree names them', async (t) => {
  const { folder } = await packWith(t, { privateKey: '../home/new.key' });
  const { error } = await runCommand(['keygen', '--bits', '1024'], { cwd: folder.at('tree'), home: folder.at('home') });
  t.is(error?.code, 'SECRET_UNTRUSTED', error?.message);
  t.false((await folder.list()).includes('home/new.key'));
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 1, withstood: 1 });
});

test('signs with keys in the tree and in OTA_PRIVATE_KEY without further permission', async (t) => {
  const beside = await builtSketch(t);
  t.is((await runCommand(['pack', 'build/door.ino.bin'], { cwd: beside.path })).exitCode, 0);
  const inTree = await packWith(t, { privateKey: 'keys/door.key' });
  await inTree.folder.write('tree/keys/door.key', door.privatePem);
  t.is((await inTree.run()).exitCode, 0);
  const byVariable = await packWith(
    t,
    { privateKey: { env: 'OTA_PRIVATE_KEY' } },
    { OTA_PRIVATE_KEY: door.privatePem },
  );
  t.is((await byVariable.run()).exitCode, 0);
});

test('does not use a secret as the firmware version, because the version is published', async (t) => {
  for (const [name, code] of [
    ['GITHUB_TOKEN', 'SECRET_UNTRUSTED'],
    ['NPM_AUTH_VERSION', 'SECRET_UNTRUSTED'],
    ['AWS_SECRET_ACCESS_KEY', 'SECRET_RESERVED'],
    ['OTA_TOKEN', 'SECRET_RESERVED'],
    ['OTA_DEVICE_DOOR', 'SECRET_RESERVED'],
    ['FIRMWARE_VERSION', 'SECRET_RESERVED'],
  ] as const) {
    const { folder, run } = await packWith(t, { version: { env: name } }, { [name]: token, OTA_TOKEN: token });
    const { error } = await run('--unsigned');
    t.is(error?.code, code, name);
    t.false((await folder.list()).some((path) => path.endsWith('.ota.json')));
  }
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 6, withstood: 6 });
  for (const name of [
    'FIRMWARE_VERSION',
    'GITHUB_REF_NAME',
    'CI_COMMIT_TAG',
    'GITHUB_RUN_ID',
    'BUILD_NUMBER',
    'VERSION',
  ]) {
    const { run } = await packWith(t, { version: { env: name } }, { [name]: '1.2.3' });
    t.is((await run('--unsigned')).exitCode, 0, name);
  }
});

test('prevents a tree from packing images outside the tree and from removing files next to them', async (t) => {
  for (const pattern of ['../home/*', 'link/*']) {
    const { folder } = await packWith(t, { images: [pattern] });
    await folder.write('home/backup', door.bin);
    await folder.write('home/backup.gz', 'a backup');
    await symlink(folder.at('home'), folder.at('tree/link'));
    const { error } = await runCommand(['pack'], { cwd: folder.at('tree'), home: folder.at('home') });
    t.is(error?.code, 'CONFIG_INVALID', error?.message);
    t.is(await folder.text('home/backup.gz'), 'a backup');
  }
  countAttacks({ kind: 'tokens, keys and destinations chosen by a source tree', tried: 2, withstood: 2 });
});
