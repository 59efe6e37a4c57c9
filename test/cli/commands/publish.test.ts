import { createHash, createPrivateKey } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { formatManifest } from '../../../src/core/model/manifest.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import type { ErrorCode, OtaError } from '../../../src/errors/ota-error.ts';
import { problem, scriptedServer } from '../../api/client/scripted-server.ts';
import { folderWith, nextDoor, packDoor, packedDoor } from '../../publishing/packed-door.ts';
import { testFilesystem } from '../../server/builds.ts';
import { door, elfWithoutVerifier } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const token = 'token-of-the-tests';
const unsigned = await packDoor({ version: '1.0.0', argv: ['--unsigned', '--public-key', 'public.key'] });
const unproven = await packDoor({ version: '1.0.0', withElf: false });
const nameless = await packDoor();

function publish(folder: TestFolder, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCommand(['publish', ...argv], { cwd: folder.path, env });
}

async function expectError(t: ExecutionContext, run: Promise<CommandRun>, code: ErrorCode): Promise<OtaError> {
  const { error, stdout, stderr } = await run;
  t.is(error?.code, code, error?.message);
  t.is(stdout, '');
  t.false(`${stderr}${error?.message}${error?.hint}`.includes(token));
  if (error === undefined) throw new Error('no error was thrown');
  return error;
}

/** A server that accepts every request and records it. */
function obligingServer(t: ExecutionContext) {
  return scriptedServer(t, ({ method, path, body, headers }) => {
    if (method === 'POST') {
      const { channel = 'stable' } = JSON.parse(body.toString());
      return { status: 201, json: { outcome: 'published', release: { channels: [channel] }, warnings: [] } };
    }
    const offset = method === 'PATCH' ? Number(headers['upload-offset']) + body.length : 0;
    return {
      status: 200,
      json: { sha256: path.slice(-64), offset, complete: offset === Number(headers['upload-length']) },
    };
  });
}

test('publish sends the manifest unchanged, with names from the manifest or the command line', async (t) => {
  const folder = await folderWith(t, { build: packedDoor, nameless });
  const server = await obligingServer(t);
  const to = ['--to', server.url.href, '--project', 'door'];
  const env = { OTA_TOKEN: token };
  t.is((await publish(folder, ['build/door.ino.bin', ...to], env)).exitCode, 0);
  const named = ['nameless/door.ino.bin', ...to, '--firmware-version', '2.0', '--channel', 'beta'];
  t.is((await publish(folder, named, env)).exitCode, 0);
  const requests = server.arrived.map(({ path, body }) => [path, JSON.parse(body.toString())]);
  const manifest = (build: string) => folder.text(`${build}/door.ino.bin.ota.json`);
  const common = { purpose: 'serve', allow: [] };
  t.deepEqual(requests, [
    [
      '/api/v1/projects/door/releases',
      { version: '1.0.0', channel: 'stable', ...common, manifest: await manifest('build') },
    ],
    [
      '/api/v1/projects/door/releases',
      { version: '2.0', channel: 'beta', ...common, manifest: await manifest('nameless') },
    ],
  ]);
});

test('publish --notes sends the text of a file, and rejects notes that no server can store', async (t) => {
  const folder = await folderWith(t, { build: packedDoor });
  await folder.write('notes.md', '# 1.0\r\n\n* Opens faster\n');
  await folder.write('long.md', 'x'.repeat(16_385));
  const server = await obligingServer(t);
  const argv = ['build/door.ino.bin', '--project', 'door', '--notes'];
  const env = { OTA_TOKEN: token };
  t.is((await publish(folder, [...argv, 'notes.md', '--to', server.url.href], env)).exitCode, 0);
  t.is(JSON.parse(server.arrived[0]?.body.toString() ?? '').notes, '# 1.0\r\n\n* Opens faster\n');
  const long = publish(folder, [...argv, 'long.md', '--to', server.url.href], env);
  t.regex((await expectError(t, long, 'OPTION_INVALID')).message, /at most 16384 characters/);
  const missing = publish(folder, [...argv, 'none.md', '--to', server.url.href], env);
  t.regex((await expectError(t, missing, 'FILE_NOT_FOUND')).message, /^Release notes not found/);
  const elsewhere = publish(folder, [...argv, 'notes.md', '--to', './releases']);
  t.regex((await expectError(t, elsewhere, 'OPTIONS_CONFLICT')).hint, /Publish to an update server/);
  t.is(server.arrived.length, 1);
});

