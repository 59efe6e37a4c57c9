import { chmod } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Manifest } from '../../src/core/model/manifest.ts';
import { signImage } from '../../src/core/signing/signed-image.ts';
import { quoteWord } from '../../src/project/build/arduino-hooks.ts';
import { requireEffective } from '../../src/project/init/hook.ts';
import { builtSketch, door, elfWithoutVerifier } from '../support/built-sketch.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { doorKey } from '../support/fleet.ts';
import { buildGzip } from '../support/gzip-builder.ts';
import { rsaPems } from '../support/key-pairs.ts';
import { asOtherUser } from '../support/other-user.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';
import { twoKeyBuild } from '../support/two-key-build.ts';
import { inFolder, type Provocation } from './provocation.ts';

const other = rsaPems(2048);
const wrongKey = twoKeyBuild(other.publicPem, door.publicPem);
const keys = { 'private.key': door.privatePem, 'public.key': door.publicPem };

function pack(files: Readonly<Record<string, string | Uint8Array>>): Provocation {
  return inFolder('pack door.bin', { ...keys, 'door.bin': door.bin, 'door.elf': door.elf, ...files });
}

/** Runs pack in a project that requires permission for its secret, with this user configuration. */
function asUser(userConfig: string, mode = 0o600): Provocation {
  return async (t) => {
    const folder = await testFolder(t, {
      ...keys,
      'door.bin': door.bin,
      'ota.config.json': '{"privateKey": {"env": "DOOR_KEY"}}',
      'home/ota-hooks/config.json': userConfig,
    });
    await chmod(folder.at('home/ota-hooks'), 0o700);
    await chmod(folder.at('home/ota-hooks/config.json'), mode);
    return runCommand(['pack', 'door.bin'], { cwd: folder.path, env: { XDG_CONFIG_HOME: folder.at('home') } });
  };
}

