import { readFile } from 'node:fs/promises';
import test from 'ava';
import { platformioOptions } from '../../../src/project/build/platformio-options.ts';
import { ideNode } from '../../../src/project/doctor/checks/ide-node.ts';
import { otherSigning } from '../../../src/project/doctor/checks/other-signing.ts';
import { platformioHook } from '../../../src/project/doctor/checks/platformio-hook.ts';
import { platformioOptionNames } from '../../../src/project/doctor/checks/platformio-options.ts';
import { platformioVersion } from '../../../src/project/doctor/checks/platformio-version.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { findingsOf, onlyProblem, setUpCheck } from './check-setup.ts';

const script = 'node_modules/ota-hooks/hooks/platformio.py';
const ini = (...lines: readonly string[]) =>
  ['[env:d1]', 'platform = espressif8266', 'board = d1_mini', ...lines, ''].join('\n');
const hooked = ini(`extra_scripts = pre:${script}`);
const { publicPem } = rsaPems();

test('platformioHook accepts an installed hook and reports a missing one as an error if there are keys', async (t) => {
  const files = { 'project/platformio.ini': hooked, [`project/${script}`]: '"""PlatformIO hook of ota-hooks"""\n' };
  t.regex((await findingsOf(platformioHook, (await setUpCheck(t, { files })).context)).join(), /^ok/);
  const none = { 'project/platformio.ini': ini() };
  t.like(await onlyProblem(t, platformioHook, (await setUpCheck(t, { files: none })).context), { level: 'note' });
  const keyed = await setUpCheck(t, { files: { ...none, 'project/public.key': publicPem } });
  t.like(await onlyProblem(t, platformioHook, keyed.context), { level: 'error', fix: 'Run ota-hooks init to add it' });
});

test('platformioHook reports a hook without pre: or with a missing file', async (t) => {
  const files = { 'project/platformio.ini': ini(`extra_scripts = ${script}`) };
  const late = await setUpCheck(t, {
    files: { ...files, [`project/${script}`]: '"""PlatformIO hook of ota-hooks"""\n' },
  });
  t.regex((await onlyProblem(t, platformioHook, late.context)).fix ?? '', /pre:/);
  const gone = await setUpCheck(t, { files: { 'project/platformio.ini': hooked } });
  const found = await onlyProblem(t, platformioHook, gone.context);
  t.is(found.level, 'error');
  t.regex(found.fix ?? '', /npm install.*6\.1\.11.*unsigned/);
});

test('platformioVersion checks the SCons version, or the PlatformIO version if SCons is missing', async (t) => {
  const tool = (version: string) => ({
    'home/.platformio/packages/tool-scons/package.json': JSON.stringify({ name: 'tool-scons', version }),
  });
  const programs = (version: string) => ({ 'pio --version': `PlatformIO Core, version ${version}` });
  const cases: [RegExp, string, Record<string, string>][] = [
    [/^ok: PlatformIO 6\.1\.18 with SCons 4\.8\.1/, '6.1.18', tool('4.40801.0')],
    [/^warning: .*SCons 4\.5\.2 builds unsigned/, '6.1.18', tool('4.40502.0')],
    [/^ok: PlatformIO 6\.1\.12$/, '6.1.12', {}],
    [/^warning: PlatformIO 6\.1\.11 builds unsigned/, '6.1.11', {}],
    [/^ok: PlatformIO 7\.0\.0$/, '7.0.0', {}],
  ];
  for (const [expected, version, files] of cases) {
    const { context } = await setUpCheck(t, { files, programs: programs(version) });
    t.regex((await findingsOf(platformioVersion, context)).join(), expected);
  }
});

test('platformioVersion notes a missing PlatformIO and warns if the project requires it', async (t) => {
  t.like(await onlyProblem(t, platformioVersion, (await setUpCheck(t)).context), { level: 'note', fix: undefined });
  const wanted = await setUpCheck(t, { files: { 'project/platformio.ini': hooked } });
  t.like(await onlyProblem(t, platformioVersion, wanted.context), { level: 'warning' });
});

test('platformioOptionNames suggests the correct name for misspelled options', async (t) => {
  const cases: [string, string, string][] = [
    ['custom_ota_privat_key = a', 'error', 'Rename it to custom_ota_private_key'],
    ['custom_oat_private_key = a', 'warning', 'Rename it to custom_ota_private_key'],
    ['custom-ota-legacy = yes', 'warning', 'Rename it to custom_ota_legacy'],
    ['custom_ota_compresion = zopfli', 'error', 'Rename it to custom_ota_compression'],
    ['custom_ota_something_else_entirely = 1', 'error', `Use one of ${platformioOptions.join(', ')}`],
  ];
  for (const [line, level, fix] of cases) {
    const { context } = await setUpCheck(t, { files: { 'project/platformio.ini': ini(line) } });
    t.like(await onlyProblem(t, platformioOptionNames, context), { level, fix } as object);
  }
  const fine = ini('custom_ota_private_key = a', 'custom_data = b', 'custom_node_version = 2', 'monitor_speed = 1');
  const { context } = await setUpCheck(t, { files: { 'project/platformio.ini': fine } });
  t.regex((await findingsOf(platformioOptionNames, context)).join(), /^ok/);
});