test('publish prints one document with --json, otherwise a message on stderr', async (t) => {
  const folder = await folderWith(t, { build: packedDoor });
  const server = await obligingServer(t);
  const argv = ['build', '--to', server.url.href, '--project', 'door'];
  const env = { OTA_TOKEN: token };
  const { stdout } = await publish(folder, [...argv, '--json'], env);
  const { to, published } = JSON.parse(stdout);
  t.is(to, server.url.href);
  t.is(published.length, 1);
  const { outcome, project, version, kind, board, channel, current, artifacts } = published[0];
  t.deepEqual(
    { outcome, project, version, kind, board, channel, current },
    {
      outcome: 'published',
      project: 'door',
      version: '1.0.0',
      kind: 'sketch',
      board: 'd1_mini',
      channel: 'stable',
      current: true,
    },
  );
  t.is(artifacts.length, 4);
  const { stderr, stdout: silence } = await publish(folder, argv, env);
  t.is(silence, '');
  t.regex(stderr, /Published door 1\.0\.0 \(sketch, d1_mini\) on stable: http:/);
});

test('publish rejects options that contradict the manifest', async (t) => {
  const folder = await folderWith(t, { build: packedDoor }, { 'www/index.html': '' });
  const argv = ['build/door.ino.bin', '--to', './www', '--project', 'door', '--firmware-version', '1.0.1'];
  const error = await expectError(t, publish(folder, argv), 'NAME_MISMATCH');
  t.regex(error.message, /packed as version 1\.0\.0, not 1\.0\.1/);
});

test('publish rejects a destination that is neither a URL nor a path, and creates no folder', async (t) => {
  const config = JSON.stringify({ project: 'door', publish: { to: 'github' } });
  const folder = await folderWith(t, { build: packedDoor }, { 'other.json': config });
  const argv = ['build/door.ino.bin', '--project', 'door'];
  for (const to of ['github', 'ota.example.com', 'localhost:8266']) {
    const error = await expectError(t, publish(folder, [...argv, '--to', to]), 'DESTINATION_AMBIGUOUS');
    t.true(error.message.includes(JSON.stringify(to)));
    await expectError(t, publish(folder, argv, { OTA_SERVER: to }), 'DESTINATION_AMBIGUOUS');
  }
  await expectError(t, publish(folder, [...argv, '--config', 'other.json']), 'DESTINATION_AMBIGUOUS');
  t.deepEqual((await readdir(folder.path)).sort(), ['build', 'other.json']);
});

test('publish rejects a missing or invalid project, version or channel', async (t) => {
  const folder = await folderWith(t, { nameless, build: packedDoor }, { 'www/index.html': '' });
  const to = ['--to', './www'];
  const cases: [string[], ErrorCode, RegExp][] = [
    [['build'], 'OPTION_MISSING', /requires a project/],
    [['nameless', '--project', 'door'], 'OPTION_MISSING', /requires a version/],
    [['build', '--project', 'the door'], 'OPTION_INVALID', /project "the door": must be/],
    [['build', '--project', '../door'], 'OPTION_INVALID', /project/],
    [['build', '--project', 'door', '--channel', '@stable'], 'OPTION_INVALID', /channel/],
    [['nameless', '--project', 'door', '--firmware-version', 'one two'], 'OPTION_INVALID', /version "one two"/],
  ];
  for (const [argv, code, message] of cases) {
    t.regex((await expectError(t, publish(folder, [...argv, ...to]), code)).message, message);
  }
});

