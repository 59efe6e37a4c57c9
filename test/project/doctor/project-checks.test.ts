import { chmod, stat, utimes } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { clock } from '../../../src/project/doctor/checks/clock.ts';
import { keySecrecy } from '../../../src/project/doctor/checks/key-secrecy.ts';
import { keys } from '../../../src/project/doctor/checks/keys.ts';
import { node } from '../../../src/project/doctor/checks/node.ts';
import { project } from '../../../src/project/doctor/checks/project.ts';
import { staleArtifacts } from '../../../src/project/doctor/checks/stale-artifacts.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { complaint, diagnose, patient } from './sick-world.ts';

const ini = '[env:d1]\nplatform = espressif8266\nboard = d1_mini\n';
const pair = rsaPems(2048);
const sound = {
  'project/platformio.ini': ini,
  'project/private.key': pair.privatePem,
  'project/public.key': pair.publicPem,
};

test('node accepts Node.js 20.19 and rejects 20.18', async (t) => {
  for (const version of ['20.19.0', '22.0.0', '21.1.0']) {
    t.regex((await diagnose(node, (await patient(t, { node: { version } })).world))[0] ?? '', /^ok/);
  }
  for (const version of ['20.18.3', '18.20.0']) {
    t.regex((await diagnose(node, (await patient(t, { node: { version } })).world))[0] ?? '', /^error/);
  }
});

test('project notes a missing project, and the other checks report nothing', async (t) => {
  const { world } = await patient(t);
  t.regex((await diagnose(project, world))[0] ?? '', /^note: no PlatformIO project and no sketch/);
  for (const check of [keys, keySecrecy, staleArtifacts]) t.deepEqual(await diagnose(check, world), []);
});

test('project reports an invalid configuration as an error and an unset variable as a warning', async (t) => {
  const garbled = await patient(t, { files: { ...sound, 'project/ota.config.json': '{"projekt": "door"}' } });
  const error = await complaint(t, project, garbled.world);
  t.is(error.level, 'error');
  t.regex(error.says, /projekt is not a known key/);

  const files = { ...sound, 'project/ota.config.json': '{"version": {"env": "FIRMWARE_VERSION"}}' };
  const unset = await patient(t, { files });
  t.like(await complaint(t, project, unset.world), { level: 'warning' });
  const set = await patient(t, { files, env: { FIRMWARE_VERSION: '1' } });
  t.regex((await diagnose(project, set.world)).join(), /^ok/);
});

test('keys accepts a matching pair', async (t) => {
  const { world } = await patient(t, { files: sound });
  t.deepEqual(await diagnose(keys, world), ['ok: the keys belong together (RSA, 2048 bits)']);
});

test('keys notes missing keys and a missing private key', async (t) => {
  const none = await patient(t, { files: { 'project/platformio.ini': ini } });
  t.regex((await diagnose(keys, none.world)).join(), /^note: there are no keys/);
  const { 'project/private.key': _, ...half } = sound;
  const publicOnly = await patient(t, { files: half });
  t.regex((await diagnose(keys, publicOnly.world)).join(), /^note: there is no private key here/);
});

test('keys reports mismatched, unusable, damaged, weak and missing keys', async (t) => {
  const cases: [RegExp, Record<string, string>][] = [
    [/error: the keys do not belong together/, { 'project/public.key': rsaPems().publicPem }],
    [/error: .*private\.key is a key of type EC/, { 'project/private.key': wrongKinds().EC.privatePem }],
    [/error: .*public\.key is not a public key/, { 'project/public.key': 'nonsense' }],
    [/warning: public\.key has 1024 bits/, { 'project/public.key': rsaPems(1024).publicPem }],
    [/error: Private key not found: /, { 'project/ota.config.json': '{"privateKey": "absent.key"}' }],
  ];
  for (const [said, files] of cases) {
    const { world } = await patient(t, { files: { ...sound, ...files } });
    t.regex((await diagnose(keys, world)).join('\n'), said);
  }
});

test('keys warns about an encrypted key without a configured passphrase', async (t) => {
  const { privateKey } = (await import('node:crypto')).generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const files = { 'project/platformio.ini': ini, 'project/private.key': privateKey };
  t.regex((await diagnose(keys, (await patient(t, { files })).world)).join(), /^warning: private\.key is encrypted/);
  const config = '{"privateKey": "private.key", "passphrase": {"env": "OPEN"}}';
  const named = await patient(t, { files: { ...files, 'project/ota.config.json': config } });
  t.regex((await diagnose(keys, named.world)).join(), /^ok: private\.key is encrypted/);
});

