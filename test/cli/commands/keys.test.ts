/** Tests the list of keys: new and existing keys, roles, hops, and the advice after each command. */
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const doorKey = readPublicKey(door.publicPem, 'public.key');
const main = { name: 'main', publicKey: 'public.key', fingerprint: doorKey.fingerprint, role: 'signing' };
const old = rsaPems();
const oldKey = readPublicKey(old.publicPem, 'old.key');
const previous = { name: 'old', publicKey: 'old.key', fingerprint: oldKey.fingerprint, role: 'backup' };

function project(t: ExecutionContext, config: object, files: Readonly<Record<string, string | Uint8Array>> = {}) {
  return testFolder(t, {
    'public.key': door.publicPem,
    'old.key': old.publicPem,
    'ota.config.json': `${JSON.stringify({ project: 'door', ...config }, null, 2)}\n`,
    'door.bin': door.bin,
    'door.elf': door.elf,
    ...files,
  });
}

function run({ path }: TestFolder, command: string) {
  return runCommand(command.split(' '), { cwd: path, home: '/home/nobody' });
}

async function listOf(folder: TestFolder): Promise<readonly Record<string, string>[]> {
  return JSON.parse(await folder.text('ota.config.json')).keys;
}

test('keys new records the short form as the signing key and adds a backup key', async (t) => {
  const folder = await project(t, { publicKey: 'public.key' });
  const { exitCode, stderr } = await run(folder, 'keys new vault --bits 1024 --private-key vault-private.key');
  t.is(exitCode, 0, stderr);
  const text = await folder.text('ota.config.json');
  t.notRegex(text, /^ {2}"publicKey"/m, 'the short form was replaced');
  const [first, second] = await listOf(folder);
  t.deepEqual(first, main);
  t.like(second, { name: 'vault', publicKey: 'vault-public.key', role: 'backup' });
  t.is(second?.['fingerprint'], readPublicKey(await folder.text('vault-public.key'), '').fingerprint);
  t.regex(stderr, /vault-private\.key is in the project/);
  t.regex(stderr, /To sign with it, now or if the signing key is lost: ota-hooks keys activate vault/);
  t.false((await folder.text('ota.config.json')).includes('PRIVATE'));
});

test('keys new creates the signing key of a project without keys, and keeps the rest of the configuration', async (t) => {
  const folder = await testFolder(t, { 'ota.config.json': '{\r\n\t"project": "door",\r\n\t"board": "d1"\r\n}\r\n' });
  t.is((await run(folder, 'keys new main --bits 1024')).exitCode, 0);
  const text = await folder.text('ota.config.json');
  t.true(text.startsWith('{\r\n\t"project": "door",\r\n\t"board": "d1",\r\n\t"keys": ['));
  t.notRegex(text.replaceAll('\r\n', ''), /\n/, 'all line ends are CRLF');
  t.like((await listOf(folder))[0], { name: 'main', publicKey: 'public.key', role: 'signing' });
  t.true((await folder.list()).includes('private.key'));
});

test('keys new requires a place for the private half of a backup key', async (t) => {
  const folder = await project(t, { keys: [main] });
  const { error } = await run(folder, 'keys new vault');
  t.is(error?.code, 'OPTION_MISSING');
  t.regex(error?.hint ?? '', /outside of the project/);
  t.deepEqual(await listOf(folder), [main]);
});

for (const [what, command, code] of [
  ['a name twice', 'keys add main --public-key old.key', 'KEY_NAME_TAKEN'],
  ['a key twice', 'keys add vault --public-key public.key', 'KEY_NAME_TAKEN'],
  ['an unprintable name', 'keys add a\u0007b --public-key old.key', 'OPTION_INVALID'],
  ['a private key', 'keys add vault --public-key private.key', 'KEY_IS_PRIVATE'],
  ['a missing file', 'keys add vault --public-key gone.key', 'KEY_NOT_FOUND'],
] as const) {
  test(`keys add rejects ${what}`, async (t) => {
    const folder = await project(t, { keys: [main] }, { 'private.key': old.privatePem });
    t.is((await run(folder, command)).error?.code, code);
    t.deepEqual(await listOf(folder), [main]);
  });
}

test('keys add accepts eleven keys of different sizes without the guard, and rejects by name what the guard cannot hold', async (t) => {
  const files = Object.fromEntries(
    Array.from({ length: 10 }, (_, at) => [`key${at}.key`, rsaPems(at === 9 ? 2048 : 1024).publicPem]),
  );
  const plain = await project(t, { keys: [main] }, files);
  for (let at = 0; at < 10; at += 1) {
    t.is((await run(plain, `keys add key${at} --public-key key${at}.key`)).exitCode, 0);
  }
  t.is((await listOf(plain)).length, 11);
  const guarded = await project(t, { guard: { product: 'door' }, keys: [main] }, files);
  for (let at = 0; at < 7; at += 1) {
    t.is((await run(guarded, `keys add key${at} --public-key key${at}.key`)).exitCode, 0);
  }
  const { error } = await run(guarded, 'keys add key7 --public-key key7.key');
  t.is(error?.code, 'GUARD_KEYS');
  t.regex(error?.message ?? '', /there are 9 keys, and a device can try at most 8/);
  t.is((await listOf(guarded)).length, 8, 'nothing was written');
});