test('publish rejects images that have not been packed', async (t) => {
  const folder = await folderWith(t, {}, { 'door.ino.bin': door.bin, 'www/index.html': '' });
  const to = ['--to', './www', '--project', 'door'];
  await expectError(t, publish(folder, ['door.ino.bin', ...to]), 'MANIFEST_MISSING');
  await expectError(t, publish(folder, ['dor.ino.bin', ...to]), 'FILE_NOT_FOUND');
  await expectError(t, publish(folder, to), 'IMAGES_NONE');
});

test('publish rejects an artifact that changed after packing', async (t) => {
  const gz = Buffer.from(packedDoor['door.ino.bin.gz.signed'] ?? []);
  gz[1000] = (gz[1000] ?? 0) ^ 1;
  const folder = await folderWith(
    t,
    { build: { ...packedDoor, 'door.ino.bin.gz.signed': gz } },
    { 'www/index.html': '' },
  );
  await expectError(t, publish(folder, ['build', '--to', './www', '--project', 'door']), 'ARTIFACT_CHANGED');
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('www/')),
    ['www/index.html'],
  );
});

test('publish rejects a signature that does not verify despite a matching manifest', async (t) => {
  const bytes = signFile(door.bin, createPrivateKey(door.privatePem), 'legacy');
  const digest = (name: string) => createHash(name).update(bytes).digest('hex');
  const manifest = JSON.parse(Buffer.from(packedDoor['door.ino.bin.ota.json'] ?? []).toString());
  const isSigned = ({ file }: { file: string }) => file === 'door.ino.bin.signed';
  Object.assign(manifest.artifacts.find(isSigned), { md5: digest('md5'), sha256: digest('sha256') });
  const text = Buffer.from(JSON.stringify(manifest));
  const build = { ...packedDoor, 'door.ino.bin.signed': bytes, 'door.ino.bin.ota.json': text };
  const folder = await folderWith(t, { build }, { 'www/index.html': '' });
  const error = await expectError(t, publish(folder, ['build', '--to', './www', '--project', 'door']), 'NOT_ACCEPTED');
  t.regex(error.message, /door\.ino\.bin\.signed.*ERROR\[12\]/);
});

test('publish rejects an unsigned build for a project with a key', async (t) => {
  const folder = await folderWith(t, { build: unsigned }, { 'www/index.html': '' });
  const error = await expectError(
    t,
    publish(folder, ['build', '--to', './www', '--project', 'door']),
    'NOT_SIGNED_YET',
  );
  t.regex(error.hint, /sign --private-key private\.key --manifest .*door\.ino\.bin\.ota\.json/);
});

test('publish exits with 3 on unproven enforcement unless --allow names the rule', async (t) => {
  const folder = await folderWith(t, { build: unproven }, { 'www/index.html': '' });
  const argv = ['build', '--to', './www', '--project', 'door'];
  const error = await expectError(t, publish(folder, argv), 'UPDATE_BLOCKED');
  t.is(error.exitCode, 3);
  t.regex(`${error.message} ${error.hint}`, /enforcement-unproven/);
  t.is((await publish(folder, [...argv, '--allow', 'no-space'])).exitCode, 3);
  t.is((await publish(folder, [...argv, '--allow', 'enforcement-unprovn'])).exitCode, 2);
  t.is((await publish(folder, [...argv, '--allow', 'enforcement-unproven'])).exitCode, 0);
});

test('publish passes --allow to the server', async (t) => {
  const folder = await folderWith(t, { build: unproven });
  const server = await obligingServer(t);
  const argv = ['build', '--to', server.url.href, '--project', 'door', '--allow', 'enforcement-unproven'];
  t.is((await publish(folder, argv, { OTA_TOKEN: token })).exitCode, 0);
  t.deepEqual(JSON.parse(server.arrived[0]?.body.toString() ?? '{}').allow, ['enforcement-unproven']);
});

