import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { installIdeHooks } from '../../../src/project/build/arduino-ide.ts';
import { arduinoHooks } from '../../../src/project/doctor/checks/arduino-hooks.ts';
import { coreCache } from '../../../src/project/doctor/checks/core-cache.ts';
import { coreRelease } from '../../../src/project/doctor/checks/core-release.ts';
import { numberedHooks } from '../../../src/project/doctor/checks/numbered-hooks.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { complaint, diagnose, type Patient, patient, type Symptoms } from './sick-world.ts';

const cores = 'home/.arduino15/packages/esp8266/hardware/esp8266';
const [current, older] = [`${cores}/3.1.2`, `${cores}/3.0.2`];
const sketch = { 'project/project.ino': '', 'project/public.key': rsaPems().publicPem };

async function withCores(t: ExecutionContext, symptoms: Symptoms, ...folders: readonly string[]): Promise<Patient> {
  const texts = folders.map((folder) => [`${folder}/platform.txt`, `version=${folder.split('/').at(-1)}\n`]);
  const files = { 'package/dist/cli.js': '', ...Object.fromEntries(texts), ...symptoms.files };
  return patient(t, { ...symptoms, files });
}

function hooksOf({ world }: Patient) {
  return { nodePath: world.node.path, cliPath: world.cli };
}

test('arduinoHooks notes a missing core, and warns if the project is a sketch', async (t) => {
  t.like(await complaint(t, arduinoHooks, (await patient(t)).world), { level: 'note', mend: undefined });
  const wanted = await patient(t, { files: sketch });
  t.like(await complaint(t, arduinoHooks, wanted.world), { level: 'warning' });
});

test('arduinoHooks notes a core without hooks, and warns beside a signed sketch', async (t) => {
  t.like(await complaint(t, arduinoHooks, (await withCores(t, {}, current)).world), { level: 'note' });
  const signed = await withCores(t, { files: sketch }, current);
  const found = await complaint(t, arduinoHooks, signed.world);
  t.is(found.level, 'warning');
  t.is(found.fix, undefined, 'nobody asked for hooks in the IDE');
});

test('arduinoHooks reports hooks lost by a core upgrade and reinstalls them', async (t) => {
  const sick = await withCores(t, {}, older, current);
  await installIdeHooks(sick.folder.at(older), hooksOf(sick));
  const found = await complaint(t, arduinoHooks, sick.world);
  t.is(found.level, 'error');
  t.regex(found.says, /3\.1\.2.*an upgrade of the core takes them away/);
  await found.fix?.apply();
  t.is((await diagnose(arduinoHooks, sick.world)).filter((line) => line.startsWith('ok')).length, 2);
});

test('arduinoHooks detects hooks lost by a core upgrade from the record of init', async (t) => {
  const record = { version: 1, entries: [{ did: 'core', folder: `/home/jo/${older}` }] };
  const files = { ...sketch, 'project/.ota/init.json': JSON.stringify(record) };
  const sick = await withCores(t, { files }, current);
  t.like(await complaint(t, arduinoHooks, sick.world), { level: 'error' });
});

test('arduinoHooks reports a missing stamp and restores it', async (t) => {
  const sick = await withCores(t, {}, current);
  await installIdeHooks(sick.folder.at(current), hooksOf(sick));
  await rm(sick.folder.at(`${current}/ota-hooks.stamp`));
  const found = await complaint(t, arduinoHooks, sick.world);
  t.is(found.level, 'error');
  t.regex(found.says, /un-sign devices/);
  await found.fix?.apply();
  t.regex((await diagnose(arduinoHooks, sick.world)).join(), /^ok/);
});

test('arduinoHooks reports hooks with missing programs and updates them', async (t) => {
  const sick = await withCores(t, {}, current);
  const gone = { nodePath: '/gone/bin with blanks/node', cliPath: '/gone/ota-hooks/dist/cli.js' };
  await installIdeHooks(sick.folder.at(current), gone);
  const findings = (await arduinoHooks.run(sick.world)).filter(({ level }) => level === 'error');
  t.deepEqual(
    findings.map(({ says }) => / run (.*), which is not there/.exec(says)?.[1]),
    [gone.nodePath, gone.cliPath],
  );
  await findings[0]?.fix?.apply();
  t.regex((await diagnose(arduinoHooks, sick.world)).join(), /^ok/);
});

