import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { arduinoFolders, findInstalledCores, readCore } from '../../../src/project/build/arduino-cores.ts';
import type { ArduinoHooks } from '../../../src/project/build/arduino-hooks.ts';
import { hasIdeHooks, installIdeHooks, uninstallIdeHooks } from '../../../src/project/build/arduino-ide.ts';

const hooks: ArduinoHooks = { nodePath: '/usr/bin/node', cliPath: '/opt/tür/cli.js' };

async function folderFor(t: { teardown: (done: () => Promise<void>) => void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-cores-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function makeCore(folder: string, version = '3.1.2'): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'platform.txt'), `name=Some boards\nversion=${version}\n`);
  return folder;
}

test('installIdeHooks writes the two hooks and a stamp file dated far in the future', async (t) => {
  const core = await makeCore(await folderFor(t));

  t.is(await installIdeHooks(core, hooks), 'installed');

  const text = await readFile(join(core, 'platform.local.txt'), 'utf8');
  t.regex(text, /^recipe\.hooks\.sketch\.prebuild\.pattern=\/usr\/bin\/node \/opt\/tür\/cli\.js header /m);
  t.regex(text, /^recipe\.objcopy\.hex\.2\.pattern=\/usr\/bin\/node \/opt\/tür\/cli\.js pack /m);
  t.true((await stat(join(core, 'ota-hooks.stamp'))).mtime.getFullYear() >= 2037);
  t.true(await hasIdeHooks(core));
});

test('installIdeHooks changes nothing when run again', async (t) => {
  const core = await makeCore(await folderFor(t));
  await installIdeHooks(core, hooks);
  const before = await stat(join(core, 'platform.local.txt'), { bigint: true });

  t.is(await installIdeHooks(core, hooks), 'unchanged');

  t.is((await stat(join(core, 'platform.local.txt'), { bigint: true })).mtimeNs, before.mtimeNs);
});

test('installIdeHooks replaces outdated hook lines', async (t) => {
  const core = await makeCore(await folderFor(t));
  await installIdeHooks(core, hooks);

  t.is(await installIdeHooks(core, { ...hooks, nodePath: '/opt/node' }), 'installed');

  const text = await readFile(join(core, 'platform.local.txt'), 'utf8');
  t.is(text.match(/recipe\.objcopy\.hex\.2\.pattern/g)?.length, 1);
  t.false(text.includes('/usr/bin/node'));
});

test('uninstallIdeHooks restores platform.local.txt byte for byte', async (t) => {
  const core = await makeCore(await folderFor(t));
  const theirs = Buffer.from('compiler.cpp.extra_flags=-DM\xfcller\r\nunfinished=1', 'latin1');
  await writeFile(join(core, 'platform.local.txt'), theirs);
  await installIdeHooks(core, hooks);

  t.is(await uninstallIdeHooks(core), 'removed');

  t.deepEqual(await readFile(join(core, 'platform.local.txt')), theirs);
  t.deepEqual((await readdir(core)).sort(), ['platform.local.txt', 'platform.txt']);
  t.false(await hasIdeHooks(core));
  t.is(await uninstallIdeHooks(core), 'absent');
});

test('uninstallIdeHooks deletes a platform.local.txt that contains only the hooks', async (t) => {
  const core = await makeCore(await folderFor(t));
  await installIdeHooks(core, hooks);
  await uninstallIdeHooks(core);

  t.deepEqual(await readdir(core), ['platform.txt']);
});

test('uninstallIdeHooks touches platform.txt to invalidate cores compiled with signing', async (t) => {
  const core = await makeCore(await folderFor(t));
  await installIdeHooks(core, hooks);
  await utimes(join(core, 'platform.txt'), new Date(2020, 0), new Date(2020, 0));
  await uninstallIdeHooks(core);

  t.true((await stat(join(core, 'platform.txt'))).mtime.getFullYear() > 2020);
});

test('hasIdeHooks requires a stamp file with a future date, and installIdeHooks restores a missing one', async (t) => {
  const core = await makeCore(await folderFor(t));
  await installIdeHooks(core, hooks);
  await utimes(join(core, 'ota-hooks.stamp'), new Date(), new Date());

  t.false(await hasIdeHooks(core));
  t.is(await installIdeHooks(core, hooks), 'installed');
  t.true(await hasIdeHooks(core));
});

test('uninstallIdeHooks fails on damaged hook lines', async (t) => {
  const core = await makeCore(await folderFor(t));
  await installIdeHooks(core, hooks);
  const path = join(core, 'platform.local.txt');
  await writeFile(path, (await readFile(path, 'utf8')).replace(/# <<<.*\n/, ''));

  const error = await t.throwsAsync(uninstallIdeHooks(core), { instanceOf: OtaError });
  t.regex(error?.message ?? '', /line 1 /);
});

test('findInstalledCores finds Boards Manager cores and git clones', async (t) => {
  const folder = await folderFor(t);
  const folders = { data: join(folder, 'data dir'), user: join(folder, 'Skizzen ü') };
  const managed = await makeCore(join(folders.data, 'packages/esp8266/hardware/esp8266/3.1.2'));
  const older = await makeCore(join(folders.data, 'packages/esp8266/hardware/esp8266/3.0.2'), '3.0.2');
  const cloned = await makeCore(join(folders.user, 'hardware/esp8266com/esp8266'), '4.0.0-dev');
  await makeCore(join(folders.data, 'packages/esp32/hardware/esp32/3.0.0'));

  t.deepEqual(await findInstalledCores(folders), [
    { folder: cloned, version: '4.0.0-dev' },
    { folder: older, version: '3.0.2' },
    { folder: managed, version: '3.1.2' },
  ]);
  t.deepEqual(await findInstalledCores({ data: join(folder, 'none'), user: join(folder, 'none') }), []);
});

test('readCore rejects a folder without a core', async (t) => {
  const error = await t.throwsAsync(readCore(await folderFor(t)), { instanceOf: OtaError });
  t.is(error?.code, 'CORE_NOT_FOUND');
});

test('arduinoFolders returns the folders of each platform', (t) => {
  t.deepEqual(arduinoFolders({}, 'linux', '/home/jo'), { data: '/home/jo/.arduino15', user: '/home/jo/Arduino' });
  t.deepEqual(arduinoFolders({}, 'darwin', '/Users/jo'), {
    data: '/Users/jo/Library/Arduino15',
    user: '/Users/jo/Documents/Arduino',
  });
  t.is(arduinoFolders({ LOCALAPPDATA: '/local' }, 'win32', '/Users/jo').data, '/local/Arduino15');
  t.deepEqual(arduinoFolders({ ARDUINO_DIRECTORIES_DATA: '/d', ARDUINO_DIRECTORIES_USER: '/u' }, 'linux', '/home/jo'), {
    data: '/d',
    user: '/u',
  });
});