test("publish always rejects an image that contains the project's private key, but --allow permits other private keys", async (t) => {
  for (const [pem, code] of [
    [door.privatePem, 'PRIVATE_KEY_INSIDE'],
    [rsaPems().privatePem, 'UPDATE_BLOCKED'],
  ] as const) {
    const signer = keyFileSigner(readPrivateKey(door.privatePem, 'the key of the door'));
    const { manifest, files } = await testFilesystem({ content: Buffer.from(`a page\n${pem}`), version: '1', signer });
    const build = { ...Object.fromEntries(files), 'littlefs.bin.ota.json': Buffer.from(formatManifest(manifest)) };
    const folder = await folderWith(t, { build }, { 'www/index.html': '' });
    const argv = ['build', '--to', './www', '--project', 'door'];
    await expectError(t, publish(folder, argv), code);
    const allowed = await publish(folder, [...argv, '--allow', 'private-key-inside']);
    t.is(allowed.exitCode, code === 'UPDATE_BLOCKED' ? 0 : 1);
  }
});

test('publish rejects several versions or several builds of the same version in one run', async (t) => {
  const other = await packDoor({ version: '1.0.0', board: 'd1_mini', network: 'other' });
  const folder = await folderWith(
    t,
    { 'all/a': packedDoor, 'all/b': nextDoor, 'same/a': packedDoor, 'same/b': other },
    { 'www/index.html': '' },
  );
  const to = ['--to', './www', '--project', 'door'];
  t.regex((await expectError(t, publish(folder, ['all', ...to]), 'RELEASES_CLASH')).message, /different versions/);
  t.regex((await expectError(t, publish(folder, ['same', ...to]), 'RELEASES_CLASH')).message, /several builds/);
});

test('publish without arguments finds builds through the configuration or in the source folder', async (t) => {
  const config = { project: 'door', images: ['out/*.bin'], publish: { to: './www' } };
  const folder = await folderWith(
    t,
    { out: packedDoor, '.pio/build/d1': nextDoor },
    { 'www/index.html': '', 'ota.config.json': JSON.stringify(config), 'other.json': '{"project":"door"}' },
  );
  const { stdout } = await publish(folder, ['--json']);
  t.deepEqual(
    JSON.parse(stdout).published.map(({ version }: { version: string }) => version),
    ['1.0.0'],
  );
  const argv = ['--json', '--config', 'other.json', '--to', './www', '--source', '.pio'];
  const hidden = await publish(folder, argv);
  t.deepEqual(
    JSON.parse(hidden.stdout).published.map(({ version }: { version: string }) => version),
    ['1.1.0'],
  );
});

test('publish reads the token only from the environment and reports a missing token', async (t) => {
  const folder = await folderWith(t, { build: packedDoor });
  const server = await obligingServer(t);
  const argv = ['build', '--to', server.url.href, '--project', 'door'];
  t.regex((await expectError(t, publish(folder, argv), 'SECRET_MISSING')).message, /OTA_TOKEN/);
  t.is((await publish(folder, [...argv, '--token-env', 'MINE'], { MINE: `${token}\n` })).exitCode, 0);
  t.is(server.arrived.at(-1)?.headers.authorization, `Bearer ${token}`);
  await expectError(t, publish(folder, argv, { OTA_TOKEN: `${token}\r\nX-Header: 1` }), 'TOKEN_INVALID');
  t.is((await publish(folder, [...argv, '--token', token])).exitCode, 2);
});

test('publish rejects URLs with credentials, a query, a fragment or an unsupported scheme without printing secrets', async (t) => {
  const folder = await folderWith(t, { build: packedDoor });
  for (const to of [
    `https://admin:${token}@ota.example.com`,
    'ftp://ota.example.com',
    `https://ota.example.com/?token=${token}`,
    'https://ota.example.com/#there',
    'https://',
  ]) {
    const argv = ['build', '--project', 'door', '--to', to];
    await expectError(t, publish(folder, argv, { OTA_TOKEN: token }), 'SERVER_URL_INVALID');
  }
  await expectError(t, publish(folder, ['build', '--project', 'door']), 'DESTINATION_MISSING');
});

