import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';
import { platformText } from '../../support/platform-text.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const ini = '[env:d1]\nplatform = espressif8266\nboard = d1_mini\n';
const sketch = '#include <ESP8266WiFi.h>\nvoid setup() {}\nvoid loop() {}\n';
const installed = {
  'node_modules/ota-hooks/hooks/platformio.py': '"""PlatformIO hook of ota-hooks"""\n',
  'node_modules/ota-hooks/package.json': '{"name": "ota-hooks"}',
};
const hookLine = 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py\n';
const home = '/home/nobody';
/** Keys for tests that are not about the keys that `init` generates. */
const { privatePem, publicPem } = rsaPems();
const existingKeys = { 'private.key': privatePem, 'public.key': publicPem };
const inDoor = { 'door/private.key': privatePem, 'door/public.key': publicPem };

/** Runs `init` in the project folder, as a user would. */
function init(folder: TestFolder, ...options: string[]) {
  const cli = folder.at('node_modules/ota-hooks/dist/cli.js');
  return runCommand(['init', ...options], { cwd: folder.path, home, cli });
}

/** Names, contents and modes of all files. */
async function snapshot(folder: TestFolder): Promise<Record<string, string>> {
  const names = await folder.list();
  const describe = async (name: string) =>
    [name, `${(await stat(folder.at(name))).mode.toString(8)} ${await folder.text(name)}`] as const;
  return Object.fromEntries(await Promise.all(names.map(describe)));
}

/** Returns the entry of the key inventory for a public key. */
async function recordOf(folder: TestFolder, path: string) {
  const { fingerprint } = readPublicKey(await folder.read(path), path);
  return { name: 'main', publicKey: 'public.key', fingerprint, role: 'signing' };
}

async function platformio(t: ExecutionContext, files: Readonly<Record<string, string>> = {}) {
  return testFolder(t, { 'platformio.ini': ini, 'src/main.cpp': sketch, ...installed, ...files });
}

test('init creates keys, .gitignore, a configuration and a hook line for a PlatformIO project', async (t) => {
  const folder = await platformio(t);
  const { exitCode, stderr } = await init(folder, '--yes');

  t.is(exitCode, 0);
  t.is(await folder.text('platformio.ini'), ini + hookLine);
  t.is(await folder.text('.gitignore'), 'private.key\n.ota/\nnode_modules/\n');
  t.is(readPublicKey(await folder.read('public.key'), 'public.key').bits, 2048);
  t.is((await stat(folder.at('private.key'))).mode & 0o777, 0o600);
  t.deepEqual(JSON.parse(await folder.text('ota.config.json')), {
    $schema: './node_modules/ota-hooks/dist/schema/ota.config.schema.json',
    project: folder.path.split('/').at(-1),
    version: { git: 'tag' },
    keys: [await recordOf(folder, 'public.key')],
  });
  t.is(await folder.text('.ota/node'), `${process.execPath}\n`);
  for (const text of [/contains the public key/, /copy of the private key/, /accepts no other updates/, /pio run/])
    t.regex(stderr, text);
});

test('init sets up a sketch without adding a hook line and prints the build command', async (t) => {
  const folder = await testFolder(t, { 'door/door.ino': sketch, ...installed });
  const { exitCode, stderr } = await init(folder, '--yes');

  t.is(exitCode, 0);
  t.regex(stderr, /npx ota-hooks build --source door -- --fqbn esp8266:esp8266:/);
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('door')),
    ['.gitignore', '.ota/init.json', 'door.ino', 'ota.config.json', 'private.key', 'public.key'].map(
      (name) => `door/${name}`,
    ),
  );
  t.deepEqual(JSON.parse(await folder.text('door/ota.config.json')), {
    $schema: '../node_modules/ota-hooks/dist/schema/ota.config.schema.json',
    project: 'door',
    version: { git: 'tag' },
    keys: [await recordOf(folder, 'door/public.key')],
  });
});

test('init prints the build command without --fqbn when sketch.yaml names the board', async (t) => {
  const files = { ...inDoor, 'door/door.ino': sketch, 'door/sketch.yaml': 'default_fqbn: esp8266:esp8266:d1_mini\n' };
  const folder = await testFolder(t, { ...files, ...installed });
  t.regex((await init(folder, '--yes')).stderr, /npx ota-hooks build --source door\n/);
});

