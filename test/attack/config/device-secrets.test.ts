/** A source tree names the user's files and variables as device passwords and sends their values to an address in its configuration. */
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { door } from '../../support/built-sketch.ts';
import { packedDoor } from '../../support/fleet.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { startListener } from './basic-auth-listener.ts';

const token = `ota_${'0'.repeat(12)}_${'t'.repeat(43)}`;
const secrets = {
  AWS_SECRET_ACCESS_KEY: 'cloud-secret',
  GITHUB_TOKEN: 'forge-secret',
  OTA_TOKEN: token,
  OTA_PASSPHRASE: 'passphrase-secret',
  OTA_PRIVATE_KEY: door.privatePem,
  PGPASSWORD: 'database-secret',
};

/** Uploads with a password source from the tree to a listener; returns the error code and what the listener received. */
async function attack(
  t: ExecutionContext,
  password: object,
  {
    argv = [],
    env = {},
    prepare,
  }: {
    argv?: readonly string[];
    env?: Record<string, string>;
    prepare?: (project: string, outside: string) => Promise<unknown>;
  } = {},
) {
  const listener = await startListener(t);
  const outside = await testFolder(t, { 'home/.ssh/id_rsa': 'file-secret', 'home/note': 'file-secret\n' });
  const device = { address: '127.0.0.1', port: listener.port, method: 'web', password };
  const folder = await packedDoor(t, { door: device });
  await prepare?.(folder.path, outside.path);
  const text = JSON.stringify(JSON.parse(await folder.text('ota.config.json'))).replaceAll('OUTSIDE', outside.path);
  await folder.write('ota.config.json', text);
  const world = { cwd: folder.path, env: { ...secrets, ...env }, home: outside.at('home') };
  const { error, stderr } = await runCommand(['upload', 'build/door.ino.bin', '--all', ...argv], world);
  return { code: error?.code, message: `${error?.message}\n${error?.hint}\n${stderr}`, heard: listener.heard() };
}

for (const name of ['AWS_SECRET_ACCESS_KEY', 'GITHUB_TOKEN', 'PATH', 'DOOR_OTA_DEVICE']) {
  test(`prevents a project configuration from sending the variable ${name} as a device password`, async (t) => {
    const { code, message, heard } = await attack(t, { env: name }, { env: { DOOR_OTA_DEVICE: 'x' } });
    t.deepEqual(heard, []);
    t.is(code, ['AWS_SECRET_ACCESS_KEY'].includes(name) ? 'SECRET_RESERVED' : 'SECRET_UNTRUSTED', message);
    t.notRegex(message, /cloud-secret|forge-secret/);
    countAttacks({ kind: 'user secrets that a source tree names', tried: 1, withstood: 1 });
  });
}

for (const name of ['OTA_TOKEN', 'OTA_PASSPHRASE', 'OTA_PRIVATE_KEY', 'PGPASSWORD'] as const) {
  test(`never sends the ota-hooks secret ${name} as a device password`, async (t) => {
    for (const argv of [[], ['--password-env', name]]) {
      const { code, message, heard } = await attack(t, { env: name }, { argv });
      t.deepEqual(heard, []);
      t.is(code, 'SECRET_RESERVED', message);
      t.false(message.includes(secrets[name]));
    }
    countAttacks({ kind: 'user secrets that a source tree names', tried: 2, withstood: 2 });
  });
}