test('arduinoHooks reports overridden hook lines, and damaged ones without a fix', async (t) => {
  const sick = await withCores(t, {}, current);
  await installIdeHooks(sick.folder.at(current), hooksOf(sick));
  const local = `${current}/platform.local.txt`;
  const text = await sick.folder.text(local);
  await sick.folder.write(local, `${text}recipe.objcopy.hex.2.pattern=echo mine\n`);
  t.regex((await complaint(t, arduinoHooks, sick.world)).says, /sets recipe\.objcopy\.hex\.2\.pattern again/);
  await sick.folder.write(local, text.replace(/^# <<<.*\n/m, ''));
  t.like(await complaint(t, arduinoHooks, sick.world), { level: 'error', fix: undefined });
});

test('coreCache warns about a cached core with signing for plain builds and deletes it', async (t) => {
  const sick = await withCores(t, {}, current);
  const name = (folder: string, flags = '') =>
    createHash('md5')
      .update(folder + flags)
      .digest('hex');
  const place = (hash: string) => `home/.cache/arduino/cores/esp8266_esp8266_d1_mini_${hash}/core.a`;
  const folder = sick.folder.at(current);
  const [plain, salted] = [place(name(folder)), place(name(folder, '-DOTA_HOOKS_KEY=ab'))];
  await sick.folder.write(salted, 'updaterSigningVerifier');
  t.deepEqual(await diagnose(coreCache, sick.world), [], 'what is salted is as it should be');

  await sick.folder.write(plain, '…_ZN7esp826622updaterSigningVerifierE…');
  const found = await complaint(t, coreCache, sick.world);
  t.like(found, { level: 'warning', mend: 'arduino-cli cache clean' });
  await found.fix?.apply();
  t.false(existsSync(sick.folder.at(plain)));
  t.true(existsSync(sick.folder.at(salted)));
});

test('coreCache warns about a cached core without signing for a signed sketch', async (t) => {
  const sick = await withCores(t, { files: sketch }, current);
  const hash = createHash('md5').update(sick.folder.at(current)).digest('hex');
  await sick.folder.write(`home/.cache/arduino/cores/esp8266_esp8266_generic_${hash}/core.a`, 'unsigned');
  t.regex((await complaint(t, coreCache, sick.world)).says, /checks nothing/);
  await installIdeHooks(sick.folder.at(current), hooksOf(sick));
  t.deepEqual(await diagnose(coreCache, sick.world), [], 'with hooks inside, the cache is never used');
});

test('coreCache finds the cache folder of macOS and Windows', async (t) => {
  const places: Record<string, { platform: NodeJS.Platform; folder: string; env?: Record<string, string> }> = {
    macOS: { platform: 'darwin', folder: 'home/Library/Caches/arduino' },
    Windows: { platform: 'win32', folder: 'home/AppData/Local/arduino' },
  };
  for (const [name, { platform, folder }] of Object.entries(places)) {
    const data = { darwin: 'home/Library/Arduino15', win32: 'home/AppData/Local/Arduino15' }[platform as 'darwin'];
    const core = `${data}/packages/esp8266/hardware/esp8266/3.1.2`;
    const sick = await withCores(t, { platform }, core);
    const hash = createHash('md5').update(sick.folder.at(core)).digest('hex');
    await sick.folder.write(`${folder}/cores/x_${hash}/core.a`, 'updaterSigningVerifier');
    t.like(await complaint(t, coreCache, sick.world), { level: 'warning' }, name);
  }
});

test('coreRelease reports unsafe core releases of Arduino and PlatformIO', async (t) => {
  for (const [version, says] of [
    ['2.7.0', /2\.7\.0 \(.*\): its eboot hangs on XMC flash/],
    ['2.7.2', /its eboot hangs when an update overlaps/],
    ['2.5.2', /only signatures of the old form/],
    ['2.4.2', /knows no signatures/],
  ] as const) {
    const arduino = await withCores(t, {}, `${cores}/${version}`);
    t.regex((await complaint(t, coreRelease, arduino.world)).says, says);
    const [major = '', minor = '', patch = ''] = version.split('.');
    const number = `3.${major}${minor.padStart(2, '0')}${patch.padStart(2, '0')}.0`;
    const place = 'home/.platformio/packages/framework-arduinoespressif8266/package.json';
    const platformio = await patient(t, { files: { [place]: JSON.stringify({ version: number }) } });
    const found = await complaint(t, coreRelease, platformio.world);
    t.regex(found.says, says);
    t.regex(found.mend ?? '', /Install a later core/);
  }
});

test('coreRelease accepts other releases and skips unknown ones', async (t) => {
  const sound = await withCores(t, {}, current, older, `${cores}/2.7.1`, `${cores}/2.7.4`, `${cores}/2.6.3`);
  t.deepEqual(await diagnose(coreRelease, sound.world), ['ok: no installed core is one that builds should not use']);
  t.deepEqual((await diagnose(coreRelease, (await withCores(t, {}, `${cores}/git`)).world)).length, 1);
  t.deepEqual(await diagnose(coreRelease, (await patient(t)).world), []);
});

test('numberedHooks reports a numbered hook as an error beside a signed sketch, else as a warning', async (t) => {
  const line = 'recipe.hooks.sketch.prebuild.1.pattern=echo hello\n';
  const files = { [`${current}/platform.local.txt`]: line };
  const signed = await withCores(t, { files: { ...files, ...sketch } }, current);
  const found = await complaint(t, numberedHooks, signed.world);
  t.is(found.level, 'error');
  t.regex(found.says, /platform\.local\.txt sets recipe\.hooks\.sketch\.prebuild\.1\.pattern/);
  t.is((await complaint(t, numberedHooks, (await withCores(t, { files }, current)).world)).level, 'warning');
});

test('numberedHooks ignores hooks with other names', async (t) => {
  const names = [
    'recipe.hooks.sketch.postbuild.1.pattern',
    'recipe.hooks.prebuild.1.pattern',
    '#recipe.hooks.sketch.prebuild.1.pattern',
  ];
  const files = { ...sketch, [`${current}/platform.local.txt`]: names.map((name) => `${name}=echo\n`).join('') };
  const sound = await withCores(t, { files }, current);
  await installIdeHooks(sound.folder.at(current), hooksOf(sound));
  t.deepEqual(await diagnose(numberedHooks, sound.world), ['ok: no other hook hides the one that writes the key']);
});