test('publish sends the token to a configured URL only when OTA_TOKEN_ORIGIN matches', async (t) => {
  const server = await obligingServer(t);
  const config = JSON.stringify({ project: 'door', publish: { to: server.url.href } });
  const folder = await folderWith(t, { build: packedDoor }, { 'ota.config.json': config });
  const { origin } = server.url;
  for (const bound of [{}, { OTA_TOKEN_ORIGIN: 'https://ota.example.com' }, { OTA_TOKEN_ORIGIN: `${origin}0` }]) {
    const error = await expectError(t, publish(folder, ['build'], { OTA_TOKEN: token, ...bound }), 'TOKEN_UNBOUND');
    t.is(error.exitCode, 2);
    t.true(error.hint.includes(`OTA_TOKEN_ORIGIN=${origin}`));
  }
  t.deepEqual(server.arrived, []);
  t.is((await publish(folder, ['build'], { OTA_TOKEN: token, OTA_TOKEN_ORIGIN: `${origin}/any/path` })).exitCode, 0);
  t.is((await publish(folder, ['build', '--to', server.url.href], { OTA_TOKEN: token })).exitCode, 0);
  // OTA_TOKEN_ORIGIN must match even a URL on the command line.
  const env = { OTA_TOKEN: token, OTA_TOKEN_ORIGIN: 'https://ota.example.com' };
  await expectError(t, publish(folder, ['build', '--to', server.url.href], env), 'TOKEN_UNBOUND');
});

test('publish accepts the server URL from the environment without OTA_TOKEN_ORIGIN', async (t) => {
  const server = await obligingServer(t);
  const config = JSON.stringify({ project: 'door', publish: { to: { env: 'OTA_SERVER' } } });
  const folder = await folderWith(t, { build: packedDoor }, { 'ota.config.json': config });
  t.is((await publish(folder, ['build'], { OTA_TOKEN: token, OTA_SERVER: server.url.href })).exitCode, 0);
  await expectError(t, publish(folder, ['build'], { OTA_TOKEN: token }), 'SECRET_MISSING');
  const argv = ['build', '--config', 'without.json', '--project', 'door'];
  await folder.write('without.json', '{}');
  t.is((await publish(folder, argv, { OTA_TOKEN: token, OTA_SERVER: server.url.href })).exitCode, 0);
  await expectError(t, publish(folder, argv, { OTA_TOKEN: token, OTA_SERVER: '' }), 'DESTINATION_MISSING');
});

test('publish resolves a configured destination folder relative to the configuration file', async (t) => {
  const config = JSON.stringify({ project: 'door', publish: { to: '../www' } });
  const folder = await folderWith(
    t,
    { 'tree/sketch/build': packedDoor },
    {
      'tree/sketch/ota.config.json': config,
      'tree/www/index.html': '',
      'tree/.git/HEAD': '',
      'tree/.git/objects/.keep': '',
    },
  );
  t.is((await publish(folder, ['tree/sketch/build', '--source', 'tree/sketch'])).exitCode, 0);
  t.truthy(await folder.read('tree/www/door/@stable/door.ino.bin.signed'));
});

test('publish never sends files that the manifest does not list', async (t) => {
  const folder = await folderWith(t, { build: packedDoor });
  const missing = [{ file: '/etc/passwd', sha256: 'a'.repeat(64), sizeBytes: 1000 }];
  const server = await scriptedServer(t, () => problem(409, 'blobs-missing', { missing }));
  const argv = ['build', '--to', server.url.href, '--project', 'door'];
  await expectError(t, publish(folder, argv, { OTA_TOKEN: token }), 'SERVER_REJECTED');
  t.is(server.arrived.length, 1);
});

