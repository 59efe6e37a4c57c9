import { chmod, stat, utimes } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { clock } from '../../../src/project/doctor/checks/clock.ts';
import { guard } from '../../../src/project/doctor/checks/guard.ts';
import { keySecrecy } from '../../../src/project/doctor/checks/key-secrecy.ts';
import { keys } from '../../../src/project/doctor/checks/keys.ts';
import { node } from '../../../src/project/doctor/checks/node.ts';
import { project } from '../../../src/project/doctor/checks/project.ts';
import { staleArtifacts } from '../../../src/project/doctor/checks/stale-artifacts.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { findingsOf, onlyProblem, setUpCheck } from './check-setup.ts';

const ini = '[env:d1]\nplatform = espressif8266\nboard = d1_mini\n';
const pair = rsaPems(2048);
const sound = {
  'project/platformio.ini': ini,
  'project/private.key': pair.privatePem,
  'project/public.key': pair.publicPem,
};

test('node accepts Node.js 20.19 and rejects 20.18', async (t) => {
  for (const version of ['20.19.0', '22.0.0', '21.1.0']) {
    t.regex((await findingsOf(node, (await setUpCheck(t, { node: { version } })).context))[0] ?? '', /^ok/);
  }
  for (const version of ['20.18.3', '18.20.0']) {
    t.regex((await findingsOf(node, (await setUpCheck(t, { node: { version } })).context))[0] ?? '', /^error/);
  }
});

test('project notes a missing project, and the other checks report nothing', async (t) => {
  const { context } = await setUpCheck(t);
  t.regex((await findingsOf(project, context))[0] ?? '', /^note: No PlatformIO project or sketch/);
  for (const check of [keys, keySecrecy, staleArtifacts]) t.deepEqual(await findingsOf(check, context), []);
});

test('project reports an invalid configuration as an error and an unset variable as a warning', async (t) => {
  const garbled = await setUpCheck(t, { files: { ...sound, 'project/ota.config.json': '{"projekt": "door"}' } });
  const error = await onlyProblem(t, project, garbled.context);
  t.is(error.level, 'error');
  t.regex(error.message, /projekt is not a known key/);

  const files = { ...sound, 'project/ota.config.json': '{"version": {"env": "FIRMWARE_VERSION"}}' };
  const unset = await setUpCheck(t, { files });
  t.like(await onlyProblem(t, project, unset.context), { level: 'warning' });
  const set = await setUpCheck(t, { files, env: { FIRMWARE_VERSION: '1' } });
  t.regex((await findingsOf(project, set.context)).join(), /^ok/);
});

test('keys accepts a matching pair', async (t) => {
  const { context } = await setUpCheck(t, { files: sound });
  t.deepEqual(await findingsOf(keys, context), ['ok: The private key and the public key match (RSA, 2048 bits)']);
});

test('keys notes missing keys and a missing private key', async (t) => {
  const none = await setUpCheck(t, { files: { 'project/platformio.ini': ini } });
  t.regex((await findingsOf(keys, none.context)).join(), /^note: No keys found/);
  const { 'project/private.key': _, ...half } = sound;
  const publicOnly = await setUpCheck(t, { files: half });
  t.regex((await findingsOf(keys, publicOnly.context)).join(), /^note: No private key found/);
});

test('keys checks the keys that platformio.ini names for each environment', async (t) => {
  const [first, second] = [rsaPems(2048), rsaPems(2048)];
  const environment = (name: string) =>
    `[env:${name}]\nplatform = espressif8266\ncustom_ota_private_key = keys/${name}.key\ncustom_ota_public_key = keys/${name}.pub\n`;
  const files = {
    'project/platformio.ini': environment('d1') + environment('d2'),
    'project/keys/d1.key': first.privatePem,
    'project/keys/d1.pub': first.publicPem,
    'project/keys/d2.key': second.privatePem,
    'project/keys/d2.pub': first.publicPem,
  };
  const { context } = await setUpCheck(t, { files });
  const found = await findingsOf(keys, context);
  t.regex(found[0] ?? '', /^ok: \[env:d1\]: The private key and the public key match/);
  t.regex(found[1] ?? '', /^error: \[env:d2\]: The private key and the public key do not match/);
  t.regex((await findingsOf(keySecrecy, context)).join(), /keys\/d1\.key .*keys\/d2\.key/s);
});

