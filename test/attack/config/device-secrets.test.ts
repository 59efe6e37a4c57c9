/** A source tree names files and variables of the user as device passwords and sends them to an address of its choice. */
import { mkdir, symlink } from 'node:fs/promises';
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

/** Uploads with a password source from the tree to a listener; returns the error code and what the listener heard. */
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
  test(`a project configuration cannot send the variable ${name} as a device password`, async (t) => {
    const { code, message, heard } = await attack(t, { env: name }, { env: { DOOR_OTA_DEVICE: 'x' } });
    t.deepEqual(heard, []);
    t.is(code, ['AWS_SECRET_ACCESS_KEY'].includes(name) ? 'SECRET_RESERVED' : 'SECRET_UNTRUSTED', message);
    t.notRegex(message, /cloud-secret|forge-secret/);
    countAttacks({ kind: 'secrets of the user in a source tree', tried: 1, withstood: 1 });
  });
}

for (const name of ['OTA_TOKEN', 'OTA_PASSPHRASE', 'OTA_PRIVATE_KEY', 'PGPASSWORD'] as const) {
  test(`the secret ${name} of ota-hooks is never a device password`, async (t) => {
    for (const argv of [[], ['--password-env', name]]) {
      const { code, message, heard } = await attack(t, { env: name }, { argv });
      t.deepEqual(heard, []);
      t.is(code, 'SECRET_RESERVED', message);
      t.false(message.includes(secrets[name]));
    }
    countAttacks({ kind: 'secrets of the user in a source tree', tried: 2, withstood: 2 });
  });
}

test('the value of a secret of ota-hooks is never a device password under another name', async (t) => {
  for (const value of [token, 'passphrase-secret', door.privatePem]) {
    const { code, message, heard } = await attack(t, { env: 'OTA_DEVICE_DOOR' }, { env: { OTA_DEVICE_DOOR: value } });
    t.deepEqual(heard, []);
    t.is(code, 'SECRET_RESERVED', message);
    t.false(message.includes(value));
  }
  countAttacks({ kind: 'secrets of the user in a source tree', tried: 3, withstood: 3 });
});

for (const file of ['OUTSIDE/home/.ssh/id_rsa', 'OUTSIDE/home/note', '../../../../../../../../../../etc/hostname']) {
  test(`a project configuration cannot send the file ${file} as a device password`, async (t) => {
    const { code, message, heard } = await attack(t, { file });
    t.deepEqual(heard, []);
    t.is(code, 'SECRET_UNTRUSTED', message);
    t.false(message.includes('file-secret'));
    countAttacks({ kind: 'secrets of the user in a source tree', tried: 1, withstood: 1 });
  });
}

test('a symbolic link in the tree does not make a file a part of the project', async (t) => {
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
  countAttacks({ kind: 'secrets of the user in a source tree', tried: 2, withstood: 2 });
});

for (const file of ['private.key', '.git/config', '.env', '.npmrc', 'token.txt', 'passphrase.txt', 'two-lines.txt']) {
  test(`the file ${file} in the project is not sent as a device password`, async (t) => {
    const prepare = async (project: string) => {
      const { writeFile } = await import('node:fs/promises');
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
    countAttacks({ kind: 'secrets of the user in a source tree', tried: 1, withstood: 1 });
  });
}

test('the passphrase file of a configuration is not sent as a device password', async (t) => {
  const prepare = async (project: string) => {
    const { readFile, writeFile } = await import('node:fs/promises');
    await writeFile(`${project}/word`, 'a passphrase\n');
    const config = JSON.parse(await readFile(`${project}/ota.config.json`, 'utf8'));
    const more = { privateKey: 'private.key', passphrase: { file: './word' } };
    await writeFile(`${project}/ota.config.json`, JSON.stringify({ ...config, ...more }));
  };
  const { code, message, heard } = await attack(t, { file: 'word' }, { prepare });
  t.deepEqual(heard, []);
  t.is(code, 'SECRET_RESERVED', message);
  countAttacks({ kind: 'secrets of the user in a source tree', tried: 1, withstood: 1 });
});

test('the documented sources of device passwords work without questions', async (t) => {
  const byVariable = await attack(t, { env: 'OTA_DEVICE_DOOR' }, { env: { OTA_DEVICE_DOOR: 'open' } });
  t.deepEqual(byVariable.heard, ['admin:open'], byVariable.message);
  const prepare = async (project: string) => {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${project}/door.password`, 'from a file\n');
  };
  const byFile = await attack(t, { file: 'door.password' }, { prepare });
  t.deepEqual(byFile.heard, ['admin:from a file'], byFile.message);
  const argv = ['--password-env', 'DOOR_PASSWORD'];
  const byOption = await attack(t, { env: 'GITHUB_TOKEN' }, { argv, env: { DOOR_PASSWORD: 'by option' } });
  t.deepEqual(byOption.heard, ['admin:by option'], byOption.message);
});