test('init quotes a folder name with spaces in the printed command', async (t) => {
  const folder = await testFolder(t, {
    'front door/platformio.ini': ini,
    'front door/private.key': privatePem,
    ...installed,
  });
  t.regex((await init(folder, '--yes')).stderr, /pio run --project-dir "front door"\n/);
});

test('init changes nothing when run a second time', async (t) => {
  const folder = await platformio(t, existingKeys);
  await init(folder, '--yes');
  const before = await snapshot(folder);
  const { exitCode, stderr } = await init(folder, '--yes');
  t.is(exitCode, 0);
  t.regex(stderr, /is already set up/);
  t.deepEqual(await snapshot(folder), before);
});

test('init keeps CRLF line endings', async (t) => {
  const crlf = (text: string) => text.replaceAll('\n', '\r\n');
  const folder = await platformio(t, { ...existingKeys, 'platformio.ini': crlf(ini), '.gitignore': '.pio\r\n' });
  await init(folder, '--yes');
  t.is(await folder.text('platformio.ini'), crlf(ini + hookLine));
  t.is(await folder.text('.gitignore'), '.pio\r\nprivate.key\r\n.ota/\r\nnode_modules/\r\n');
});

test('init --undo --delete-keys restores the original folder', async (t) => {
  const crlf = ini.replaceAll('\n', '\r\n');
  for (const files of [{}, { '.gitignore': '.pio' }, { 'platformio.ini': crlf, '.gitignore': '.pio\r\n' }]) {
    const folder = await platformio(t, files);
    await chmod(folder.at('platformio.ini'), 0o640);
    const before = await snapshot(folder);
    await init(folder, '--yes');
    t.is((await init(folder, '--undo', '--yes', '--delete-keys')).exitCode, 0);
    t.deepEqual(await snapshot(folder), before);
    t.regex((await init(folder, '--undo', '--yes')).stderr, /No changes made by init/);
  }
});

test('init --undo keeps the keys and their .gitignore entries until --delete-keys removes them', async (t) => {
  const folder = await platformio(t);
  const before = await snapshot(folder);
  await init(folder, '--yes');
  const { exitCode, stderr } = await init(folder, '--undo', '--yes');

  t.is(exitCode, 0);
  t.regex(
    stderr,
    /warning: kept: private\.key \(devices with this key accept no other key; --delete-keys deletes the key\)/,
  );
  t.is(await folder.text('.gitignore'), 'private.key\n.ota/\n');
  t.is(await folder.text('platformio.ini'), ini);
  await init(folder, '--undo', '--yes', '--delete-keys');
  t.deepEqual(await snapshot(folder), before);
});

test('init --undo keeps changes that the user made after init', async (t) => {
  const folder = await platformio(t, { '.gitignore': '.pio\n' });
  await init(folder, '--yes');
  await folder.write('platformio.ini', `; mine\n${await folder.text('platformio.ini')}monitor_speed = 115200\n`);
  await folder.write('.gitignore', `build/\n${await folder.text('.gitignore')}*.log\n`);
  await folder.write('ota.config.json', '{"project": "mine"}');
  const pair = rsaPems();
  await folder.write('private.key', pair.privatePem);
  const { stderr } = await init(folder, '--undo', '--yes', '--delete-keys');

  t.is(await folder.text('platformio.ini'), `; mine\n${ini}monitor_speed = 115200\n`);
  t.is(await folder.text('ota.config.json'), '{"project": "mine"}');
  t.is(await folder.text('private.key'), pair.privatePem);
  t.is(await folder.text('.gitignore'), 'build/\n.pio\nprivate.key\n.ota/\n*.log\n', 'git must still ignore the key');
  t.regex(stderr, /kept: private\.key \(it is not the key that init generated\)/);
  t.regex(stderr, /kept: ota\.config\.json/);
});

test('init --undo keeps files that other commands created in .ota', async (t) => {
  const folder = await platformio(t);
  await init(folder, '--yes');
  await folder.write('.ota/devices.json', '{}');
  await init(folder, '--undo', '--yes', '--delete-keys');
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('.')),
    ['.ota/devices.json'],
  );
});

