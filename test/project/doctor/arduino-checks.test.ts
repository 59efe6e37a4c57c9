import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { readCore } from '../../../src/project/build/arduino-cores.ts';
import { installIdeHooks } from '../../../src/project/build/arduino-ide.ts';
import { installCliCopy } from '../../../src/project/build/cli-copy.ts';
import { arduinoHooks } from '../../../src/project/doctor/checks/arduino-hooks.ts';
import { coreCache } from '../../../src/project/doctor/checks/core-cache.ts';
import { coreRelease } from '../../../src/project/doctor/checks/core-release.ts';
import { numberedHooks } from '../../../src/project/doctor/checks/numbered-hooks.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { platformText } from '../../support/platform-text.ts';
import { type CheckSetup, findingsOf, onlyProblem, type SetupOptions, setUpCheck } from './check-setup.ts';

const cores = 'home/.arduino15/packages/esp8266/hardware/esp8266';
const [current, older] = [`${cores}/3.1.2`, `${cores}/3.0.2`];
const sketch = { 'project/project.ino': '', 'project/public.key': rsaPems().publicPem };

async function withCores(
  t: ExecutionContext,
  options: SetupOptions,
  ...folders: readonly string[]
): Promise<CheckSetup> {
  const texts = folders.map((folder) => [`${folder}/platform.txt`, platformText(folder.split('/').at(-1) ?? '')]);
  const ownPackage = {
    'package/dist/cli.js': '',
    'package/package.json': '{}',
    'package/hooks/arduino.py': 'launcher',
  };
  return setUpCheck(t, { ...options, files: { ...ownPackage, ...Object.fromEntries(texts), ...options.files } });
}

async function install({ context, folder }: CheckSetup, core: string, options = {}) {
  const copy = await installCliCopy({ node: context.node.path, cli: context.cli }, context);
  await installIdeHooks(await readCore(folder.at(core)), copy, options);
}

test('arduinoHooks notes a missing core and warns if the project is a sketch', async (t) => {
  t.like(await onlyProblem(t, arduinoHooks, (await setUpCheck(t)).context), { level: 'note', fix: undefined });
  const wanted = await setUpCheck(t, { files: sketch });
  t.like(await onlyProblem(t, arduinoHooks, wanted.context), { level: 'warning' });
});

test('arduinoHooks notes a core without hooks and warns if the project is a signed sketch', async (t) => {
  t.like(await onlyProblem(t, arduinoHooks, (await withCores(t, {}, current)).context), { level: 'note' });
  const signed = await withCores(t, { files: sketch }, current);
  const found = await onlyProblem(t, arduinoHooks, signed.context);
  t.is(found.level, 'warning');
  t.is(found.autofix, undefined, 'hooks in the IDE are optional, so there is no automatic fix');
});

test('arduinoHooks reports hooks that a core upgrade removed, and reinstalls them', async (t) => {
  const setup = await withCores(t, {}, older, current);
  await install(setup, older);
  const found = await onlyProblem(t, arduinoHooks, setup.context);
  t.is(found.level, 'error');
  t.regex(found.message, /3\.1\.2.*a core upgrade removes them/);
  await found.autofix?.apply();
  t.is((await findingsOf(arduinoHooks, setup.context)).filter((line) => line.startsWith('ok')).length, 2);
});

test('arduinoHooks detects hooks lost by a core upgrade from the record of init', async (t) => {
  const record = { version: 1, entries: [{ action: 'core', folder: `/home/jo/${older}` }] };
  const files = { ...sketch, 'project/.ota/init.json': JSON.stringify(record) };
  const setup = await withCores(t, { files }, current);
  t.like(await onlyProblem(t, arduinoHooks, setup.context), { level: 'error' });
});

test('arduinoHooks reports a missing stamp file and restores it', async (t) => {
  const setup = await withCores(t, {}, current);
  await install(setup, current);
  await rm(setup.folder.at(`${current}/ota-hooks.stamp`));
  const found = await onlyProblem(t, arduinoHooks, setup.context);
  t.is(found.level, 'error');
  t.regex(found.message, /ota-hooks\.stamp is missing.*does not verify updates/);
  await found.autofix?.apply();
  t.regex((await findingsOf(arduinoHooks, setup.context)).join(), /^ok/);
});