const key = createPrivateKey(door.privatePem);
const der = (type: 'pkcs8' | 'pkcs1') => key.export({ format: 'der', type });
const encrypted = key.export({ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' });
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** Forms in which CI systems and scripts store an ota-hooks secret. */
const forms: Readonly<Record<string, string>> = {
  'a token': token,
  'a token after a prefix': `Bearer:${token}`,
  'a token that is in no variable': `ota_${'1'.repeat(12)}_${'u'.repeat(43)}`,
  'a passphrase': 'passphrase-secret',
  'a passphrase with other text': 'user=passphrase-secret;',
  'the password in the URL of a database': 'database secret',
  'a key as PEM': door.privatePem,
  'a key as PEM in base64': Buffer.from(door.privatePem).toString('base64'),
  'a key as PEM in base64 in base64': Buffer.from(Buffer.from(door.privatePem).toString('base64')).toString('base64'),
  'a key as one line of base64': der('pkcs8').toString('base64'),
  'a key as lines of base64 with escaped ends': der('pkcs1').toString('base64').replaceAll(/.{64}/g, '$&\\n'),
  'a key in base64url': der('pkcs8').toString('base64url'),
  'a key in hexadecimal': der('pkcs1').toString('hex'),
  'an encrypted key as one line of base64': encrypted.toString('base64'),
  'an elliptic curve key': elliptic.export({ format: 'der', type: 'sec1' }).toString('base64'),
  'an elliptic curve key in hexadecimal': elliptic.export({ format: 'der', type: 'pkcs8' }).toString('hex'),
};

test('never sends an ota-hooks secret in any form as a device password under a different name', async (t) => {
  const database = { DATABASE_URL: 'postgres://ota:database%20secret@localhost/ota' };
  for (const [form, value] of Object.entries(forms)) {
    const env = { OTA_DEVICE_DOOR: value, ...database };
    const { code, message, heard } = await attack(t, { env: 'OTA_DEVICE_DOOR' }, { env });
    t.deepEqual(heard, [], form);
    t.is(code, 'SECRET_RESERVED', `${form}: ${message}`);
    t.false(message.includes(value), form);
  }
  const tried = Object.keys(forms).length;
  countAttacks({ kind: 'encoded secrets as device passwords', tried, withstood: tried });
});

test('sends passwords that look like encoded secrets', async (t) => {
  const random = [createHash('sha512').update('a').digest('hex'), createHash('sha512').update('b').digest('base64')];
  for (const value of [...random, door.publicPem.split('\n').slice(1, -2).join(''), 'MIIEvQ'.repeat(20)]) {
    const { message, heard } = await attack(t, { env: 'OTA_DEVICE_DOOR' }, { env: { OTA_DEVICE_DOOR: value } });
    t.deepEqual(heard, [`admin:${value}`], message);
  }
  countAttacks({ kind: 'user secrets that a source tree names', tried: 3, withstood: 3 });
});

for (const file of ['OUTSIDE/home/.ssh/id_rsa', 'OUTSIDE/home/note', '../../../../../../../../../../etc/hostname']) {
  test(`prevents a project configuration from sending the file ${file} as a device password`, async (t) => {
    const { code, message, heard } = await attack(t, { file });
    t.deepEqual(heard, []);
    t.is(code, 'SECRET_UNTRUSTED', message);
    t.false(message.includes('file-secret'));
    countAttacks({ kind: 'user secrets that a source tree names', tried: 1, withstood: 1 });
  });
}

test('does not treat the target of a symbolic link in the tree as part of the project', async (t) => {
  for (const [file, target] of [
    ['door.password', 'home/note'],
    ['secrets/note', 'home'],
  ] as const) {
    const prepare = async (project: string, outside: string) => {
      if (file.includes('/')) return symlink(`${outside}/${target}`, `${project}/secrets`);
      return symlink(`${outside}/${target}`, `${project}/${file}`);
    };
    const { code, message, heard } = await attack(t, { file }, { prepare });
    t.deepEqual(heard, []);
    t.is(code, 'SECRET_UNTRUSTED', message);
  }
  countAttacks({ kind: 'user secrets that a source tree names', tried: 2, withstood: 2 });
});

test('rejects a permitted symbolic link in the tree after the link changes', async (t) => {
  const listener = await startListener(t);
  const device = { address: '127.0.0.1', port: listener.port, method: 'web', password: { file: 'link' } };
  const folder = await packedDoor(t, { door: device });
  const outside = await testFolder(t, { 'home/granted': 'granted', 'home/other': 'other' });
  const point = async (target: string) => {
    await unlink(folder.at('link')).catch(() => undefined);
    await symlink(outside.at(target), folder.at('link'));
  };
  const send = () =>
    runCommand(['upload', 'build/door.ino.bin', '--all'], { cwd: folder.path, home: outside.at('home') });
  const grant = async (path: string) => {
    await mkdir(outside.at('home/.config/ota-hooks'), { recursive: true, mode: 0o700 });
    const allowed = { projects: { [folder.path]: { devicePasswords: [{ file: path }] } } };
    await writeFile(outside.at('home/.config/ota-hooks/config.json'), JSON.stringify(allowed), { mode: 0o600 });
  };
  await point('home/granted');
  const { error } = await send();
  t.is(error?.code, 'SECRET_UNTRUSTED');
  t.true(error?.hint?.includes(JSON.stringify(outside.at('home/granted'))), 'the hint names the target of the link');
  await grant(folder.at('link'));
  t.is((await send()).error?.code, 'SECRET_UNTRUSTED', 'a link of the project is no permission');
  await grant(outside.at('home/granted'));
  await send();
  t.deepEqual(listener.heard(), ['admin:granted']);
  await point('home/other');
  t.is((await send()).error?.code, 'SECRET_UNTRUSTED');
  t.deepEqual(listener.heard(), ['admin:granted']);
});

const logins = [
  '.envrc',
  'production.env',
  '.vault-token',
  '.ssh/id_ed25519',
  'id_rsa',
  '.my.cnf',
  '.config/gh/hosts.yml',
];
for (const file of [...logins, 'terraform.tfstate', '.yarnrc.yml', '.cargo/credentials.toml']) {
  test(`does not send the file ${file}, in which a different program stores credentials, as a device password`, async (t) => {
    const prepare = async (project: string) => {
      await mkdir(`${project}/${dirname(file)}`, { recursive: true });
      await writeFile(`${project}/${file}`, 'tree-secret');
    };
    const { code, message, heard } = await attack(t, { file }, { prepare });
    t.deepEqual(heard, []);
    t.is(code, 'SECRET_UNTRUSTED', message);
  });
}

for (const file of ['private.key', '.git/config', '.env', '.npmrc', 'token.txt', 'passphrase.txt', 'two-lines.txt']) {
  test(`does not send the file ${file} in the project as a device password`, async (t) => {
    const prepare = async (project: string) => {
      await mkdir(`${project}/.git`, { recursive: true });
      const write = (name: string, text: string) => writeFile(`${project}/${name}`, text);
      await write('.git/config', 'tree-secret');
      await write('.env', 'tree-secret');
      await write('.npmrc', 'tree-secret');
      await write('token.txt', `${token}\n`);
      await write('passphrase.txt', 'passphrase-secret\n');
      await write('two-lines.txt', 'one\ntree-secret\n');
    };
    const { code, message, heard } = await attack(t, { file }, { prepare });
    t.deepEqual(heard, []);
    t.true(['SECRET_RESERVED', 'SECRET_UNTRUSTED'].includes(code ?? ''), message);
    t.notRegex(message, /tree-secret|passphrase-secret/);
    countAttacks({ kind: 'user secrets that a source tree names', tried: 1, withstood: 1 });
  });
}

test('does not send the passphrase file of a configuration as a device password', async (t) => {
  const prepare = async (project: string) => {
    await writeFile(`${project}/word`, 'a passphrase\n');
    const config = JSON.parse(await readFile(`${project}/ota.config.json`, 'utf8'));
    const more = { privateKey: 'private.key', passphrase: { file: './word' } };
    await writeFile(`${project}/ota.config.json`, JSON.stringify({ ...config, ...more }));
  };
  const { code, message, heard } = await attack(t, { file: 'word' }, { prepare });
  t.deepEqual(heard, []);
  t.is(code, 'SECRET_RESERVED', message);
  countAttacks({ kind: 'user secrets that a source tree names', tried: 1, withstood: 1 });
});

test('accepts the documented sources of device passwords without further permission', async (t) => {
  const byVariable = await attack(t, { env: 'OTA_DEVICE_DOOR' }, { env: { OTA_DEVICE_DOOR: 'open' } });
  t.deepEqual(byVariable.heard, ['admin:open'], byVariable.message);
  const prepare = async (project: string) => {
    await writeFile(`${project}/door.password`, 'from a file\n');
  };
  const byFile = await attack(t, { file: 'door.password' }, { prepare });
  t.deepEqual(byFile.heard, ['admin:from a file'], byFile.message);
  const argv = ['--password-env', 'DOOR_PASSWORD'];
  const byOption = await attack(t, { env: 'GITHUB_TOKEN' }, { argv, env: { DOOR_PASSWORD: 'by option' } });
  t.deepEqual(byOption.heard, ['admin:by option'], byOption.message);
});