test('platformioOptionNames reports a line of upload_flags that is not indented, without its value', async (t) => {
  const flags = ini('upload_flags =', '  --port=8266', '--auth=secret');
  const { context } = await setUpCheck(t, { files: { 'project/platformio.ini': flags } });
  const found = await onlyProblem(t, platformioOptionNames, context);
  t.like(found, { level: 'error', fix: 'Indent all lines below upload_flags' });
  t.notRegex(found.message, /secret/);
});

test('platformioOptions matches the options of the hook script', async (t) => {
  const hook = await readFile(new URL('../../../hooks/platformio.py', import.meta.url), 'utf8');
  const table = /^OPTIONS = \{\n([\s\S]*?)^\}/m.exec(hook)?.[1] ?? '';
  const names = [...table.matchAll(/^ {4}"(\w+)":/gm)].map(([, name]) => `custom_ota_${name}`);
  t.deepEqual(names, platformioOptions);
});

test('platformioOptionNames reports board_build.gzip_fw and a header included by build flags', async (t) => {
  const gzip = await setUpCheck(t, { files: { 'project/platformio.ini': ini('board_build.gzip_fw = no') } });
  t.regex((await onlyProblem(t, platformioOptionNames, gzip.context)).message, /still compresses firmware\.bin/);
  const flags = ini('build_flags = -DA=1', '  -include .pio/Updater_Signing.h');
  const included = await setUpCheck(t, { files: { 'project/platformio.ini': flags } });
  t.like(await onlyProblem(t, platformioOptionNames, included.context), { level: 'error' });
});

test('otherSigning reports other signing headers and scripts', async (t) => {
  const framework = 'home/.platformio/packages/framework-arduinoespressif8266';
  const stub = {
    [`${framework}/cores/esp8266/Updater_Signing.h`]: '#ifndef ARDUINO_SIGNING\n#define ARDUINO_SIGNING 0\n',
  };
  const clean = await setUpCheck(t, { files: { 'project/platformio.ini': hooked, ...stub } });
  t.regex((await findingsOf(otherSigning, clean.context)).join(), /^ok/);

  const cases: Record<string, Record<string, string>> = {
    'contains a key': {
      [`${framework}/cores/esp8266/Updater_Signing.h`]: '#define ARDUINO_SIGNING 1\nstatic const char…',
    },
    'may hide the header': { 'project/include/Updater_Signing.h': '' },
    'signs as well': {
      'project/platformio.ini': ini('extra_scripts =', '  pre:tools/sign.py', `  pre:${script}`),
      'project/tools/sign.py': 'subprocess([python, "signing.py", "--mode", "header"])',
    },
  };
  for (const [expected, files] of Object.entries(cases)) {
    const { context } = await setUpCheck(t, { files: { 'project/platformio.ini': hooked, ...stub, ...files } });
    t.regex((await onlyProblem(t, otherSigning, context)).message, new RegExp(expected));
  }
});

test('otherSigning reports a signing header inside an Arduino core', async (t) => {
  const core = 'home/.arduino15/packages/esp8266/hardware/esp8266/3.1.2';
  const files = {
    [`${core}/platform.txt`]: 'version=3.1.2\n',
    [`${core}/libraries/ESP8266WiFi/src/Updater_Signing.h`]: '#define ARDUINO_SIGNING 1\n',
  };
  t.regex((await onlyProblem(t, otherSigning, (await setUpCheck(t, { files })).context)).message, /contains a key/);
});

test('ideNode accepts Node.js in a system folder and warns about other locations', async (t) => {
  const files = { 'project/platformio.ini': hooked };
  const plain = await setUpCheck(t, { files, node: { path: '/usr/bin/node' } });
  t.regex((await findingsOf(ideNode, plain.context)).join(), /^ok/);
  const windows = await setUpCheck(t, { files, platform: 'win32', node: { path: 'C:\\Users\\jo\\node.exe' } });
  t.regex((await findingsOf(ideNode, windows.context)).join(), /^ok/);

  for (const [platform, path] of [
    ['darwin', '/opt/homebrew/bin/node'],
    ['darwin', '/usr/local/bin/node'],
    ['linux', '/home/jo/.nvm/versions/node/v20.19.0/bin/node'],
  ] as const) {
    const hidden = await setUpCheck(t, { files, platform, node: { path } });
    t.like(await onlyProblem(t, ideNode, hidden.context), {
      level: 'warning',
      fix: 'Run ota-hooks init, which stores the path in .ota/node',
    });
  }
});

test('ideNode reports a stale .ota/node and updates it', async (t) => {
  const files = { 'project/platformio.ini': hooked, 'project/.ota/node': '/gone/node\n', 'home/bin/node': '' };
  const { folder, context } = await setUpCheck(t, { files });
  const setup = { ...context, node: { path: folder.at('home/bin/node'), version: context.node.version } };
  const found = await onlyProblem(t, ideNode, setup);
  t.regex(found.message, /\.ota\/node names \/gone\/node, which does not exist/);
  await found.autofix?.apply();
  t.is(await folder.text('project/.ota/node'), `${setup.node.path}\n`);
  t.regex((await findingsOf(ideNode, setup)).join(), /^ok: IDEs find Node\.js/);
});

test('ideNode reports a custom_ota_node path that does not exist', async (t) => {
  const { context } = await setUpCheck(t, { files: { 'project/platformio.ini': ini('custom_ota_node = /gone/node') } });
  t.like(await onlyProblem(t, ideNode, context), { level: 'error' });
});
