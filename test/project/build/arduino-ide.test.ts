import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { arduinoFolders, findInstalledCores, readCore } from '../../../src/project/build/arduino-cores.ts';
import { hasIdeHooks, installIdeHooks, uninstallIdeHooks } from '../../../src/project/build/arduino-ide.ts';
import type { CliCopy } from '../../../src/project/build/cli-copy.ts';
import { platformText } from '../../support/platform-text.ts';

const copy: CliCopy = { folder: '/home/jo/tür/arduino', launcher: Buffer.from('launcher') };

async function install(core: string, from = copy, options = {}) {
  return installIdeHooks(await readCore(core), from, options);
}

async function folderFor(t: { teardown: (done: () => Promise<void>) => void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-cores-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function makeCore(folder: string, version = '3.1.2'): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'platform.txt'), platformText(version));
  return folder;
}

test('installIdeHooks writes the two hooks and a stamp file dated far in the future', async (t) => {
  const core = await makeCore(await folderFor(t));

  t.is(await install(core), 'installed');

  const text = await readFile(join(core, 'platform.local.txt'), 'utf8');
  const program =
    '"{runtime.tools.python3.path}/python3" -I -S "{runtime.platform.path}/ota-hooks.py" /home/jo/tür/arduino';
  t.true(text.includes(`recipe.hooks.sketch.prebuild.pattern=${program} header `));
  t.true(text.includes(`recipe.objcopy.hex.2.pattern=${program} pack --if-set-up `));
  t.is(await readFile(join(core, 'ota-hooks.py'), 'utf8'), 'launcher');
  t.true((await stat(join(core, 'ota-hooks.stamp'))).mtime.getFullYear() >= 2037);
  t.true(await hasIdeHooks(core));
});

test('installIdeHooks changes nothing when run again', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);
  const before = await stat(join(core, 'platform.local.txt'), { bigint: true });

  t.is(await install(core), 'unchanged');

  t.is((await stat(join(core, 'platform.local.txt'), { bigint: true })).mtimeNs, before.mtimeNs);
});

test('installIdeHooks replaces outdated hook lines', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);

  t.is(await install(core, { ...copy, folder: '/opt/copy' }), 'installed');

  const text = await readFile(join(core, 'platform.local.txt'), 'utf8');
  t.is(text.match(/recipe\.objcopy\.hex\.2\.pattern/g)?.length, 1);
  t.false(text.includes(copy.folder));
});

/**
 * Recipes and upload properties in `platform.txt` of esp8266/Arduino that could collide with a hook, as of each release. Every release from
 * 2.6.0 on numbers its recipes in the same way: 1 makes the image, 2 signs it, 3 prints the memory report.
 */
const since260 = [
  'recipe.hooks.sketch.prebuild.pattern',
  'recipe.hooks.linking.prelink.1.pattern',
  'recipe.objcopy.eep.pattern',
  'recipe.objcopy.hex.1.pattern',
  'recipe.objcopy.hex.2.pattern',
  'recipe.objcopy.hex.3.pattern',
  'recipe.output.tmp_file',
  'recipe.output.save_file',
  'recipe.size.pattern',
  'tools.esptool.upload.network_pattern',
];
const prelinkSince300 = [2, 3, 4].map((number) => `recipe.hooks.linking.prelink.${number}.pattern`);
const propertiesByRelease = {
  '2.6.0, 2.6.1, 2.6.2, 2.6.3, 2.7.0, 2.7.1, 2.7.2, 2.7.3, 2.7.4': [...since260, 'recipe.hooks.prebuild.10.pattern'],
  '3.0.0, 3.0.1, 3.0.2': [...since260, ...prelinkSince300, 'recipe.hooks.prebuild.pattern'],
  '3.1.0, 3.1.1, 3.1.2, master': [
    ...since260,
    ...prelinkSince300,
    ...['recipe.hooks.prebuild.1.pattern', 'recipe.hooks.prebuild.2.pattern'],
  ],
};

