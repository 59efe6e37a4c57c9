import { mkdir } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { hookedEnvironments, unhookedEnvironments } from '../../../src/project/build/hooked-environments.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const hookText = '"""PlatformIO hook of ota-hooks: makes artifacts."""\n';
const installed = { 'node_modules/ota-hooks/hooks/platformio.py': hookText };
const line = 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py';
const esp8266 = 'platform = espressif8266\nboard = d1_mini\nframework = arduino\n';

/** Reads a project on a machine without PlatformIO. */
async function readProject(folder: TestFolder) {
  const place = { env: {}, platform: 'linux', home: folder.at('home'), signal: AbortSignal.timeout(60_000) } as const;
  return hookedEnvironments(folder.path, place);
}

async function statesOf(t: ExecutionContext, files: Readonly<Record<string, string | Uint8Array>>) {
  const { environments } = await readProject(await testFolder(t, files));
  return Object.fromEntries(environments.map(({ name, hook }) => [name, hook.state]));
}

async function chipsOf(t: ExecutionContext, ini: string, files: Readonly<Record<string, string>> = {}) {
  const { environments } = await readProject(await testFolder(t, { 'platformio.ini': ini, ...files }));
  return Object.fromEntries(environments.map(({ name, chip }) => [name, chip]));
}

test('hookedEnvironments finds the hook only in environments whose effective scripts contain it', async (t) => {
  const ini = `[unused]
${line}
[env:d1]
${esp8266}${line}
[env:d2]
${esp8266}; ${line}
custom_note = ${line}
[shared]
${line}
[env:overridden]
extends = shared
${esp8266}extra_scripts = pre:own.py
[env:inherited]
extends = shared
${esp8266}`;
  const states = await statesOf(t, { 'platformio.ini': ini, ...installed });
  t.deepEqual(states, { d1: 'hooked', d2: 'absent', overridden: 'absent', inherited: 'hooked' });
});

test('hookedEnvironments recognizes the hook by its content, at any path', async (t) => {
  const ini = ['a', 'b', 'c', 'd'].map((name) => `[env:${name}]\n${esp8266}extra_scripts = `);
  const states = await statesOf(t, {
    'platformio.ini': [
      `${ini[0]}pre:tools/hooks/platformio.py`,
      `${ini[1]}pre:tools/signing.py`,
      `${ini[2]}post:tools/signing.py`,
      `${ini[3]}pre:node_modules/ota-hooks/hooks/platformio.py`,
    ].join('\n'),
    'tools/hooks/platformio.py': 'Import("env")\n',
    'tools/signing.py': hookText,
  });
  t.deepEqual(states, { a: 'absent', b: 'hooked', c: 'late', d: 'missing' });
});

test('hookedEnvironments follows extra_configs and names the file of each environment', async (t) => {
  const folder = await testFolder(t, {
    'platformio.ini': '[platformio]\nextra_configs = config/*.ini\n  override.ini\n',
    'config/base.ini': `[env]\n${esp8266}`,
    'config/boards.ini': '[env:d1]\n[env:d2]\n',
    'override.ini': `[env:d2]\n${line}\n[platformio]\nextra_configs = more.ini\n`,
    'more.ini': '[env:d3]\nplatform = espressif32\n',
    ...installed,
  });
  await mkdir(folder.at('config/folder.ini'));
  const { environments, files, fallback } = await readProject(folder);
  t.deepEqual(
    environments.map(({ name, chip, hook, path }) => [name, chip, hook.state, path.replace(`${folder.path}/`, '')]),
    [
      ['d1', 'esp8266', 'absent', 'config/boards.ini'],
      ['d2', 'esp8266', 'hooked', 'config/boards.ini'],
      ['d3', 'other', 'absent', 'more.ini'],
    ],
  );
  t.deepEqual(
    unhookedEnvironments(environments).map(({ name }) => name),
    ['d1'],
  );
  t.deepEqual(files.unreadable, [{ path: folder.at('config/folder.ini'), reason: 'EISDIR' }]);
  t.is(fallback, 'PlatformIO was not found');
});

test('hookedEnvironments determines the chip by the board, the installed platform, and the name of the platform', async (t) => {
  const board = (mcu: string) => JSON.stringify({ build: { mcu } });
  const chips = await chipsOf(
    t,
    `[env]
framework = arduino
[env:registry]
platform = platformio/espressif8266@^4.2
[env:git]
platform = https://github.com/tasmota/platform-espressif8266.git#v3
[env:zip]
platform = https://example.com/releases/platform-espressif32.zip
[env:native]
platform = native
[env:own_board]
platform = acme
board = door
[env:other_board]
platform = espressif8266
board = lamp
[env:option]
platform = acme
board_build.mcu = esp8266
[env:linked]
platform = symlink://vendor
board = inner
[env:installed]
platform = https://example.com/door.zip
[env:sdk]
platform = espressif8266
framework = esp8266-rtos-sdk
[env:acme]
platform = acme
[env:address]
platform = https://example.com/lamp.zip
[env:none]
`,
    {
      'boards/door.json': board('esp8266'),
      'boards/lamp.json': board('esp32'),
      'vendor/platform.json': '{"name": "vendor_platform"}',
      'vendor/boards/inner.json': board('esp8266'),
      'home/.platformio/platforms/espressif8266@src-1/.piopm': JSON.stringify({
        spec: { uri: 'https://example.com/door.zip' },
      }),
      'home/.platformio/platforms/espressif8266@src-1/platform.json': '{"name": "espressif8266"}',
    },
  );
  t.deepEqual(chips, {
    registry: 'esp8266',
    git: 'esp8266',
    zip: 'other',
    native: 'other',
    own_board: 'esp8266',
    other_board: 'other',
    option: 'esp8266',
    linked: 'esp8266',
    installed: 'esp8266',
    sdk: 'other',
    acme: 'unknown',
    address: 'unknown',
    none: 'unknown',
  });
});

for (const [name, content, reason] of [
  ['a byte order mark', Buffer.from(`\uFEFF[env:d1]\n${esp8266}`), /byte order mark/],
  ['UTF-16', Buffer.from(`\uFEFF[env:d1]\n${esp8266}`, 'utf16le'), /UTF-16/],
  ['Latin-1', Buffer.from(`[env:d1]\n${esp8266}; T\u00FCr\n`, 'latin1'), /not UTF-8 \(line 5\)/],
  [
    'a circular extends',
    Buffer.from('[a]\nextends = b\n[b]\nextends = a\n[env:d1]\nextends = a\n'),
    /circular: a, b, a/,
  ],
] as const) {
  test(`hookedEnvironments rejects a platformio.ini with ${name}`, async (t) => {
    const folder = await testFolder(t, { 'platformio.ini': content });
    const error = await t.throwsAsync(readProject(folder), { instanceOf: OtaError });
    t.is(error?.code, 'PLATFORMIO_INI_INVALID');
    t.regex(error?.message ?? '', reason);
  });
}

test('hookedEnvironments reads tabs, Windows line endings and %% as PlatformIO does', async (t) => {
  const { environments } = await readProject(
    await testFolder(t, {
      'platformio.ini': `[env:d1]\r\nplatform = espressif8266\r\nextra_scripts =\r\n\t${line.slice(16)}\r\nupload_flags = --auth=50%%\r\n`,
      ...installed,
    }),
  );
  t.is(environments[0]?.hook.state, 'hooked');
  t.is(environments[0]?.options.get('upload_flags'), '--auth=50%');
});
