/** Programs that sign in place of a key file, and those that do not work. */
import { createPrivateKey } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const program = fileURLToPath(new URL('../../support/signer-program.mjs', import.meta.url));
const image = Buffer.alloc(5003, 'any file that is not empty');
const key = createPrivateKey(door.privatePem);

/** A folder of a project without its private key, and a key outside of it that only the program reads. */
async function place(t: Parameters<typeof testFolder>[0]): Promise<TestFolder> {
  return testFolder(t, {
    'token/door.pem': door.privatePem,
    'project/public.key': door.publicPem,
    'project/door.bin': image,
    'project/build/sketch.bin': door.bin,
    'project/build/sketch.elf': door.elf,
  });
}

const commandOf = (folder: TestFolder, action: string) => [
  process.execPath,
  program,
  folder.at('token/door.pem'),
  action,
];

function run(folder: TestFolder, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCommand(argv, { cwd: folder.at('project'), home: folder.at('home'), env });
}

async function configure(folder: TestFolder, signers: object): Promise<void> {
  await folder.write('home/.config/ota-hooks/config.json', JSON.stringify({ signers }));
}

for (const input of ['digest', 'digest-info', 'payload'] as const) {
  test(`a program with the input ${input} signs the same bytes as the key file`, async (t) => {
    const folder = await place(t);
    const command = JSON.stringify(commandOf(folder, input));
    const argv = ['sign', '--bin', 'door.bin', '--signer-command', command, '--signer-input', input];
    const { error, stderr } = await run(folder, argv);
    t.is(error, undefined);
    t.true(stderr.endsWith('Signed binary: door.bin.signed\n'), stderr);
    t.true((await folder.read('project/door.bin.signed')).equals(signFile(image, key, 'current')));
  });
}

test('a build signed by a program equals a build signed with the key file', async (t) => {
  const folder = await place(t);
  const pack = (...argv: string[]) => run(folder, ['pack', 'build/sketch.bin', ...argv]);
  const artifacts = async () =>
    Promise.all(['.signed', '.gz.signed', '.ota.json'].map((end) => folder.text(`project/build/sketch.bin${end}`)));
  t.is((await pack('--private-key', folder.at('token/door.pem'))).error, undefined);
  const expected = await artifacts();

  await configure(folder, { hsm: { command: commandOf(folder, 'digest-info'), input: 'digest-info' } });
  t.is((await pack('--signer', 'hsm')).error, undefined);
  t.deepEqual(await artifacts(), expected);

  t.is((await pack('--unsigned')).error, undefined);
  t.is((await run(folder, ['sign', '--signer', 'hsm', '--manifest', 'build/sketch.bin.ota.json'])).error, undefined);
  t.deepEqual(await artifacts(), expected);
});

test('the environment selects a signer, and --private-key takes precedence', async (t) => {
  const folder = await place(t);
  await configure(folder, {
    honest: { command: commandOf(folder, 'payload'), input: 'payload', publicKey: folder.at('project/public.key') },
    broken: { command: commandOf(folder, 'exit-1') },
  });
  const sign = (env: Readonly<Record<string, string>>, ...argv: string[]) =>
    run(folder, ['sign', '--bin', 'door.bin', ...argv], env);
  t.is((await sign({ OTA_SIGNER: 'honest' })).error, undefined);
  const command = JSON.stringify(commandOf(folder, 'digest-info'));
  t.is((await sign({ OTA_SIGNER_COMMAND: command, OTA_SIGNER_INPUT: 'digest-info' })).error, undefined);
  t.is((await sign({ OTA_SIGNER: 'broken' })).error?.code, 'SIGNER_FAILED');
  t.is((await sign({ OTA_SIGNER: 'broken' }, '--private-key', folder.at('token/door.pem'))).error, undefined);
  t.is((await sign({ OTA_SIGNER: 'broken' }, '--signer', 'honest')).error, undefined);

  const unknown = await sign({ OTA_SIGNER: 'gone' });
  t.regex(unknown.error?.message ?? '', /There is no signer "gone" in .*: it configures broken, honest$/);
  const input = await sign({ OTA_SIGNER: 'honest', OTA_SIGNER_INPUT: 'sha256' });
  t.is(input.error?.code, 'OPTION_INVALID');
  const list = await sign({ OTA_SIGNER_COMMAND: '["sign", 5]' });
  t.is(list.error?.code, 'OPTION_INVALID');
  const relative = await sign({ OTA_SIGNER_COMMAND: './sign.sh' });
  t.is(relative.error?.code, 'SIGNER_FAILED');
  t.regex(relative.error?.message ?? '', /\.\/sign\.sh was not found$/);
});