test('arduinoHooks reports a missing launcher, copy and Node.js of the hooks, and restores them', async (t) => {
  const setup = await withCores(t, {}, current);
  await install(setup, current);
  const copy = 'home/.local/share/ota-hooks/arduino';
  for (const [spoil, message] of [
    [() => rm(setup.folder.at(`${current}/ota-hooks.py`)), /the hooks run ota-hooks\.py, which does not exist/],
    [() => rm(setup.folder.at(copy), { recursive: true }), /The copy of ota-hooks that the hooks run is missing/],
    [() => setup.folder.write(`${copy}/node`, '/gone/node\n'), /Node\.js at \/gone\/node, which does not exist/],
  ] as const) {
    await spoil();
    const found = await onlyProblem(t, arduinoHooks, setup.context);
    t.regex(found.message, message);
    await found.autofix?.apply();
    t.regex((await findingsOf(arduinoHooks, setup.context)).join(), /^ok/);
  }
});

test('arduinoHooks warns if a build in the IDE would not publish', async (t) => {
  const config = '{"publish": {"to": "./public", "afterBuild": true}}';
  const setup = await withCores(t, { files: { ...sketch, 'project/ota.config.json': config } }, current);
  await install(setup, current);
  const found = await onlyProblem(t, arduinoHooks, setup.context);
  t.like(found, { level: 'warning' });
  t.regex(found.fix ?? '', /ota-hooks install arduino --publish/);
  await install(setup, current, { publishes: true });
  t.regex((await findingsOf(arduinoHooks, setup.context)).join(), /^ok/);
});

test('arduinoHooks does not suggest hooks for a core that does not support them', async (t) => {
  const setup = await withCores(t, { files: { [`${cores}/2.5.2/platform.txt`]: 'version=2.5.2\n' } }, current);
  await install(setup, current);
  t.is((await findingsOf(arduinoHooks, setup.context)).length, 1);
});