for (const [releases, properties] of Object.entries(propertiesByRelease)) {
  test(`installed hooks replace the two signing recipes and the uploader of core ${releases}, and nothing else`, async (t) => {
    const core = await makeCore(await folderFor(t));
    await install(core, copy, { publishes: true });
    const text = await readFile(join(core, 'platform.local.txt'), 'utf8');
    const set = text.match(/^[^#=\n]+(?==)/gm) ?? [];
    t.deepEqual(
      set.filter((name) => properties.includes(name)),
      ['recipe.hooks.sketch.prebuild.pattern', 'recipe.objcopy.hex.2.pattern', 'tools.esptool.upload.network_pattern'],
    );
    t.deepEqual(
      set.filter((name) => !properties.includes(name)),
      ['recipe.objcopy.hex.4.pattern', 'recipe.hooks.savehex.postsavehex.ota_hooks.pattern'],
    );
  });
}

test('installIdeHooks installs the publish hook only on request, and keeps an installed one', async (t) => {
  const core = await makeCore(await folderFor(t));
  const isPublishing = async () =>
    (await readFile(join(core, 'platform.local.txt'), 'utf8')).includes('\nrecipe.objcopy.hex.4.pattern=');
  await install(core);
  t.false(await isPublishing());
  t.is(await install(core, copy, { publishes: true }), 'installed');
  t.true(await isPublishing());
  t.is(await install(core), 'unchanged');
  t.true(await isPublishing());
});

test('installIdeHooks rejects a core whose own recipes have other names', async (t) => {
  const folder = await folderFor(t);
  // 2.4.2 makes the image in a recipe without a number; 2.5.2 writes the header in recipe.hooks.core.prebuild.1.
  for (const lines of ['recipe.objcopy.hex.pattern=esptool', 'recipe.objcopy.hex.2.pattern=python signing.py']) {
    await writeFile(join(folder, 'platform.txt'), `version=2.5.2\n${lines}\n`);
    const error = await t.throwsAsync(install(folder), { instanceOf: OtaError });
    t.is(error?.code, 'CORE_UNSUPPORTED');
    t.deepEqual(await readdir(folder), ['platform.txt']);
  }
});

test('installIdeHooks replaces the launcher of an earlier version', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);
  t.is(await install(core, { ...copy, launcher: Buffer.from('newer') }), 'installed');
  t.is(await readFile(join(core, 'ota-hooks.py'), 'utf8'), 'newer');
});

test('uninstallIdeHooks restores platform.local.txt byte for byte', async (t) => {
  const core = await makeCore(await folderFor(t));
  const theirs = Buffer.from('compiler.cpp.extra_flags=-DM\xfcller\r\nunfinished=1', 'latin1');
  await writeFile(join(core, 'platform.local.txt'), theirs);
  await install(core);

  t.is(await uninstallIdeHooks(core), 'removed');

  t.deepEqual(await readFile(join(core, 'platform.local.txt')), theirs);
  t.deepEqual((await readdir(core)).sort(), ['platform.local.txt', 'platform.txt']);
  t.false(await hasIdeHooks(core));
  t.is(await uninstallIdeHooks(core), 'absent');
});

test('uninstallIdeHooks deletes a platform.local.txt that contains only the hooks', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);
  await uninstallIdeHooks(core);

  t.deepEqual(await readdir(core), ['platform.txt']);
});

test('uninstallIdeHooks touches platform.txt to invalidate cores compiled with signing', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);
  await utimes(join(core, 'platform.txt'), new Date(2020, 0), new Date(2020, 0));
  await uninstallIdeHooks(core);

  t.true((await stat(join(core, 'platform.txt'))).mtime.getFullYear() > 2020);
});

test('hasIdeHooks requires a stamp file with a future date, and installIdeHooks restores a missing one', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);
  await utimes(join(core, 'ota-hooks.stamp'), new Date(), new Date());

  t.false(await hasIdeHooks(core));
  t.is(await install(core), 'installed');
  t.true(await hasIdeHooks(core));
});

test('uninstallIdeHooks fails on damaged hook lines', async (t) => {
  const core = await makeCore(await folderFor(t));
  await install(core);
  const path = join(core, 'platform.local.txt');
  await writeFile(path, (await readFile(path, 'utf8')).replace(/# <<<.*\n/, ''));

  const error = await t.throwsAsync(uninstallIdeHooks(core), { instanceOf: OtaError });
  t.regex(error?.message ?? '', /line 1 /);
});

const python = '"{runtime.tools.python3.path}/python3"';

test('findInstalledCores finds Boards Manager cores and git clones', async (t) => {
  const folder = await folderFor(t);
  const folders = { data: join(folder, 'data dir'), user: join(folder, 'Skizzen ü') };
  const managed = await makeCore(join(folders.data, 'packages/esp8266/hardware/esp8266/3.1.2'));
  const older = await makeCore(join(folders.data, 'packages/esp8266/hardware/esp8266/3.0.2'), '3.0.2');
  const cloned = await makeCore(join(folders.user, 'hardware/esp8266com/esp8266'), '4.0.0-dev');
  await makeCore(join(folders.data, 'packages/esp32/hardware/esp32/3.0.0'));

  t.deepEqual(await findInstalledCores(folders), [
    { folder: cloned, version: '4.0.0-dev', python },
    { folder: older, version: '3.0.2', python },
    { folder: managed, version: '3.1.2', python },
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