test('a command line in place of a program is rejected without showing its arguments', async (t) => {
  const folder = await place(t);
  for (const text of ['no-such-tool --pin 4711', ' ["no-such-tool","--pin","4711"]']) {
    const { error, stderr, stdout } = await run(folder, ['sign', '--bin', 'door.bin'], { OTA_SIGNER_COMMAND: text });
    t.is(error?.code, 'SIGNER_FAILED');
    t.false(`${stderr}${stdout}${error?.message}`.includes('4711'), error?.message);
  }
});

test('a project configuration cannot name a program that signs', async (t) => {
  const folder = await place(t);
  const command = commandOf(folder, 'digest');
  for (const key of ['signer', 'signers', 'signerCommand', 'privateKey']) {
    await folder.write('project/ota.config.json', JSON.stringify({ [key]: { command } }));
    t.is((await run(folder, ['sign', '--bin', 'door.bin'])).error?.code, 'CONFIG_INVALID', key);
  }
});

test('a program receives the environment of the user without the secrets of ota-hooks', async (t) => {
  const folder = await place(t);
  const secrets = {
    OTA_TOKEN: 'secret-1',
    DOOR_OTA_TOKEN: 'secret-2',
    OTA_DATABASE_URL: 'secret-3',
    OTA_PASSPHRASE: 'secret-4',
    OTA_PRIVATE_KEY_DOOR: 'secret-5',
    OTA_DEVICE_KITCHEN: 'secret-6',
    OTA_UPLOAD_PASSWORD: 'secret-7',
    DOOR_SECRET: 'secret-8',
    KITCHEN_WORD: 'secret-9',
  };
  const cloud = { AWS_SECRET_ACCESS_KEY: 'cloud-1', GOOGLE_APPLICATION_CREDENTIALS: 'cloud-2', PKCS11_PIN: 'cloud-3' };
  await folder.write(
    'project/ota.config.json',
    JSON.stringify({
      privateKey: 'private.key',
      passphrase: { env: 'DOOR_SECRET' },
      devices: { kitchen: { address: 'kitchen.local', password: { env: 'KITCHEN_WORD' } } },
    }),
  );
  const argv = ['sign', '--bin', 'door.bin', '--signer-command', JSON.stringify(commandOf(folder, 'environment'))];
  const { error, stderr } = await run(folder, argv, { ...secrets, ...cloud });
  t.is(error, undefined);
  for (const value of Object.values(cloud)) t.true(stderr.includes(value), value);
  t.notRegex(stderr, /secret-\d/);
});

test('a program whose input contains a DigestInfo can make the legacy signature, and others cannot', async (t) => {
  const folder = await place(t);
  await configure(folder, {
    raw: { command: commandOf(folder, 'digest-info'), input: 'digest-info' },
    kms: { command: commandOf(folder, 'digest') },
  });
  const sign = (signer: string) =>
    run(folder, ['sign', '--bin', 'door.bin', '--legacy', 'old.bin', '--signer', signer]);
  t.is((await sign('raw')).error, undefined);
  t.true((await folder.read('project/old.bin')).equals(signFile(image, key, 'legacy')));
  const { error } = await sign('kms');
  t.is(error?.code, 'SIGNER_NO_LEGACY');
  t.regex(error?.message ?? '', /signer kms cannot make the legacy signature/);
  t.false((await folder.list()).some((name) => /old\.bin|signed/.test(name)));
});

test('a program that cannot make the legacy signature is not asked for any other signature', async (t) => {
  const folder = await place(t);
  // This program prints its environment each time it runs.
  await configure(folder, { kms: { command: commandOf(folder, 'environment') } });
  for (const argv of [
    ['sign', '--bin', 'door.bin', '--legacy', 'old.bin'],
    ['pack', 'build/sketch.bin', '--legacy'],
  ]) {
    const { error, stderr } = await run(folder, [...argv, '--signer', 'kms'], { MARK: 'the program ran' });
    t.is(error?.code, 'SIGNER_NO_LEGACY');
    t.false(stderr.includes('the program ran'), stderr);
  }
  const asked = await run(folder, ['sign', '--bin', 'door.bin', '--signer', 'kms'], { MARK: 'the program ran' });
  t.true(asked.stderr.includes('the program ran'));
});