test('arduinoHooks reports overridden and damaged hook lines and does not repair damaged hook lines', async (t) => {
  const setup = await withCores(t, {}, current);
  await install(setup, current);
  const local = `${current}/platform.local.txt`;
  const text = await setup.folder.text(local);
  await setup.folder.write(local, `${text}recipe.objcopy.hex.2.pattern=echo mine\n`);
  t.regex((await onlyProblem(t, arduinoHooks, setup.context)).message, /sets recipe\.objcopy\.hex\.2\.pattern again/);
  await setup.folder.write(local, text.replace(/^# <<<.*\n/m, ''));
  t.like(await onlyProblem(t, arduinoHooks, setup.context), { level: 'error', autofix: undefined });
});

test('coreCache warns if plain builds link a cached core compiled with signing, and deletes the core', async (t) => {
  const setup = await withCores(t, {}, current);
  const name = (folder: string, flags = '') =>
    createHash('md5')
      .update(folder + flags)
      .digest('hex');
  const place = (hash: string) => `home/.cache/arduino/cores/esp8266_esp8266_d1_mini_${hash}/core.a`;
  const folder = setup.folder.at(current);
  const [plain, salted] = [place(name(folder)), place(name(folder, '-DOTA_HOOKS_KEY=ab'))];
  await setup.folder.write(salted, 'updaterSigningVerifier');
  t.deepEqual(await findingsOf(coreCache, setup.context), [], 'a salted core is separate for each key');

  await setup.folder.write(plain, '…_ZN7esp826622updaterSigningVerifierE…');
  const found = await onlyProblem(t, coreCache, setup.context);
  t.like(found, { level: 'warning', fix: 'Run arduino-cli cache clean' });
  await found.autofix?.apply();
  t.false(existsSync(setup.folder.at(plain)));
  t.true(existsSync(setup.folder.at(salted)));
});

test('coreCache warns if plain builds of a signed sketch link a cached core compiled without signing', async (t) => {
  const setup = await withCores(t, { files: sketch }, current);
  const hash = createHash('md5').update(setup.folder.at(current)).digest('hex');
  await setup.folder.write(`home/.cache/arduino/cores/esp8266_esp8266_generic_${hash}/core.a`, 'unsigned');
  t.regex((await onlyProblem(t, coreCache, setup.context)).message, /compiled without signing/);
  await install(setup, current);
  t.deepEqual(
    await findingsOf(coreCache, setup.context),
    [],
    'arduino-cli never uses the cache when the hooks are installed',
  );
});

test('coreCache finds the cache folder on macOS and Windows', async (t) => {
  const places: Record<string, { platform: NodeJS.Platform; folder: string; env?: Record<string, string> }> = {
    macOS: { platform: 'darwin', folder: 'home/Library/Caches/arduino' },
    Windows: { platform: 'win32', folder: 'home/AppData/Local/arduino' },
  };
  for (const [name, { platform, folder }] of Object.entries(places)) {
    const data = { darwin: 'home/Library/Arduino15', win32: 'home/AppData/Local/Arduino15' }[platform as 'darwin'];
    const core = `${data}/packages/esp8266/hardware/esp8266/3.1.2`;
    const setup = await withCores(t, { platform }, core);
    const hash = createHash('md5').update(setup.folder.at(core)).digest('hex');
    await setup.folder.write(`${folder}/cores/x_${hash}/core.a`, 'updaterSigningVerifier');
    t.like(await onlyProblem(t, coreCache, setup.context), { level: 'warning' }, name);
  }
});

test('coreRelease reports unsafe core releases of Arduino and PlatformIO', async (t) => {
  for (const [version, message] of [
    ['2.7.0', /2\.7\.0 \(.*\): its eboot hangs on XMC flash/],
    ['2.7.2', /its eboot hangs after an update whose copy overlaps/],
    ['2.5.2', /only legacy signatures/],
    ['2.4.2', /does not verify signatures/],
  ] as const) {
    const arduino = await withCores(t, {}, `${cores}/${version}`);
    t.regex((await onlyProblem(t, coreRelease, arduino.context)).message, message);
    const [major = '', minor = '', patch = ''] = version.split('.');
    const number = `3.${major}${minor.padStart(2, '0')}${patch.padStart(2, '0')}.0`;
    const place = 'home/.platformio/packages/framework-arduinoespressif8266/package.json';
    const platformio = await setUpCheck(t, { files: { [place]: JSON.stringify({ version: number }) } });
    const found = await onlyProblem(t, coreRelease, platformio.context);
    t.regex(found.message, message);
    t.regex(found.fix ?? '', /Install core 3\.1\.2/);
  }
});

test('coreRelease accepts other releases and skips unknown ones', async (t) => {
  const sound = await withCores(t, {}, current, older, `${cores}/2.7.1`, `${cores}/2.7.4`, `${cores}/2.6.3`);
  t.deepEqual(await findingsOf(coreRelease, sound.context), ['ok: No installed core is known to be unsafe']);
  t.deepEqual((await findingsOf(coreRelease, (await withCores(t, {}, `${cores}/git`)).context)).length, 1);
  t.deepEqual(await findingsOf(coreRelease, (await setUpCheck(t)).context), []);
});

test('numberedHooks reports a numbered hook as an error beside a signed sketch, otherwise as a warning', async (t) => {
  const line = 'recipe.hooks.sketch.prebuild.1.pattern=echo hello\n';
  const files = { [`${current}/platform.local.txt`]: line };
  const signed = await withCores(t, { files: { ...files, ...sketch } }, current);
  const found = await onlyProblem(t, numberedHooks, signed.context);
  t.is(found.level, 'error');
  t.regex(found.message, /platform\.local\.txt sets recipe\.hooks\.sketch\.prebuild\.1\.pattern/);
  t.is((await onlyProblem(t, numberedHooks, (await withCores(t, { files }, current)).context)).level, 'warning');
});

test('numberedHooks ignores hooks with other names', async (t) => {
  const names = [
    'recipe.hooks.sketch.postbuild.1.pattern',
    'recipe.hooks.prebuild.1.pattern',
    '#recipe.hooks.sketch.prebuild.1.pattern',
  ];
  const files = { ...sketch, [`${current}/platform.local.txt`]: names.map((name) => `${name}=echo\n`).join('') };
  const sound = await withCores(t, { files }, current);
  await install(sound, current);
  t.deepEqual(await findingsOf(numberedHooks, sound.context), [
    'ok: No other hook replaces the one that writes the signing header',
  ]);
});