test('keys reports mismatched, unusable, damaged, weak and missing keys', async (t) => {
  const cases: [RegExp, Record<string, string>][] = [
    [/error: The private key and the public key do not match/, { 'project/public.key': rsaPems().publicPem }],
    [/error: .*private\.key is a key of type EC/, { 'project/private.key': wrongKinds().EC.privatePem }],
    [/error: .*public\.key is not a public key/, { 'project/public.key': 'nonsense' }],
    [/warning: public\.key has 1024 bits/, { 'project/public.key': rsaPems(1024).publicPem }],
    [/error: Private key not found: /, { 'project/ota.config.json': '{"privateKey": "absent.key"}' }],
  ];
  for (const [expected, files] of cases) {
    const { context } = await setUpCheck(t, { files: { ...sound, ...files } });
    t.regex((await findingsOf(keys, context)).join('\n'), expected);
  }
});

test('keys warns about an encrypted key without a configured passphrase', async (t) => {
  const { privateKey } = (await import('node:crypto')).generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const files = { 'project/platformio.ini': ini, 'project/private.key': privateKey };
  const found = await onlyProblem(t, keys, (await setUpCheck(t, { files })).context);
  t.is(found.level, 'warning');
  t.regex(found.message, /^private\.key is encrypted/);
  // A passphrase without a private key would make the configuration invalid.
  t.is(found.fix, 'Add "privateKey": "private.key" and "passphrase": {"env": "OTA_PASSPHRASE"} to ota.config.json');
  const config = '{"privateKey": "private.key", "passphrase": {"env": "OPEN"}}';
  const named = await setUpCheck(t, { files: { ...files, 'project/ota.config.json': config } });
  t.regex((await findingsOf(keys, named.context)).join(), /^ok: private\.key is encrypted/);
});

test('keySecrecy restricts the permissions of a readable key, except on Windows', async (t) => {
  const setup = await setUpCheck(t, { files: sound });
  await chmod(setup.folder.at('project/private.key'), 0o644);
  const found = await onlyProblem(t, keySecrecy, setup.context);
  t.like(found, { level: 'warning', fix: 'Run chmod 600 private.key' });
  await found.autofix?.apply();
  t.is((await stat(setup.folder.at('project/private.key'))).mode & 0o777, 0o600);
  t.regex((await findingsOf(keySecrecy, await setup.reload())).join(), /^ok/);

  await chmod(setup.folder.at('project/private.key'), 0o644);
  t.regex((await findingsOf(keySecrecy, { ...setup.context, platform: 'win32' })).join(), /^ok/);
});

test('keySecrecy adds an unignored key to .gitignore and reports a tracked one as an error', async (t) => {
  const setup = await setUpCheck(t, { files: { ...sound, 'project/.gitignore': '.pio' } });
  const folder = setup.folder.at('project');
  await chmod(setup.folder.at('project/private.key'), 0o600);
  await execa('git', ['init', '--quiet'], { cwd: folder });
  const found = await onlyProblem(t, keySecrecy, setup.context);
  t.regex(found.message, /not ignored by git/);
  await found.autofix?.apply();
  t.is(await setup.folder.text('project/.gitignore'), '.pio\nprivate.key');
  t.regex((await findingsOf(keySecrecy, setup.context)).join(), /^ok/);

  await execa('git', ['add', '--force', 'private.key'], { cwd: folder });
  t.like(await onlyProblem(t, keySecrecy, setup.context), { level: 'error', autofix: undefined });
});

test('keySecrecy reports a key in the folder that becomes the filesystem image', async (t) => {
  const setup = await setUpCheck(t, {
    files: {
      'project/platformio.ini': ini,
      'project/ota.config.json': '{"privateKey": "data/private.key"}',
      'project/data/private.key': pair.privatePem,
    },
  });
  await chmod(setup.folder.at('project/data/private.key'), 0o600);
  const found = await onlyProblem(t, keySecrecy, setup.context);
  t.is(found.level, 'error');
  t.regex(found.message, /the filesystem image would contain it/);
});

test('clock reports a clock in the past as an error and future source files as a warning', async (t) => {
  const files = { ...sound, 'project/src/main.cpp': '' };
  const behind = await setUpCheck(t, { files, now: new Date('1970-01-01T00:01:00Z') });
  t.like(await onlyProblem(t, clock, behind.context), { level: 'error' });

  const { folder, context } = await setUpCheck(t, { files });
  t.regex((await findingsOf(clock, context)).join(), /^ok/);
  const tomorrow = new Date(context.now.getTime() + 86_400_000);
  for (const name of ['platformio.ini', 'src/main.cpp']) await utimes(folder.at(`project/${name}`), tomorrow, tomorrow);
  const early = await onlyProblem(t, clock, context);
  t.is(early.level, 'warning');
  t.regex(early.message, /platformio\.ini and 1 more have timestamps in the future/);
});