/** What a program does, and what the error states. */
const broken: Readonly<Record<string, RegExp>> = {
  nothing: /wrote nothing to stdout$/,
  'stderr-only': /wrote nothing to stdout, only to stderr$/,
  'exit-1': /node failed with exit code 1$/,
  killed: /was ended by SIGKILL$/,
  hang: /did not end within 1 second$/,
  'too-much': /wrote more than 4096 bytes$/,
  'one-byte-short': /it has 255 bytes, but a signature of this key has 256 bytes$/,
  'one-byte-long': /it has 257 bytes, but a signature of this key has 256 bytes$/,
  base64: /it has 344 bytes, but/,
  garbage: /it was not made with the key [0-9a-f]{64} and PKCS#1 v1\.5 padding$/,
  'wrong-key': /it was not made with the key/,
  pss: /it was not made with the key/,
  'no-digest-info': /it covers the bare digest/,
  'hash-of-digest': /it covers the hash of the digest/,
  'something-else': /it covers different bytes/,
  'asks-for-pin': /failed with exit code 1$/,
};

for (const [action, message] of Object.entries(broken)) {
  test(`no artifact is written if a program does this: ${action}`, async (t) => {
    const folder = await place(t);
    const pin = 'pin-4711';
    const timeoutSeconds = action === 'hang' ? 1 : 60;
    await configure(folder, { hsm: { command: [...commandOf(folder, action), pin], timeoutSeconds } });
    await folder.write('project/door.bin.signed', 'stale');
    const before = (await folder.list()).filter((name) => name !== 'project/door.bin.signed');
    const result = await run(folder, ['sign', '--bin', 'door.bin', '--signer', 'hsm', '--verbose', '--json']);
    rejects(result, pin);
    t.deepEqual(await folder.list(), before);

    if (action === 'hang') return;
    rejects(await run(folder, ['pack', 'build/sketch.bin', '--signer', 'hsm', '--verbose']), pin);
    t.deepEqual(await folder.list(), before, 'pack writes nothing');

    function rejects({ error, stdout, stderr }: CommandRun, secret: string): void {
      t.is(error?.code, 'SIGNER_FAILED');
      t.is(error?.exitCode, 1);
      t.regex(error?.message ?? '', message);
      t.regex(error?.message ?? '', /^The signer hsm returned no usable signature: /);
      t.false(`${stdout}${stderr}${error?.message}${error?.hint}`.includes(secret));
    }
  });
}

test('hints name the input that fits a program', async (t) => {
  const folder = await place(t);
  for (const [action, input] of [
    ['no-digest-info', 'digest-info'],
    ['hash-of-digest', 'payload'],
  ] as const) {
    const argv = ['sign', '--bin', 'door.bin', '--signer-command', JSON.stringify(commandOf(folder, action))];
    const { error } = await run(folder, argv);
    t.is(error?.hint, `Use the signer input ${input}.`);
    t.is((await run(folder, [...argv, '--signer-input', input])).error, undefined);
  }
});

test('a wrapper script whose own program hangs is ended after the time-out', async (t) => {
  const folder = await place(t);
  await folder.write(
    'token/wrapper.mjs',
    'import { spawn } from "node:child_process"; spawn(process.argv[2], process.argv.slice(3), { stdio: "inherit" });',
  );
  const command = [process.execPath, folder.at('token/wrapper.mjs'), ...commandOf(folder, 'hang')];
  await configure(folder, { hsm: { command, timeoutSeconds: 1 } });
  const { error } = await run(folder, ['sign', '--bin', 'door.bin', '--signer', 'hsm']);
  t.regex(error?.message ?? '', /did not end within 1 second$/);
});

test('an interrupted command ends the program and writes nothing', async (t) => {
  const folder = await place(t);
  const command = JSON.stringify(commandOf(folder, 'stderr-then-hang'));
  const controller = new AbortController();
  const argv = ['sign', '--bin', 'door.bin', '--signer-command', command];
  const running = runCommand(argv, {
    cwd: folder.at('project'),
    home: folder.at('home'),
    signal: controller.signal,
    onOutput: (text) => text.includes('waiting') && controller.abort(),
  });
  await t.throwsAsync(running, { any: true });
  t.false((await folder.list()).includes('project/door.bin.signed'));
});

test('the public key of a signer must be the one of the build', async (t) => {
  const folder = await place(t);
  const other = rsaPems(2048);
  await folder.write('token/other.pub', other.publicPem);
  await configure(folder, { hsm: { command: commandOf(folder, 'digest'), publicKey: folder.at('token/other.pub') } });
  const { error } = await run(folder, ['pack', 'build/sketch.bin', '--signer', 'hsm']);
  t.is(error?.code, 'KEYS_DONT_MATCH');
  t.regex(error?.message ?? '', /the key of the signer hsm is not the private key for public\.key/);
});