/** Provokes each error about files, configuration and builds. */
export const buildErrors = {
  CONFIG_NOT_FOUND: inFolder('pack --config gone.json'),
  CONFIG_UNREADABLE: pack({ 'ota.config.json': '{"project": ' }),
  CONFIG_INVALID: pack({ 'ota.config.json': '{"color": "red"}' }),
  CONFIG_OF_OTHER_USER: async (t) => {
    const folder = await testFolder(t, { 'door/ota.config.json': '{}', 'door/door.bin': door.bin });
    const userId = await asOtherUser(folder.at('door/ota.config.json'));
    return runCommand(['pack', 'door.bin'], { cwd: folder.at('door'), userId });
  },
  SOURCE_UNTRUSTED: async (t) => {
    const folder = await testFolder(t, { 'heater/ota.config.json': '{}', 'door/build/door.bin': door.bin });
    await folder.write('door/build/build.options.json', JSON.stringify({ sketchLocation: folder.at('heater') }));
    return runCommand(['upload', 'build/door.bin', '--all'], { cwd: folder.at('door') });
  },
  USER_CONFIG_INVALID: asUser('{"safeDirectory": []}'),
  USER_CONFIG_UNSAFE: asUser('{}', 0o666),

  FILE_NOT_FOUND: inFolder('inspect gone.bin'),
  FILE_UNREADABLE: inFolder('inspect folder', { 'folder/door.bin': door.bin }),
  FILE_UNWRITABLE: inFolder('sign --private-key private.key --bin door.bin --out taken', {
    ...keys,
    'door.bin': door.bin,
    'taken/by-a-folder': '',
  }),
  FILE_UNREMOVABLE: pack({ 'door.bin.signed/by-a-folder': '', 'door.bin.gz.signed/by-a-folder': '' }),
  FOLDER_MISSING: inFolder('sign --private-key private.key --bin door.bin --out gone/door.bin.signed', {
    ...keys,
    'door.bin': door.bin,
  }),

  SIGNATURE_UNVERIFIED: async (t) => ({
    error: await expectOtaError(t, 'SIGNATURE_UNVERIFIED', () => {
      const forger = { publicKey: doorKey, sign: async () => new Uint8Array(256) };
      return signImage(door.bin, forger, 'current', 'door.bin');
    }),
  }),

  IMAGE_EMPTY: pack({ 'door.bin': '' }),
  IMAGE_NOT_FIRMWARE: pack({ 'door.bin': 'a page of text' }),
  IMAGE_WRONG_KIND: inFolder('pack door.bin --kind filesystem', { ...keys, 'door.bin': door.bin }),
  IMAGE_COMPRESSED: inFolder('simulate --image door.bin.gz', { 'door.bin.gz': gzipSync(door.bin) }),
  IMAGE_ALREADY_SIGNED: async (t) => {
    const { path } = await testFolder(t, { ...keys, 'door.bin': door.bin });
    await runCommand(['sign', '--private-key', 'private.key', '--bin', 'door.bin'], { cwd: path });
    return runCommand(['pack', 'door.bin.signed'], { cwd: path });
  },
  GZIP_EXTRA_FIELD: pack({ 'door.bin': buildGzip(door.bin, { extra: Buffer.from('AB\x01\0x', 'latin1') }) }),
  IMAGES_NONE: inFolder('pack', { ...keys, 'ota.config.json': '{"images": ["build/*.bin"]}' }),
  ENFORCEMENT_KEY_MISSING: pack({ 'private.key': other.privatePem, 'public.key': other.publicPem }),
  ENFORCEMENT_KEY_UNUSED: pack({ 'door.bin': wrongKey.bin, 'door.elf': wrongKey.elf }),
  GUARD_STALE: inFolder('pack door.bin', {
    ...keys,
    'door.bin': door.bin,
    'ota.config.json': '{"guard": {"product": "door"}}',
  }),
  ENFORCEMENT_VERIFIER_MISSING: pack({ 'door.elf': elfWithoutVerifier() }),

  NAME_UNPRINTABLE: inFolder('pack door.bin --board board\u009b', { ...keys, 'door.bin': door.bin }),
  MANIFEST_INVALID: inFolder('sign --private-key private.key --manifest door.bin.ota.json', {
    ...keys,
    'door.bin.ota.json': '{"manifest": 1}',
  }),
  FORMAT_TOO_NEW: inFolder('sign --private-key private.key --manifest door.bin.ota.json', {
    ...keys,
    'door.bin.ota.json': '{"manifest": 2}',
  }),
  ARTIFACT_CHANGED: async (t) => {
    const folder = await builtSketch(t);
    await runCommand(['pack', 'build/door.ino.bin', '--unsigned'], { cwd: folder.path });
    await folder.write('build/door.ino.bin.gz', 'changed');
    const argv = ['sign', '--private-key', 'private.key', '--manifest', 'build/door.ino.bin.ota.json'];
    return runCommand(argv, { cwd: folder.path });
  },
  BUILD_NOT_AS_DESCRIBED: signElsewhere((manifest) => ({ image: { ...manifest.image, core: '2.7.4' } })),
  PROOF_NOT_SHOWN: signElsewhere(() => ({ enforcement: 'declared' })),
  NOT_ACCEPTED: inFolder('verify door.bin --public-key public.key', { ...keys, 'door.bin': door.bin }),

  UPDATE_BLOCKED: pack({ 'door.bin': door.bin.subarray(0, 10_000) }),
  FACTS_INVALID: inFolder('preflight door.bin --device facts.json', {
    'door.bin': door.bin,
    'facts.json': '{"transport": "usb"}',
  }),

  PROGRAM_MISSING: inFolder('build --source door', { 'door/door.ino': '' }, { ARDUINO_CLI: 'arduino-cli-of-nobody' }),
  PROGRAM_FAILED: inFolder('build --source door', { 'door/door.ino': '' }, { ARDUINO_CLI: 'false' }),
  PROJECT_NOT_FOUND: inFolder('build'),
  // In tests, the home folder is the command's working directory.
  PROJECT_FOLDER_UNSAFE: inFolder('init'),
  BUILD_NOT_HOOKED: inFolder('upload --host 127.0.0.1 -e d2', {
    'platformio.ini': '[env:d2]\nplatform = espressif8266\nboard = d1_mini\nframework = arduino\n',
  }),
  PROJECT_AMBIGUOUS: inFolder('init --source all', { 'all/door/door.ino': '', 'all/kitchen/kitchen.ino': '' }),
  PLATFORMIO_INI_INVALID: inFolder('build --source door', {
    'door/platformio.ini': '[env:a]\nextends = env:b\n[env:b]\nextends = env:a\n',
  }),
  HOOK_NOT_ADDED: inFolder(
    'build --source door',
    { 'door/platformio.ini': '[env:d1]\nplatform = espressif8266\nextra_scripts = pre:a.py, post:b.py\n' },
    { PLATFORMIO_CLI: '/nonexistent/pio' },
  ),
  HOOK_NOT_EFFECTIVE: async (t) => {
    const environment = {
      name: 'd1',
      chip: 'esp8266',
      hook: { state: 'absent' },
      path: '',
      options: new Map(),
    } as const;
    const read = (scripts: readonly string[]) =>
      ({ environments: [{ ...environment, scripts }], fallback: undefined }) as never;
    return { error: await expectOtaError(t, 'HOOK_NOT_EFFECTIVE', () => requireEffective(read(['a']), read([]), [])) };
  },
  INIT_NO_ESP8266: inFolder('init --yes --source lamp', {
    'lamp/platformio.ini': '[env:lamp]\nplatform = espressif32\n',
  }),
  INIT_RECORD_DAMAGED: inFolder('init --undo --yes --source door', {
    'door/door.ino': '',
    'door/.ota/init.json': '{}',
  }),
  CORE_NOT_FOUND: inFolder('install arduino'),
  CORE_UNSUPPORTED: inFolder('install arduino --platform core', { 'core/platform.txt': 'version=2.5.2' }),
  HOOK_ARGUMENT_INVALID: async (t) => ({
    error: await expectOtaError(t, 'HOOK_ARGUMENT_INVALID', () => quoteWord(`/home/my" door' x`)),
  }),
  HOOK_LINES_DAMAGED: inFolder('uninstall arduino --platform core', {
    'core/platform.txt': 'version=3.1.2',
    'core/platform.local.txt': '# <<< ota-hooks',
  }),
  DOCTOR_FOUND: inFolder('doctor --source door --quiet', {
    'door/door.ino': '',
    'door/private.key': door.privatePem,
    'door/public.key': other.publicPem,
    'door/ota.config.json': '{"upload": {"hostIp": "127.0.0.1"}}',
  }),
} as const satisfies Record<string, Provocation>;

/** Signs a build whose manifest was changed on the machine that packed it. */
function signElsewhere(change: (manifest: Manifest) => object): Provocation {
  return async (t) => {
    const folder = await builtSketch(t);
    const argv = ['pack', 'build/door.ino.bin', '--unsigned', '--public-key', 'public.key'];
    await runCommand(argv, { cwd: folder.path });
    const path = 'build/door.ino.bin.ota.json';
    const manifest: Manifest = JSON.parse(await folder.text(path));
    await folder.write(path, JSON.stringify({ ...manifest, ...change(manifest) }));
    return runCommand(['sign', '--private-key', 'private.key', '--manifest', path], { cwd: folder.path });
  };
}