test('keySecrecy restricts the permissions of a readable key, except on Windows', async (t) => {
  const sick = await patient(t, { files: sound });
  await chmod(sick.folder.at('project/private.key'), 0o644);
  const found = await complaint(t, keySecrecy, sick.world);
  t.like(found, { level: 'warning', mend: 'chmod 600 private.key' });
  await found.fix?.apply();
  t.is((await stat(sick.folder.at('project/private.key'))).mode & 0o777, 0o600);
  t.regex((await diagnose(keySecrecy, await sick.again())).join(), /^ok/);

  await chmod(sick.folder.at('project/private.key'), 0o644);
  t.regex((await diagnose(keySecrecy, { ...sick.world, platform: 'win32' })).join(), /^ok/);
});

test('keySecrecy adds an unignored key to .gitignore, and reports a tracked one as an error', async (t) => {
  const sick = await patient(t, { files: { ...sound, 'project/.gitignore': '.pio' } });
  const folder = sick.folder.at('project');
  await chmod(sick.folder.at('project/private.key'), 0o600);
  await execa('git', ['init', '--quiet'], { cwd: folder });
  const found = await complaint(t, keySecrecy, sick.world);
  t.regex(found.says, /not in \.gitignore/);
  await found.fix?.apply();
  t.is(await sick.folder.text('project/.gitignore'), '.pio\nprivate.key');
  t.regex((await diagnose(keySecrecy, sick.world)).join(), /^ok/);

  await execa('git', ['add', '--force', 'private.key'], { cwd: folder });
  t.like(await complaint(t, keySecrecy, sick.world), { level: 'error', fix: undefined });
});

test('keySecrecy reports a key in the data folder of the filesystem', async (t) => {
  const sick = await patient(t, {
    files: {
      'project/platformio.ini': ini,
      'project/ota.config.json': '{"privateKey": "data/private.key"}',
      'project/data/private.key': pair.privatePem,
    },
  });
  await chmod(sick.folder.at('project/data/private.key'), 0o600);
  const found = await complaint(t, keySecrecy, sick.world);
  t.is(found.level, 'error');
  t.regex(found.says, /carry it into every device/);
});

test('clock reports a clock in the past as an error and future source files as a warning', async (t) => {
  const files = { ...sound, 'project/src/main.cpp': '' };
  const behind = await patient(t, { files, now: new Date('1970-01-01T00:01:00Z') });
  t.like(await complaint(t, clock, behind.world), { level: 'error' });

  const { folder, world } = await patient(t, { files });
  t.regex((await diagnose(clock, world)).join(), /^ok/);
  const tomorrow = new Date(world.now.getTime() + 86_400_000);
  for (const name of ['platformio.ini', 'src/main.cpp']) await utimes(folder.at(`project/${name}`), tomorrow, tomorrow);
  const early = await complaint(t, clock, world);
  t.is(early.level, 'warning');
  t.regex(early.says, /platformio\.ini and 1 more has a time stamp in the future/);
});

test('staleArtifacts reports signed files that do not belong to the build beside them', async (t) => {
  const sick = await patient(t, {
    files: {
      ...sound,
      'project/.pio/build/d1/firmware.bin': door.bin,
      'project/.pio/build/d1/firmware.elf': door.elf,
    },
  });
  const { folder, world } = sick;
  const sign = { 'private.key': door.privatePem, 'public.key': door.publicPem };
  for (const [name, pem] of Object.entries(sign)) await folder.write(`project/${name}`, pem);
  const packed = await runCommand(['pack', '.pio/build/d1/firmware.bin'], { cwd: folder.at('project') });
  t.is(packed.exitCode, 0);
  t.regex((await diagnose(staleArtifacts, world)).join(), /^ok: every signed file belongs/);

  await folder.write('project/.pio/build/d1/firmware.bin', Buffer.concat([door.bin, Buffer.from('newer')]));
  t.regex((await complaint(t, staleArtifacts, world)).says, /is not from the image beside it/);
  await folder.write('project/.pio/build/d2/firmware.bin', door.bin);
  await folder.write('project/.pio/build/d2/firmware.bin.signed', 'by espota of old');
  t.regex((await diagnose(staleArtifacts, world)).join(), /d2.*has no manifest/);
});