test('publish maps server errors to CLI error codes', async (t) => {
  const folder = await folderWith(t, { build: packedDoor });
  const blockedBy = [{ rule: 'no-ota', message: 'there is no Updater in it', fix: 'take it in' }];
  for (const [reply, code, exitCode] of [
    [problem(409, 'version-taken'), 'VERSION_TAKEN', 1],
    [problem(422, 'blocked', { blockedBy }), 'UPDATE_BLOCKED', 3],
    [problem(403, 'role-missing'), 'SERVER_REJECTED', 1],
    [problem(422, 'not-as-described', { problems: ['one', 'two'] }), 'SERVER_REJECTED', 1],
    [{ status: 200, json: { outcome: 'perhaps' } }, 'SERVER_NOT_OURS', 1],
  ] as const) {
    const server = await scriptedServer(t, () => reply);
    const argv = ['build', '--to', server.url.href, '--project', 'door'];
    const error = await expectError(t, publish(folder, argv, { OTA_TOKEN: token }), code);
    t.is(error.exitCode, exitCode);
  }
});

test('publish --reference registers a past build from a raw, signed or compressed file', async (t) => {
  const key = createPrivateKey(door.privatePem);
  const gzip = gzipSync(door.bin);
  const folder = await testFolder(t, {
    'old/raw.bin': door.bin,
    'old/signed.bin.signed': signFile(door.bin, key, 'current'),
    'old/both.bin.gz.signed': signFile(gzip, key, 'current'),
    'old/proven.bin': door.bin,
    'old/proven.elf': door.elf,
    'old/careless.bin': door.bin,
    'old/careless.elf': elfWithoutVerifier(),
  });
  const server = await obligingServer(t);
  const to = ['--to', server.url.href, '--project', 'door', '--board', 'd1_mini'];
  const known = async (file: string) => {
    const argv = ['--reference', `old/${file}`, '--firmware-version', '0.9', ...to];
    const { exitCode, error } = await publish(folder, argv, { OTA_TOKEN: token });
    t.is(exitCode, 0, error?.message);
    const { purpose, manifest, version } = JSON.parse(server.arrived.at(-1)?.body.toString() ?? '{}');
    t.is(purpose, 'reference');
    t.is(version, '0.9');
    return JSON.parse(manifest);
  };
  const raw = await known('raw.bin');
  t.is(raw.image.sketchMd5s.length, 112);
  t.is(raw.board, 'd1_mini');
  for (const file of ['signed.bin.signed', 'both.bin.gz.signed']) {
    const { image } = await known(file);
    t.is(image.sha256, raw.image.sha256, file);
    t.is(image.file, `${file.split('.')[0]}.bin`);
  }
  // Only an ELF can show whether a build verifies updates; careless.bin has an ELF without the verifier.
  t.is(raw.enforcement, 'unproven');
  t.is((await known('proven.bin')).enforcement, 'elf');
  const careless = await known('careless.bin');
  t.is(careless.enforcement, 'unproven');
  t.is(careless.signing.publicKey, undefined);
});

test('publish --reference uses the manifest of a packed build', async (t) => {
  const folder = await folderWith(t, { old: packedDoor });
  const server = await obligingServer(t);
  const argv = ['--reference', 'old/door.ino.bin', '--to', server.url.href, '--project', 'door'];
  t.is((await publish(folder, argv, { OTA_TOKEN: token })).exitCode, 0);
  const { version, manifest } = JSON.parse(server.arrived[0]?.body.toString() ?? '{}');
  t.is(version, '1.0.0');
  t.is(manifest, await folder.text('old/door.ino.bin.ota.json'));
});

test('publish --reference requires a version and a sketch', async (t) => {
  const config = JSON.stringify({ project: 'door', version: '2.0' });
  const folder = await testFolder(t, {
    'ota.config.json': config,
    'old.bin': door.bin,
    'files.bin': buildLittleFs({ blockCount: 4 }),
    'empty.bin': '',
  });
  const server = await obligingServer(t);
  const known = (file: string, ...more: string[]) =>
    publish(folder, ['--reference', file, '--to', server.url.href, ...more], { OTA_TOKEN: token });
  await expectError(t, known('old.bin'), 'OPTION_MISSING');
  await expectError(t, known('files.bin', '--firmware-version', '1'), 'IMAGE_WRONG_KIND');
  await expectError(t, known('empty.bin', '--firmware-version', '1'), 'IMAGE_EMPTY');
  await expectError(t, known('none.bin', '--firmware-version', '1'), 'FILE_NOT_FOUND');
  await expectError(t, publish(folder, ['old.bin', '--reference', 'old.bin', '--to', './www']), 'OPTIONS_CONFLICT');
  t.deepEqual(server.arrived, []);
});