test('staleArtifacts reports signed files that do not belong to the build beside them', async (t) => {
  const setup = await setUpCheck(t, {
    files: {
      ...sound,
      'project/.pio/build/d1/firmware.bin': door.bin,
      'project/.pio/build/d1/firmware.elf': door.elf,
    },
  });
  const { folder, context } = setup;
  const sign = { 'private.key': door.privatePem, 'public.key': door.publicPem };
  for (const [name, pem] of Object.entries(sign)) await folder.write(`project/${name}`, pem);
  const packed = await runCommand(['pack', '.pio/build/d1/firmware.bin'], { cwd: folder.at('project') });
  t.is(packed.exitCode, 0);
  t.regex((await findingsOf(staleArtifacts, context)).join(), /^ok: Every signed file belongs/);

  await folder.write('project/.pio/build/d1/firmware.bin', Buffer.concat([door.bin, Buffer.from('newer')]));
  t.regex((await onlyProblem(t, staleArtifacts, context)).message, /was not created from the image beside it/);
  await folder.write('project/.pio/build/d2/firmware.bin', door.bin);
  await folder.write('project/.pio/build/d2/firmware.bin.signed', 'by espota of old');
  t.regex((await findingsOf(staleArtifacts, context)).join(), /d2.*has no manifest/);
});

test('guard reports calls of installSignature in the sketch and its libraries', async (t) => {
  const call = '\n\n  Update . installSignature (&hash, &verifier);\n';
  const files = {
    ...sound,
    'project/src/main.cpp': `// Update.installSignature(a, b)\n/* Update.installSignature(a, b) */ "x.installSignature("`,
    'project/lib/Own/src/Own.cpp': call,
    'project/.pio/libdeps/d1/Other/Other.h': call,
    'project/.pio/libdeps/d1/Other/examples/E/E.ino': call,
    'project/.pio/build/d1/copy.cpp': call,
  };
  const expected = ['.pio/libdeps/d1/Other/Other.h:3', 'lib/Own/src/Own.cpp:3'];
  for (const [config, level] of [
    ['{}', 'warning'],
    ['{"guard": {"product": "door"}}', 'error'],
  ] as const) {
    const { context } = await setUpCheck(t, { files: { ...files, 'project/ota.config.json': config } });
    const found = (await findingsOf(guard, context)).filter((line) => line.includes('installSignature'));
    t.deepEqual(
      found.map((line) => line.split(' calls ')[0]),
      expected.map((place) => `${level}: ${place}`),
    );
  }
  const declared = { ...files, 'project/ota.config.json': '{"enforcement": "declared"}' };
  t.deepEqual(await findingsOf(guard, (await setUpCheck(t, { files: declared })).context), []);
});

test('guard warns about a library in the sketchbook that replaces the verifier of a sketch', async (t) => {
  const files = {
    'project/project.ino': '',
    'project/public.key': pair.publicPem,
    'home/Arduino/libraries/Own/Own.cpp': 'void f() { Update.installSignature(&h, &v); }',
  };
  const found = await onlyProblem(t, guard, (await setUpCheck(t, { files })).context);
  t.is(found.level, 'warning');
  t.regex(found.message, /libraries\/Own\/Own\.cpp:1 calls .* in a sketch that uses this library/);
});

test('guard mentions docs/keys.md once a device of the project verifies signatures', async (t) => {
  const ledger = (signing: string) =>
    JSON.stringify({
      version: 1,
      devices: {
        'door.local': {
          sketchMd5: 'ab'.repeat(16),
          provenBy: 'mdns',
          provenAt: '2026-01-01T00:00:00Z',
          facts: { signing },
        },
      },
    });
  const withLedger = async (signing: string, config = '{}') => {
    const files = { ...sound, 'project/.ota/devices.json': ledger(signing), 'project/ota.config.json': config };
    return findingsOf(guard, (await setUpCheck(t, { files })).context);
  };
  t.regex((await withLedger('required')).join(), /^note: Devices check only the signature/);
  t.deepEqual(await withLedger('none'), []);
  t.deepEqual(await findingsOf(guard, (await setUpCheck(t, { files: sound })).context), []);
  t.deepEqual(await withLedger('required', '{"guard": {"product": "door"}}'), ['ok: Builds contain the guard']);
});