test('keys activate and retire change the roles, and say what comes next', async (t) => {
  const folder = await project(t, { keys: [main, previous] });
  const activated = await run(folder, 'keys activate old');
  t.deepEqual(
    (await listOf(folder)).map(({ role }) => role),
    ['backup', 'signing'],
  );
  t.regex(activated.stderr, /pack IMAGE --hop main --private-key FILE/);
  t.regex(activated.stderr, /keys status shows when main may be retired/);
  t.is((await run(folder, 'keys retire old')).error?.code, 'KEY_ROLE', 'the signing key cannot be retired');
  const retired = await run(folder, 'keys retire main');
  t.deepEqual(
    (await listOf(folder)).map(({ role }) => role),
    ['retired', 'signing'],
  );
  t.regex(retired.stderr, /Keep the hop from main/);
  t.is((await run(folder, 'keys activate main')).error?.code, 'KEY_ROLE');
});

test('keys activate changes nothing if a public key was replaced', async (t) => {
  const folder = await project(t, { keys: [main, previous] }, { 'old.key': rsaPems().publicPem });
  t.is((await run(folder, 'keys activate old')).error?.code, 'KEY_NOT_RECORDED');
  t.deepEqual(await listOf(folder), [main, previous]);
});

test('rejects a list without exactly one signing key', async (t) => {
  const none = await project(t, { keys: [previous] });
  t.regex((await run(none, 'header --out out/h')).error?.message ?? '', /exactly one key with the role signing/);
  const two = await project(t, { keys: [main, { ...previous, role: 'signing' }] });
  t.regex((await run(two, 'header --out out/h')).error?.message ?? '', /exactly one key with the role signing, not 2/);
});

test('a hop contains the signing key and is signed with the previous key', async (t) => {
  const folder = await project(t, { keys: [main, previous] }, { 'old-private.key': old.privatePem });
  const packed = await run(folder, 'pack door.bin --hop old --private-key old-private.key');
  t.is(packed.exitCode, 0, packed.stderr);
  const manifest = JSON.parse(await folder.text('door.bin.ota.json'));
  t.is(manifest.signing.publicKey.fingerprint, doorKey.fingerprint);
  t.is(manifest.signing.previousKey.fingerprint, oldKey.fingerprint);
  t.is(manifest.enforcement, 'elf');
  t.is((await run(folder, 'verify door.bin.signed --public-key old.key')).exitCode, 0);
  t.is((await run(folder, 'verify door.bin.signed --public-key public.key')).exitCode, 1);
  const preflight = (key: string) =>
    run(folder, `preflight door.bin.ota.json --core 3.1.2 --signing required --key-fingerprint ${key} --json`);
  t.is((await preflight(oldKey.fingerprint)).exitCode, 0, (await preflight(oldKey.fingerprint)).stderr);
  t.regex((await preflight(doorKey.fingerprint)).stdout, /wrong-key/);
});

test('a hop can be signed on a different machine', async (t) => {
  const folder = await project(t, { keys: [main, previous] }, { 'old-private.key': old.privatePem });
  t.is((await run(folder, 'pack door.bin --hop old --unsigned')).exitCode, 0);
  const wrong = await project(t, {}, { 'other.key': rsaPems().privatePem });
  for (const name of ['door.bin.ota.json', 'door.bin.gz']) await wrong.write(name, await folder.read(name));
  t.is((await run(wrong, 'sign --manifest door.bin.ota.json --private-key other.key')).error?.code, 'KEYS_DONT_MATCH');
  const signed = await run(folder, 'sign --manifest door.bin.ota.json --private-key old-private.key');
  t.is(signed.exitCode, 0, signed.stderr);
  t.is((await run(folder, 'verify door.bin.gz.signed --public-key old.key')).exitCode, 0);
});

test('a hop is rejected with the signing key, with an unknown key, or with another private key', async (t) => {
  const folder = await project(
    t,
    { keys: [main, previous] },
    { 'private.key': door.privatePem, 'other.key': rsaPems().privatePem },
  );
  t.is((await run(folder, 'pack door.bin --hop main')).error?.code, 'HOP_KEY');
  t.is((await run(folder, 'pack door.bin --hop gone')).error?.code, 'KEY_NAME_UNKNOWN');
  for (const key of ['private.key', 'other.key']) {
    t.is((await run(folder, `pack door.bin --hop old --private-key ${key}`)).error?.code, 'KEY_NOT_RECORDED');
  }
});

test('keys status lists the keys without a server', async (t) => {
  const folder = await project(t, { keys: [main, previous] });
  const { stdout, stderr } = await run(folder, 'keys status');
  t.regex(stdout, /^main +signing +[0-9a-f]{16}…$/m);
  t.regex(stdout, /^old +backup +[0-9a-f]{16}…$/m);
  t.regex(stderr, /pass --server URL/);
});

test('doctor warns about the private half of a backup key in the project', async (t) => {
  const config = { keys: [main, previous] };
  const ini = { 'platformio.ini': '[env:d1]\nplatform = espressif8266\nboard = d1_mini\n' };
  const safe = await project(t, config, { ...ini, 'private.key': door.privatePem });
  t.notRegex((await run(safe, 'doctor')).stdout, /private half/);
  const unsafe = await project(t, config, { ...ini, 'secrets/vault.pem': old.privatePem });
  t.regex((await run(unsafe, 'doctor')).stdout, /secrets[\\/]vault\.pem is the private half of the backup key old/);
});