test('init prompts for confirmation once and fails without a terminal unless --yes is set', async (t) => {
  const folder = await platformio(t, existingKeys);
  const before = await snapshot(folder);
  const prompts: string[] = [];
  const world = { cwd: folder.path, home, cli: folder.at('node_modules/ota-hooks/dist/cli.js') };
  const response = (agreed: boolean) => ({
    confirm: async (question: string) => {
      prompts.push(question);
      return agreed;
    },
  });

  t.regex((await runCommand(['init'], { ...world, prompt: response(false) })).stderr, /No changes made/);
  t.is((await runCommand(['init'], world)).exitCode, 2);
  t.deepEqual(await snapshot(folder), before);
  await runCommand(['init'], { ...world, prompt: response(true) });
  t.is(await folder.text('platformio.ini'), ini + hookLine);
  await runCommand(['init', '--undo'], { ...world, prompt: response(false) });
  t.is(await folder.text('platformio.ini'), ini + hookLine);
  t.deepEqual(prompts, ['Continue?', 'Continue?', `Revert the changes that init made in ${folder.path}?`]);
});

test('init changes nothing when canceled before the first step', async (t) => {
  const folder = await platformio(t);
  const before = await snapshot(folder);
  const world = { cwd: folder.path, home, cli: folder.at('node_modules/ota-hooks/dist/cli.js') };
  const running = runCommand(['init', '--yes'], { ...world, signal: AbortSignal.abort() });
  await running
    .then(() => t.fail('init continued after the abort'))
    .catch((error: Error) => t.is(error.name, 'AbortError'));
  t.deepEqual(await snapshot(folder), before);
});

test('init adds the key to .gitignore before creating it, unless it is already ignored', async (t) => {
  const folder = await platformio(t, { '.gitignore': '*.key\n.ota\nnode_modules\n' });
  await execa('git', ['init', '--quiet'], { cwd: folder.path });
  await init(folder, '--yes');
  t.is(await folder.text('.gitignore'), '*.key\n.ota\nnode_modules\n', 'git already ignored all');
  const { entries } = JSON.parse(await folder.text('.ota/init.json'));
  t.deepEqual(
    entries.map(({ action }: { action: string }) => action),
    ['keys', 'insert', 'insert', 'node'],
  );

  const other = await platformio(t);
  await init(other, '--yes');
  const order = JSON.parse(await other.text('.ota/init.json')).entries.map(
    (entry: { action: string; path?: string }) => entry.path ?? entry.action,
  );
  t.true(order.indexOf('.gitignore') < order.indexOf('keys'));
});

for (const half of ['both', 'private', 'public'] as const) {
  test(`init and --undo keep existing keys (${half})`, async (t) => {
    const { privatePem, publicPem } = rsaPems();
    const folder = await platformio(t, {
      ...(half === 'public' ? {} : { 'private.key': privatePem }),
      ...(half === 'private' ? {} : { 'public.key': publicPem }),
    });
    const before = await snapshot(folder);
    const { exitCode, stderr } = await init(folder, '--yes');
    t.is(exitCode, 0);
    t.is(await folder.text('public.key'), publicPem);
    t.is((await folder.list()).includes('private.key'), half !== 'public');
    t.is(/builds here are not signed/.test(stderr), half === 'public');
    await init(folder, '--undo', '--yes', '--delete-keys');
    t.deepEqual(await snapshot(folder), before);
  });
}

test('init rejects mismatched, unusable or damaged keys before it writes anything', async (t) => {
  const [one, other] = [rsaPems(), rsaPems()];
  const cases = {
    KEYS_DONT_MATCH: { 'private.key': one.privatePem, 'public.key': other.publicPem },
    KEY_WRONG_TYPE: { 'private.key': wrongKinds().EC.privatePem },
    KEY_GARBLED: { 'private.key': one.privatePem.slice(0, 300), 'public.key': one.publicPem },
    KEY_EMPTY: { 'public.key': '' },
  };
  for (const [code, files] of Object.entries(cases)) {
    const folder = await platformio(t, files);
    const before = await snapshot(folder);
    const { error } = await init(folder, '--yes');
    t.is(String(error?.code), code);
    t.deepEqual(await snapshot(folder), before);
  }
});

