/** Tests projects whose configuration records the signing key. A lost or replaced key is an error, and no new pair is generated. */
import { rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const { fingerprint } = readPublicKey(door.publicPem, 'public.key');
const other = rsaPems();
const record = { name: 'main', publicKey: 'public.key', fingerprint, role: 'signing' };
const ini = '[env:d1]\nplatform = espressif8266\nboard = d1_mini\n';
const image = 'door.bin';

/** A project that was set up and built, as in a fresh clone: without the private key. */
function clone(t: ExecutionContext, files: Readonly<Record<string, string>> = {}, config: object = {}) {
  return testFolder(t, {
    'platformio.ini': ini,
    'public.key': door.publicPem,
    'ota.config.json': `${JSON.stringify({ project: 'door', keys: [record], ...config }, null, 2)}\n`,
    'node_modules/ota-hooks/hooks/platformio.py': '"""PlatformIO hook of ota-hooks"""\n',
    'node_modules/ota-hooks/package.json': '{"name": "ota-hooks"}',
    [image]: door.bin,
    'door.elf': door.elf,
    ...files,
  });
}

function run(folder: TestFolder, ...argv: string[]) {
  const cli = folder.at('node_modules/ota-hooks/dist/cli.js');
  return runCommand(argv, { cwd: folder.path, home: '/home/nobody', cli });
}

const header = ['header', '--out', 'out/Updater_Signing.h'];

for (const [what, files] of [
  ['missing', { 'public.key': undefined }],
  ['different', { 'public.key': other.publicPem }],
  ['empty', { 'public.key': '' }],
] as const) {
  test(`a build fails and names the recorded key if the public key is ${what}`, async (t) => {
    const folder = await clone(t);
    for (const [name, text] of Object.entries(files)) {
      await (text === undefined ? rm(folder.at(name)) : folder.write(name, text));
    }
    await folder.write('out/Updater_Signing.h', '');
    await folder.write(`${image}.signed`, '');
    for (const argv of [header, ['pack', image]]) {
      const { exitCode, error } = await run(folder, ...argv);
      t.is(exitCode, 2);
      t.is(error?.code, 'KEY_NOT_RECORDED');
      t.true(error?.message.includes(`"main", fingerprint ${fingerprint}`));
      t.true(error?.message.includes('public.key'));
      t.notRegex(error?.hint ?? '', /keygen/);
    }
    const left = await folder.list();
    t.false(left.includes('out/Updater_Signing.h'), 'the header for the earlier key was removed');
    t.false(left.includes(`${image}.signed`));
  });
}

test('a build fails if an option or the project folder provides a key that is not recorded', async (t) => {
  const folder = await clone(t, { 'other.key': other.publicPem, 'other-private.key': other.privatePem });
  t.is((await run(folder, 'pack', image, '--public-key', 'other.key')).error?.code, 'KEY_NOT_RECORDED');
  t.is((await run(folder, 'pack', image, '--private-key', 'other-private.key')).error?.code, 'KEY_NOT_RECORDED');
  await folder.write('private.key', other.privatePem);
  t.is((await run(folder, 'pack', image)).error?.code, 'KEY_NOT_RECORDED');
});

for (const [what, privateKey] of [
  ['file of the private key', 'private.key'],
  ['environment variable with the private key', { env: 'OTA_PRIVATE_KEY' }],
] as const) {
  test(`a build without the ${what} succeeds and prints one line about signing elsewhere`, async (t) => {
    const folder = await clone(t, {}, { privateKey });
    const { exitCode, stderr } = await run(folder, 'pack', image);
    t.is(exitCode, 0);
    t.is(stderr, `Not signed here: sign with ota-hooks sign --manifest ${image}.ota.json --private-key FILE\n`);
    t.like(JSON.parse(await folder.text(`${image}.ota.json`)), {
      enforcement: 'elf',
      signing: { publicKey: { fingerprint } },
    });
    t.is((await run(folder, 'pack', image, '--require-signed')).error?.code, 'SIGNING_REQUIRED');
  });
}

test('a build whose configuration names a variable for the private key signs if the variable is set', async (t) => {
  const folder = await clone(t, {}, { privateKey: { env: 'OTA_PRIVATE_KEY' } });
  const build = (key: string) =>
    runCommand(['pack', image], { cwd: folder.path, home: '/home/nobody', env: { OTA_PRIVATE_KEY: key } });
  t.regex((await build('')).stderr, /Not signed here/);
  t.is((await build(door.privatePem)).error, undefined);
  t.true((await folder.list()).includes(`${image}.signed`));
});

test('a private key passed as an option must exist, even if the key is recorded', async (t) => {
  const folder = await clone(t);
  t.is((await run(folder, 'pack', image, '--private-key', 'gone.key')).error?.code, 'KEY_NOT_RECORDED');
});

for (const [how, argv, config] of [
  ['--require-signed', ['--require-signed'], {}],
  ['"signing": "required"', [], { signing: 'required' }],
  ['"signing": "required" with --unsigned', ['--unsigned'], { signing: 'required' }],
] as const) {
  test(`a build without a signature fails with ${how}`, async (t) => {
    const folder = await clone(t, { [`${image}.signed`]: 'earlier' }, config);
    const { exitCode, error } = await run(folder, 'pack', image, ...argv);
    t.is(exitCode, 2);
    t.is(error?.code, 'SIGNING_REQUIRED');
    t.deepEqual(
      (await folder.list()).filter((name) => name.startsWith(`${image}.`)),
      [],
    );
  });
}

test('a build with a private key satisfies --require-signed and "signing": "required"', async (t) => {
  const folder = await clone(t, { 'private.key': door.privatePem }, { signing: 'required' });
  t.is((await run(folder, 'pack', image, '--require-signed')).exitCode, 0);
  t.true((await folder.list()).includes(`${image}.signed`));
});

test('init in a fresh clone keeps the recorded key and generates no pair', async (t) => {
  const folder = await clone(t);
  const { exitCode, stderr } = await run(folder, 'init', '--yes');
  t.is(exitCode, 0);
  t.regex(stderr, /builds here are not signed: private\.key is not in the project folder/);
  t.false((await folder.list()).includes('private.key'));
  t.is(await folder.text('public.key'), door.publicPem);
});

test('init fails in a clone without the recorded public key', async (t) => {
  const folder = await clone(t);
  await rm(folder.at('public.key'));
  const before = await folder.list();
  const { exitCode, error } = await run(folder, 'init', '--yes');
  t.is(exitCode, 2);
  t.is(error?.code, 'KEY_NOT_RECORDED');
  t.deepEqual(await folder.list(), before);
});

test('init restores a lost public key only from the recorded private key', async (t) => {
  const folder = await clone(t, { 'private.key': door.privatePem });
  await rm(folder.at('public.key'));
  t.is((await run(folder, 'init', '--yes')).exitCode, 0);
  t.is(readPublicKey(await folder.read('public.key'), '').fingerprint, fingerprint);

  const wrong = await clone(t, { 'private.key': other.privatePem });
  await rm(wrong.at('public.key'));
  t.is((await run(wrong, 'init', '--yes')).error?.code, 'KEY_NOT_RECORDED');
});

test('init records an existing key in an existing configuration and keeps its formatting', async (t) => {
  const text = '\uFEFF{\r\n\t"project": "tür"\r\n}\r\n';
  const folder = await clone(t, { 'ota.config.json': text, 'private.key': door.privatePem });
  const before = await folder.read('ota.config.json');
  t.is((await run(folder, 'init', '--yes')).exitCode, 0);
  const after = await folder.text('ota.config.json');
  t.true(after.startsWith('\uFEFF{\r\n\t"project": "tür",\r\n\t"keys": [\r\n\t\t{'), after);
  t.deepEqual(JSON.parse(after.slice(1)), { project: 'tür', keys: [record] });
  t.regex((await run(folder, 'init', '--yes')).stderr, /is already set up/);
  await run(folder, 'init', '--undo', '--yes');
  t.deepEqual(await folder.read('ota.config.json'), before);
});

test('init does not record the key of one project in a configuration of several projects', async (t) => {
  const folder = await clone(t, {
    'package.json': '{}',
    'ota.config.json': '{"compression": "zopfli"}',
    'door/platformio.ini': ini,
    'platformio.ini': '',
  });
  await rm(folder.at('platformio.ini'));
  const { stderr } = await run(folder, 'init', '--yes', '--source', 'door');
  t.regex(stderr, /ota\.config\.json does not record the public key/);
  t.is(await folder.text('ota.config.json'), '{"compression": "zopfli"}');
});

test('keygen generates no pair in place of a recorded key, but an additional one if both paths are passed', async (t) => {
  const folder = await clone(t);
  for (const argv of [['keygen'], ['keygen', '--private-key', 'new.key']]) {
    const { exitCode, error } = await run(folder, ...argv, '--bits', '1024');
    t.is(exitCode, 2);
    t.is(error?.code, 'KEYS_RECORDED');
  }
  const both = ['--private-key', 'new.key', '--public-key', 'new-public.key', '--bits', '1024'];
  t.is((await run(folder, 'keygen', ...both)).exitCode, 0);
});

test('doctor reports a lost or replaced key and suggests no new pair', async (t) => {
  const folder = await clone(t);
  const findings = async () => {
    const { stdout } = await run(folder, 'doctor', '--json');
    t.notRegex(stdout, /keygen|generate/i);
    return stdout;
  };
  t.regex(await findings(), /No private key found: builds must be signed elsewhere/);
  await folder.write('public.key', other.publicPem);
  t.regex(await findings(), /public\.key is a different key/);
  await rm(folder.at('public.key'));
  t.regex(await findings(), /Public key not found/);
});

test('sign suggests no new pair where a key is recorded', async (t) => {
  const { error } = await run(await clone(t), 'sign', '--bin', image);
  t.is(error?.code, 'KEY_MISSING_FOR');
  t.notRegex(error?.hint ?? '', /keygen/);
});

test('verify recognizes the recorded keys of all roles', async (t) => {
  const signed = await clone(t, { 'private.key': door.privatePem });
  await run(signed, 'pack', image);
  const retired = [
    { ...record, role: 'retired' },
    { ...record, name: 'new', publicKey: 'new.key', fingerprint: readPublicKey(other.publicPem, '').fingerprint },
  ];
  await signed.write('ota.config.json', JSON.stringify({ keys: retired }));
  await signed.write('new.key', other.publicPem);
  await rm(signed.at('private.key'));
  t.regex((await run(signed, 'inspect', `${image}.signed`)).stdout, new RegExp(fingerprint.slice(0, 16)));
});

for (const [what, root] of [
  ['in a repository', { '.git/HEAD': '' }],
  ['outside a repository', { 'pnpm-workspace.yaml': 'packages: [firmware/*]\n' }],
] as const) {
  test(`a workspace package ${what} uses the key recorded in the shared configuration`, async (t) => {
    const folder = await clone(t, { ...root, 'firmware/door/package.json': '{}', 'private.key': door.privatePem });
    await folder.write('ota.config.json', JSON.stringify({ privateKey: 'private.key', keys: [record] }));
    for (const name of [image, 'door.elf']) await folder.write(`firmware/door/${name}`, await folder.read(name));
    const made = await run(folder, ...header, '--source', 'firmware/door');
    t.regex(made.stderr, /^Configuration: .*ota\.config\.json\nEnabling binary signing$/m);
    const packed = await run(folder, 'pack', `firmware/door/${image}`, '--source', 'firmware/door');
    t.regex(packed.stderr, /^Signed binary: firmware\/door\/door\.bin\.signed$/m);
  });
}

test('rejects a configuration that contains a key twice', async (t) => {
  const folder = await clone(t, {}, { publicKey: 'public.key', keys: [record, record] });
  const { error } = await run(folder, ...header);
  t.is(error?.code, 'CONFIG_INVALID');
  t.regex(error?.message ?? '', /publicKey cannot be set while "keys" lists a signing key/);
  t.regex(error?.message ?? '', /keys\[1\]\.fingerprint must differ from keys\[0\]\.fingerprint/);
});