test('publish --after-build does nothing unless the configuration enables it', async (t) => {
  for (const [publishing, env] of [
    [undefined, {}],
    [{ to: './www', afterBuild: false }, {}],
    [{ to: './www', afterBuild: { env: 'RELEASE' } }, {}],
    [{ to: './www', afterBuild: { env: 'RELEASE' } }, { RELEASE: '' }],
    [{ to: './www', afterBuild: { env: 'RELEASE' } }, { RELEASE: 'false' }],
  ] as const) {
    const { folder, started } = await afterBuild(t, publishing, env);
    t.is(started, undefined);
    t.deepEqual(
      (await folder.list()).filter((name) => name === 'started.json'),
      [],
    );
  }
});

test('publish --after-build runs in a process without the key secrets', async (t) => {
  const config = { to: './www', afterBuild: { env: 'RELEASE' } };
  const env = {
    RELEASE: '1',
    PATH: '/usr/bin',
    OTA_TOKEN: token,
    KEY: 'the name says nothing',
    KEY_PASSPHRASE: 'passphrase of the configuration',
    MORE: 'passphrase of the command line',
    FORGOTTEN: `x${door.privatePem}`,
    ENCODED: Buffer.from(door.privatePem).toString('base64'),
    OTA_PRIVATE_KEY_OTHER: 'key of another project',
    OTA_PASSPHRASE: 'usual passphrase',
    OTHER_PASSPHRASE: 'passphrase of another program',
  };
  const { started, folder } = await afterBuild(t, config, env, ['--passphrase-env', 'MORE']);
  t.deepEqual(started?.env, { RELEASE: '1', PATH: '/usr/bin', OTA_TOKEN: token, OTA_SIGNING_LOG: 'off' });
  const file = folder.at('build/door.ino.bin');
  const expected = ['publish', file, '--source', folder.path, '--config', folder.at('ota.config.json')];
  t.deepEqual(started?.argv, expected);
});

test('publish --after-build fails the build when publishing fails', async (t) => {
  const { error } = await afterBuild(t, { to: './www', afterBuild: true }, { FAIL: '3' });
  t.is(error?.code, 'PUBLISH_AFTER_BUILD_FAILED');
  t.regex(error?.message ?? '', /^The build was not published: `ota-hooks publish` failed with exit code 3$/);
});

/** Runs `publish --after-build` with a fake CLI that records its arguments and environment. */
async function afterBuild(
  t: ExecutionContext,
  publishing: object | undefined,
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
) {
  const config = {
    project: 'door',
    privateKey: { env: 'KEY' },
    passphrase: { env: 'KEY_PASSPHRASE' },
    publish: publishing,
  };
  const note = `
    import { writeFileSync } from 'node:fs';
    writeFileSync(import.meta.dirname + '/started.json', JSON.stringify({ argv: process.argv.slice(2), env: process.env }));
    process.exitCode = Number(process.env.FAIL ?? 0);
  `;
  const folder = await folderWith(
    t,
    { build: packedDoor },
    { 'ota.config.json': JSON.stringify(config), 'cli.mjs': note },
  );
  await mkdir(folder.at('www'));
  const argv = ['publish', 'build/door.ino.bin', '--after-build', '--source', '.', ...more];
  const { error } = await runCommand(argv, { cwd: folder.path, env, cli: folder.at('cli.mjs') });
  const started = await readFile(folder.at('started.json'), 'utf8').then(JSON.parse, () => undefined);
  return { folder, started, error };
}