test('init adds a passphrase source to the configuration for an encrypted key', async (t) => {
  const { privateKey } = (await import('node:crypto')).generateKeyPairSync('rsa', {
    modulusLength: 1024,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const folder = await platformio(t, { 'private.key': privateKey });
  const { exitCode, stderr } = await init(folder, '--yes');
  t.is(exitCode, 0);
  t.like(JSON.parse(await folder.text('ota.config.json')), {
    privateKey: 'private.key',
    passphrase: { env: 'OTA_PASSPHRASE' },
  });
  t.regex(stderr, /passphrase from the environment variable OTA_PASSPHRASE/);
});

test('init creates no keys when the configuration or platformio.ini names a key elsewhere', async (t) => {
  const { privatePem } = rsaPems();
  const named = await platformio(t, {
    'ota.config.json': '{"privateKey": "secrets/door.key"}',
    'secrets/door.key': privatePem,
  });
  await init(named, '--yes');
  t.false((await named.list()).includes('private.key'));
  t.is(await named.text('ota.config.json'), '{"privateKey": "secrets/door.key"}');

  const inIni = await platformio(t, { 'platformio.ini': `${ini}custom_ota_private_key = ../door.key\n` });
  await init(inIni, '--yes');
  t.false((await inIni.list()).includes('private.key'));
});

test('init adds the private key of an environment to .gitignore and reports it if git tracks it', async (t) => {
  const { privatePem, publicPem } = rsaPems(2048);
  const folder = await platformio(t, {
    'platformio.ini': `${ini}custom_ota_private_key = secrets/door.key\ncustom_ota_public_key = secrets/door.pub\n`,
    'secrets/door.key': privatePem,
    'secrets/door.pub': publicPem,
  });
  await execa('git', ['init', '--quiet'], { cwd: folder.path });
  await execa('git', ['add', 'secrets/door.key'], { cwd: folder.path });
  const { stderr } = await init(folder, '--yes');
  t.is(await folder.text('.gitignore'), 'secrets/door.key\n.ota/\nnode_modules/\n');
  t.regex(stderr, /secrets\/door\.key is already tracked by git: run git rm --cached secrets\/door\.key/);
});

test('init sets up only the ESP8266 environments and rejects a project without such environments', async (t) => {
  const mixed = await platformio(t, {
    ...existingKeys,
    'platformio.ini': `${ini}[env:lamp]\nplatform = espressif32\n[env:own]\nplatform = own\n`,
  });
  const { exitCode, stderr } = await init(mixed, '--yes');
  t.is(exitCode, 0);
  t.is(
    await mixed.text('platformio.ini'),
    `${ini}${hookLine}[env:lamp]\nplatform = espressif32\n[env:own]\nplatform = own\n`,
  );
  t.regex(stderr, /\[env:own\] was skipped, because its chip is unknown \(platform own\)/);

  const other = await platformio(t, { 'platformio.ini': '[env:lamp]\nplatform = espressif32\n' });
  const before = await snapshot(other);
  t.is((await init(other, '--yes')).error?.code, 'INIT_NO_ESP8266');
  t.deepEqual(await snapshot(other), before);
});

test('init asks whether an environment with an unknown chip builds ESP8266 firmware', async (t) => {
  const folder = await platformio(t, { ...existingKeys, 'platformio.ini': '[env:own]\nplatform = own\n' });
  const questions: string[] = [];
  const prompt = { confirm: async (question: string) => questions.push(question) > 0 };
  const world = { cwd: folder.path, home, cli: folder.at('node_modules/ota-hooks/dist/cli.js'), prompt };
  t.is((await runCommand(['init'], world)).exitCode, 0);
  t.deepEqual(questions, ['Does [env:own] build ESP8266 firmware (platform own)?', 'Continue?']);
  t.is(await folder.text('platformio.ini'), `[env:own]\nplatform = own\n${hookLine}`);
});

test('init completes an interrupted init, and a single --undo reverts both runs', async (t) => {
  const folder = await platformio(t);
  const before = await snapshot(folder);
  await init(folder, '--yes');
  // The state after init was killed between recording the keys and writing the remaining files.
  await rm(folder.at('public.key'));
  await rm(folder.at('private.key'));
  await rm(folder.at('ota.config.json'));
  await folder.write('platformio.ini', ini);
  await rm(folder.at('.ota/node'));

  const { exitCode } = await init(folder, '--yes');
  t.is(exitCode, 0);
  t.is(await folder.text('platformio.ini'), ini + hookLine);
  t.true((await folder.list()).includes('private.key'));
  await init(folder, '--undo', '--yes', '--delete-keys');
  t.deepEqual(await snapshot(folder), before);
});

test('init fails and changes nothing when its record is damaged', async (t) => {
  const folder = await platformio(t, { '.ota/init.json': '{"version": 1, "entr' });
  const before = await snapshot(folder);
  for (const options of [['--yes'], ['--undo', '--yes']]) {
    const { exitCode, error } = await init(folder, ...options);
    t.is(exitCode, 2);
    t.regex(error?.message ?? '', /init\.json could not be read: /);
  }
  t.deepEqual(await snapshot(folder), before);
});

test('init rejects the home folder and the root folder', async (t) => {
  const folder = await platformio(t);
  const { exitCode, error } = await runCommand(['init', '--yes'], { cwd: folder.path, home: folder.path });
  t.is(exitCode, 2);
  t.regex(error?.message ?? '', /your home folder/);
  const root = await runCommand(['init', '--yes', '--source', '/'], { cwd: folder.path, home });
  t.regex(root.error?.message ?? '', /root of the disk/);
});

test('init fails without a project and requires --source when there are several', async (t) => {
  const none = await testFolder(t, { 'door.ino': sketch, ...installed });
  t.is((await init(none, '--yes')).error?.code, 'PROJECT_NOT_FOUND');
  const two = await testFolder(t, {
    'door/door.ino': sketch,
    'lamp/platformio.ini': ini,
    'lamp/private.key': privatePem,
    ...installed,
  });
  const { exitCode, error } = await init(two, '--yes');
  t.is(exitCode, 2);
  t.regex(error?.message ?? '', /contains 2 projects: door, lamp$/);
  t.regex(error?.hint ?? '', /--source door/);
  t.is((await init(two, '--yes', '--source', 'lamp')).exitCode, 0);
  t.is((await init(two, '--yes', '--source', 'missing')).error?.code, 'FILE_NOT_FOUND');
});

test('init rejects a temporary npx installation', async (t) => {
  const folder = await testFolder(t, { 'platformio.ini': ini });
  const cli = '/home/nobody/.npm/_npx/0123456789abcdef/node_modules/ota-hooks/dist/cli.js';
  const { exitCode, error } = await runCommand(['init', '--yes'], { cwd: folder.path, home, cli });
  t.is(exitCode, 2);
  t.regex(error?.hint ?? '', /npm install --save-dev ota-hooks/);
});

test('init uses an absolute hook path for a global installation and reports it', async (t) => {
  const folder = await testFolder(t, { ...existingKeys, 'platformio.ini': ini });
  const cli = '/usr/local/lib/node_modules/ota-hooks/dist/cli.js';
  const { stderr } = await runCommand(['init', '--yes'], { cwd: folder.path, home, cli });
  t.regex(await folder.text('platformio.ini'), /pre:\/usr\/local\/lib\/node_modules\/ota-hooks\/hooks\/platformio\.py/);
  t.regex(stderr, /valid only on this machine/);
  t.notRegex(await folder.text('ota.config.json'), /schema/);
});

test('init leaves an unsupported extra_scripts list unchanged and prints the line to add', async (t) => {
  const entangled = `${ini}extra_scripts = post:c.py, \${other.text}\n[other]\ntext =\n  pre:a.py\n  pre:b.py\n`;
  const folder = await platformio(t, { ...existingKeys, 'platformio.ini': entangled });
  const { exitCode, stderr } = await init(folder, '--yes');
  t.is(exitCode, 0);
  t.is(await folder.text('platformio.ini'), entangled);
  t.regex(stderr, /add the hook to extra_scripts by hand: pre:node_modules/);
});

test('init --ide installs the hooks in the Arduino cores and --undo removes them', async (t) => {
  const core = 'arduino/packages/esp8266/hardware/esp8266/3.1.2';
  const folder = await testFolder(t, {
    ...inDoor,
    'door/door.ino': sketch,
    ...installed,
    [`${core}/platform.txt`]: platformText('3.1.2'),
    'node_modules/ota-hooks/package.json': '{}',
    'node_modules/ota-hooks/dist/cli.js': '',
    'node_modules/ota-hooks/hooks/arduino.py': '',
  });
  const world = {
    cwd: folder.path,
    home,
    cli: folder.at('node_modules/ota-hooks/dist/cli.js'),
    env: {
      ARDUINO_DIRECTORIES_DATA: folder.at('arduino'),
      ARDUINO_DIRECTORIES_USER: folder.at('sketchbook'),
      XDG_DATA_HOME: folder.at('share'),
    },
  };
  t.is((await runCommand(['init', '--yes', '--ide'], world)).exitCode, 0);
  t.regex(await folder.text(`${core}/platform.local.txt`), /ota-hooks/);
  t.true((await folder.list()).includes('share/ota-hooks/arduino/dist/cli.js'));
  t.regex((await runCommand(['init', '--yes', '--ide'], world)).stderr, /is already set up/);
  await runCommand(['init', '--yes', '--undo'], world);
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('share') || name.startsWith(core)),
    [`${core}/platform.txt`],
  );

  // In a terminal, init offers to install the IDE hooks even without --ide.
  const questions: string[] = [];
  const confirm = async (question: string) => questions.push(question) > 0;
  await runCommand(['init'], { ...world, prompt: { confirm } });
  t.regex(questions.at(-1) ?? '', /all ESP8266 sketches on this machine/);
  t.regex(await folder.text(`${core}/platform.local.txt`), /ota-hooks/);
  await rm(folder.at('arduino'), { recursive: true });
  t.is(
    (await runCommand(['init', '--yes', '--undo', '--delete-keys'], world)).exitCode,
    0,
    'the core has been removed',
  );
});

test('init --json prints one document', async (t) => {
  const folder = await platformio(t);
  const done = await init(folder, '--yes', '--json');
  t.like(JSON.parse(done.stdout), { folder: folder.path, system: 'platformio', notes: { length: 1 }, next: 'pio run' });
  const undone = await init(folder, '--undo', '--yes', '--json');
  t.like(JSON.parse(undone.stdout), { undone: { 0: { outcome: 'removed' } } });
});

test('init --undo removes its changes after the project has been moved', async (t) => {
  const folder = await testFolder(t, { 'old/platformio.ini': ini, ...installed });
  const cli = folder.at('node_modules/ota-hooks/dist/cli.js');
  await runCommand(['init', '--yes', '--source', 'old'], { cwd: folder.path, home, cli });
  await mkdir(dirname(folder.at('new/place')), { recursive: true });
  await rename(folder.at('old'), folder.at('new/place'));
  const undo = ['init', '--undo', '--yes', '--delete-keys', '--source', join('new', 'place')];
  await runCommand(undo, { cwd: folder.path, home, cli });
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('new')),
    ['new/place/platformio.ini'],
  );
  t.is(await folder.text('new/place/platformio.ini'), ini);
});

test('init recognizes the package under test as an installation outside the project', async (t) => {
  const folder = await testFolder(t, { 'platformio.ini': ini });
  const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
  await runCommand(['init', '--yes'], { cwd: folder.path, home, cli });
  const [, script] = /pre:(.*)/.exec(await folder.text('platformio.ini')) ?? [];
  t.true((await stat(script ?? '')).isFile());
});

test('init adds node_modules/ to .gitignore if the project contains the package, and undo removes it', async (t) => {
  const folder = await platformio(t, { '.gitignore': '.pio\n' });
  t.is((await init(folder, '--yes')).exitCode, 0);
  t.regex(await folder.text('.gitignore'), /^node_modules\/$/m);
  const names = ['devices.json', 'discovered.json', 'released.json', 'upload.json'];
  for (const name of names) await folder.write(`.ota/${name}`, '{}');
  t.is((await init(folder, '--undo', '--yes')).exitCode, 0);
  t.notRegex(await folder.text('.gitignore'), /node_modules/);
  const state = async () =>
    (await folder.list()).filter((name) => /^\.ota\/(devices|discovered|released|upload)/.test(name));
  t.deepEqual(await state(), ['.ota/devices.json', '.ota/released.json']);
  t.is((await init(folder, '--undo', '--yes', '--all')).exitCode, 0);
  t.deepEqual(await state(), []);
});
