import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { gzipSync } from 'fflate';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import type { DeviceFacts } from '../../../src/core/model/device-facts.ts';
import { noisyBytes } from '../../core/device-model/recipes.ts';
import { builtSketch, door, fullDoor } from '../../support/built-sketch.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const { fingerprint } = readPublicKey(door.publicPem, '');

/** Complete facts about a device with the same core, key and flash layout as the build. */
const facts: DeviceFacts = {
  core: '3.1.2',
  signing: 'required',
  keyFingerprint: fingerprint,
  flashMode: 'dio',
  chipSizeBytes: 0x400000,
  fsStart: 0x200000,
  fsEnd: 0x3fa000,
  sketchSizeBytes: 300_000,
  transport: 'espota',
  atomicFs: false,
};

async function packed(t: Parameters<typeof builtSketch>[0], files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const folder = await builtSketch(t, { 'facts.json': JSON.stringify(facts), ...files });
  await runCommand(['pack', 'build/door.ino.bin', '--legacy'], { cwd: folder.path });
  return folder;
}

interface Finding {
  readonly artifact: string;
  readonly rule: string;
  readonly message: string;
  readonly fix: string;
  readonly fixes: readonly { readonly action: string; readonly artifact?: string }[];
}

interface Document {
  readonly safe: boolean;
  readonly device: DeviceFacts;
  readonly plan: { readonly kind: string; readonly steps: readonly { readonly artifact: string }[] };
  readonly blockedBy: readonly Finding[];
  readonly blockedArtifacts: readonly { readonly artifact: string; readonly blockedBy: readonly Finding[] }[];
  readonly warnings: readonly { readonly rule: string }[];
  readonly alternative: string | null;
  readonly unusableVia: readonly { readonly file: string; readonly reason: string }[];
  readonly intermediate: { readonly mostBytes: number; readonly lastArtifact: string } | null;
}

async function preflight({ path }: TestFolder, file: string, ...argv: readonly string[]) {
  const { exitCode, stdout, error } = await runCommand(['preflight', file, '--json', ...argv], { cwd: path });
  // The assertions in the tests check the structure of the document. An error without a result has no document.
  const printed = JSON.parse(stdout);
  const document: Document | undefined = 'plan' in printed ? printed : undefined;
  return { exitCode, document, error, rules: document?.blockedBy.map(({ rule }) => rule) };
}

test('preflight suggests the nearest device of the configuration for an unknown name', async (t) => {
  const folder = await packed(t);
  await folder.write('ota.config.json', JSON.stringify({ devices: { 'front-door': { address: '192.0.2.7' } } }));
  const { error } = await preflight(folder, 'build/door.ino.bin.gz.signed', '--device', 'front-dor');
  t.is(error?.code, 'FILE_NOT_FOUND');
  t.is(error?.hint, 'Did you mean front-door? Check the path.');
});

test('preflight exits with 0 and prints the artifact to send when the file is safe', async (t) => {
  const folder = await packed(t);
  const { exitCode, document } = await preflight(folder, 'build/door.ino.bin.gz.signed', '--device', 'facts.json');
  t.is(exitCode, 0);
  t.like(document, { safe: true, blockedBy: [], warnings: [] });
  t.deepEqual(
    document?.plan.steps.map(({ artifact }) => artifact),
    ['door.ino.bin.gz.signed'],
  );
  t.deepEqual(document?.device, facts);
});

test('preflight exits with 3 and prints the rule, its facts and a safe alternative when blocked', async (t) => {
  const folder = await packed(t);
  const argv = ['--device', 'facts.json', '--core', '2.7.4'];
  const { exitCode, document, error } = await preflight(folder, 'build/door.ino.bin.gz.signed', ...argv);
  t.is(exitCode, 3);
  t.is(error?.code, 'UPDATE_BLOCKED');
  t.regex(error?.message ?? '', /door\.ino\.bin\.gz\.signed is blocked by gz-signed-old-core: /);
  t.like(document?.blockedBy[0], { rule: 'gz-signed-old-core' });
  t.regex(document?.blockedBy[0]?.message ?? '', /2\.7\.4.* 256 /);
  t.is(document?.blockedBy[0]?.fixes[0]?.artifact, 'door.ino.bin.signed');
  t.regex(error?.hint ?? '', /^Send door\.ino\.bin\.signed, or update in two hops/);
  t.is(document?.alternative, 'door.ino.bin.signed');
});

test('preflight prints the verdict, the rule and the alternative as text', async (t) => {
  const folder = await packed(t);
  const run = (...argv: string[]) =>
    runCommand(['preflight', ...argv, '--device', 'facts.json'], { cwd: folder.path }).then(({ stdout }) => stdout);
  t.regex(await run('build/door.ino.bin.gz.signed'), /^safe +send door\.ino\.bin\.gz\.signed \(\d+ bytes\)$/m);
  const blockedBy = await run('build/door.ino.bin');
  t.regex(blockedBy, /^blocked +door\.ino\.bin: unsigned-to-signed$/m);
  t.regex(blockedBy, /^safe +door\.ino\.bin\.gz\.signed, from the same build$/m);
});

test('preflight prints one row for each artifact of a blocked build, and explains the best candidate once', async (t) => {
  const folder = await packed(t);
  const file = 'build/door.ino.bin.ota.json';
  const argv = ['--device', 'facts.json', '--flash-mode', 'dout'];
  const { document, error } = await preflight(folder, file, ...argv);
  t.deepEqual(
    document?.blockedBy.map(({ artifact, rule, fixes }) => ({ artifact, rule, fixes })),
    [
      {
        artifact: 'door.ino.bin.signed',
        rule: 'flash-mode-signed',
        fixes: [{ action: 'build', flashMode: 'dout' }],
      },
    ],
  );
  t.regex(
    error?.message ?? '',
    /door\.ino\.bin\.ota\.json is blocked by flash-mode-signed in door\.ino\.bin\.signed: the image has flash mode dio, but/,
  );
  t.regex(error?.hint ?? '', /^Build the image for flash mode dout\. Pass --allow flash-mode-signed only if/);
  const rows = document?.blockedArtifacts.map(
    (each) => `blocked  ${each.artifact}: ${each.blockedBy.map(({ rule }) => rule).join(', ')}`,
  );
  t.is(rows?.length, 5);
  const run = (...more: string[]) => runCommand(['preflight', file, ...argv, ...more], { cwd: folder.path });
  const { stdout, stderr } = await run();
  t.deepEqual(stdout.trimEnd().split('\n'), rows);
  t.is(stderr, '', 'the error contains the reason');
  const verbose = (await run('--verbose')).stderr;
  t.regex(verbose, /^door\.ino\.bin is blocked by unsigned-to-signed: .* fix: fix what blocks door\.ino\.bin\.signed/m);
  t.notRegex(verbose, /door\.ino\.bin\.signed is blocked by/);
});

test('preflight selects the best artifact in a manifest for the device', async (t) => {
  const folder = await packed(t);
  const plan = async (...argv: string[]) => {
    const { document } = await preflight(folder, 'build/door.ino.bin.ota.json', '--device', 'facts.json', ...argv);
    return document?.plan.steps.map(({ artifact }) => artifact.replace('door.ino.bin', ''));
  };
  t.deepEqual(await plan(), ['.gz.signed']);
  t.deepEqual(await plan('--core', '2.7.4'), ['.signed']);
  t.deepEqual(await plan('--core', '2.5.2'), ['.legacy_sig']);
  t.deepEqual(await plan('--signing', 'none'), ['.gz']);
});

test('preflight accepts only the raw signed sketch when there are no device facts', async (t) => {
  const folder = await packed(t, { 'nothing.json': '{}' });
  const codes = new Map<string, number>();
  for (const suffix of ['', '.signed', '.gz', '.gz.signed']) {
    const { exitCode } = await preflight(folder, `build/door.ino.bin${suffix}`, '--device', 'nothing.json');
    codes.set(suffix, exitCode);
  }
  t.deepEqual(Object.fromEntries(codes), { '': 3, '.signed': 0, '.gz': 3, '.gz.signed': 3 });
});

test('preflight inspects a file without a manifest', async (t) => {
  const flipped = Buffer.from(door.bin);
  flipped.writeUInt8(flipped.readUInt8(0x2000) ^ 1, 0x2000);
  const folder = await builtSketch(t, {
    'bare.bin': door.bin,
    'bare.bin.gz': gzipSync(door.bin),
    'flipped.bin': flipped,
    'twice.gz': Buffer.concat([gzipSync(door.bin), gzipSync(door.bin)]),
    'notes.txt': 'hello',
    empty: '',
    'bomb.gz': gzipSync(new Uint8Array(20 * 1024 * 1024)),
  });
  const unsigned = ['--signing', 'none', '--flash-mode', 'dio', '--core', '3.1.2', '--layout', '4m2m'];
  const check = (file: string, ...argv: string[]) =>
    preflight(folder, file, ...unsigned, '--transport', 'espota', ...argv);
  t.deepEqual((await check('bare.bin')).rules, []);
  t.deepEqual((await check('bare.bin.gz')).rules, []);
  t.deepEqual((await check('flipped.bin')).rules, ['corrupt-image']);
  t.deepEqual((await check('twice.gz')).rules, ['trailing-data']);
  t.true((await check('notes.txt')).rules?.includes('corrupt-image'));
  t.true((await check('empty')).rules?.includes('corrupt-image'));
  t.true((await check('bomb.gz')).rules?.includes('inflate-over-fs'));
});

test('preflight options set device facts, with sizes in bytes, hex, K and M and linker addresses', async (t) => {
  const folder = await packed(t);
  const { document } = await preflight(
    folder,
    'build/door.ino.bin',
    ...['--core', '3.1.2', '--signing', 'none', '--key-fingerprint', fingerprint.toUpperCase(), '--format', 'current'],
    ...['--flash-mode', 'dio', '--chip-size', '4M', '--fs-start', '0x40400000', '--fs-end', '0x3FA000'],
    ...['--sketch-size', '300000', '--transport', 'web', '--no-atomic-fs', '--kind', 'sketch', '--board', 'd1_mini'],
  );
  t.deepEqual(document?.device, {
    ...facts,
    signing: 'none',
    format: 'current',
    transport: 'web',
    kind: 'sketch',
    board: 'd1_mini',
  });
});

test('preflight options override the facts file, and --layout accepts a name', async (t) => {
  const folder = await packed(t);
  const { document } = await preflight(
    folder,
    'build/door.ino.bin.signed',
    '--device',
    'facts.json',
    '--layout',
    '1m64',
  );
  t.like(document?.device, { fsStart: 0xeb000, fsEnd: 0xfb000, chipSizeBytes: 0x100000, core: '3.1.2' });
});

test('preflight finds a device in the configuration by name', async (t) => {
  const config = JSON.stringify({
    devices: { 'front-door': { address: '192.168.1.20', board: 'd1_mini', facts: { core: '2.7.4', signing: 'none' } } },
  });
  const folder = await packed(t, { 'ota.config.json': config });
  const { document } = await preflight(folder, 'build/door.ino.bin.signed', '--device', 'front-door');
  t.like(document?.device, { core: '2.7.4', signing: 'none', board: 'd1_mini' });
});

const request = (sketchMd5: string): string =>
  [
    'GET /update/door HTTP/1.0',
    'Host: 192.168.1.5',
    'User-Agent: ESP8266-http-Update',
    'X-ESP8266-Free-Space: 1810432',
    'x-esp8266-sketch-size: 285024',
    `x-ESP8266-sketch-md5: ${sketchMd5}`,
    'x-ESP8266-chip-size: 4194304',
    'x-ESP8266-mode: sketch',
    '',
    '',
  ].join('\r\n');

test('preflight reads facts from a saved request, and additional facts from a reference build', async (t) => {
  const md5 = createHash('md5').update(door.bin).digest('hex');
  const folder = await packed(t, { 'request.txt': request(md5) });
  const manifest = 'build/door.ino.bin.ota.json';
  const bare = await preflight(folder, manifest, '--request', 'request.txt');
  t.deepEqual(bare.document?.device, {
    transport: 'http',
    kind: 'sketch',
    chipSizeBytes: 0x400000,
    sketchSizeBytes: 285_024,
    fsStart: 0x200000,
  });
  t.is(bare.document?.plan.steps[0]?.artifact, 'door.ino.bin.signed');
  const known = await preflight(folder, manifest, '--request', 'request.txt', '--reference', manifest);
  t.like(known.document?.device, { core: '3.1.2', signing: 'required', flashMode: 'dio', fsEnd: 0x3fa000 });
  t.is(known.document?.plan.steps[0]?.artifact, 'door.ino.bin.gz.signed');
});

test('preflight finds an upgrade path through the builds passed with --via', async (t) => {
  const content = concatBytes(Buffer.from(`${door.publicPem}\0Not Enough Space\0`), noisyBytes(700_000, 0.2, 1));
  const large = buildImage({ flashContent: content, modeByte: 2, sizeAndFrequencyByte: 0x20 });
  const folder = await packed(t, { 'large.bin': large });
  await runCommand(['pack', 'large.bin', '--declare-enforcement'], { cwd: folder.path });
  const old = ['--device', 'facts.json', '--core', '2.6.3', '--layout', '1m64', '--chip-size', '4M'];
  const blockedBy = await preflight(folder, 'large.bin.ota.json', ...old);
  t.is(blockedBy.exitCode, 3);
  t.true(blockedBy.rules?.includes('no-space'));
  const via = ['--via', 'build/door.ino.bin.ota.json', '--allow', 'fs-moved'];
  const { exitCode, document } = await preflight(folder, 'large.bin.ota.json', ...old, ...via);
  t.is(exitCode, 0);
  t.is(document?.plan.kind, 'hops');
  t.deepEqual(
    document?.plan.steps.map(({ artifact }) => artifact),
    ['door.ino.bin.signed', 'large.bin.gz.signed'],
  );
});

test('preflight --via accepts an image without a manifest and states why an intermediate release does not help', async (t) => {
  const content = concatBytes(Buffer.from(`${door.publicPem}\0Not Enough Space\0`), noisyBytes(700_000, 0.2, 1));
  const large = buildImage({ flashContent: content, modeByte: 2, sizeAndFrequencyByte: 0x20 });
  const folder = await packed(t, { 'large.bin': large });
  await runCommand(['pack', 'large.bin', '--declare-enforcement'], { cwd: folder.path });
  await folder.write('lone/first.bin', await readFile(join(folder.path, 'build/door.ino.bin.signed')));
  await folder.write('lone/files.bin', buildLittleFs({ blockCount: 8 }));
  const old = ['--device', 'facts.json', '--core', '2.6.3', '--layout', '1m64', '--chip-size', '4M'];
  const key = ['--public-key', 'public.key'];
  const helped = await preflight(folder, 'large.bin.ota.json', ...old, '--via', 'lone/first.bin', ...key);
  t.deepEqual(
    helped.document?.plan.steps.map(({ artifact }) => artifact),
    ['first.bin', 'large.bin.signed'],
  );
  const files = await preflight(folder, 'large.bin.ota.json', ...old, '--via', 'lone/files.bin');
  t.deepEqual(files.document?.unusableVia, [
    { file: 'lone/files.bin', reason: 'is a filesystem, but only a sketch can install the next update' },
  ]);
  const itself = await preflight(folder, 'large.bin.ota.json', ...old, '--via', 'large.bin');
  t.regex(itself.document?.unusableVia[0]?.reason ?? '', /^cannot be installed: .*bytes of flash.* \(no-space\)$/);
  const bare = { cwd: folder.path };
  const run = await runCommand(['preflight', 'large.bin.ota.json', ...old, '--via', 'lone/files.bin'], bare);
  t.regex(run.stdout, /^via {6}lone\/files\.bin is a filesystem/m);
  const { signing, ...device } = facts;
  const sent = await runCommand(
    [
      'upload',
      'large.bin',
      '--host',
      '127.0.0.1',
      '--via',
      'lone/files.bin',
      '--signing',
      `${signing}`,
      '--core',
      '2.6.3',
    ].concat(['--layout', '1m64', '--sketch-size', `${device.sketchSizeBytes}`]),
    bare,
  );
  t.is(sent.exitCode, 3);
  t.regex(sent.stderr, /lone\/files\.bin is a filesystem, but only a sketch can install the next update/);
});

test('preflight never prints the bytes of an image passed as a manifest', async (t) => {
  const folder = await packed(t, { request: 'x-ESP8266-mode: sketch' });
  const argv = ['preflight', 'build/door.ino.bin', '--request', 'request', '--reference', 'build/door.ino.bin'];
  const { exitCode, stdout, stderr, error } = await runCommand(argv, { cwd: folder.path });
  t.is(exitCode, 1);
  t.regex(error?.message ?? '', /is not a valid manifest: it is a binary file, such as an image, not JSON/);
  t.notRegex(`${stdout}${stderr}${error?.message}`, /\ufffd/);
});

test('preflight and upload print the commands of the intermediate sketch when only two hops are possible', async (t) => {
  const content = concatBytes(Buffer.from(`${door.publicPem}\0Not Enough Space\0`), noisyBytes(700_000, 0.2, 1));
  const large = buildImage({ flashContent: content, modeByte: 2, sizeAndFrequencyByte: 0x20 });
  const folder = await packed(t, { 'large.bin': large });
  await runCommand(['pack', 'large.bin', '--declare-enforcement'], { cwd: folder.path });
  // Without an ELF, the manifest does not contain the filesystem layout.
  const manifest = JSON.parse(await folder.text('large.bin.ota.json'));
  const image = { ...manifest.image, layout: { fsStart: 0xeb000, fsEnd: 0xfb000 } };
  await folder.write('large.bin.ota.json', JSON.stringify({ ...manifest, image }));
  await folder.write('door/door.ino', '');
  const old = [
    '--core',
    '2.6.3',
    '--layout',
    '1m64',
    '--chip-size',
    '1M',
    '--flash-mode',
    'dio',
    '--signing',
    'required',
  ];
  const device = [...old, '--key-fingerprint', fingerprint, '--sketch-size', '600000'];
  const { exitCode, document } = await preflight(folder, 'large.bin.ota.json', ...device, '--transport', 'espota');
  t.is(exitCode, 3);
  t.deepEqual(document?.intermediate, { mostBytes: 360_448, lastArtifact: 'large.bin.gz.signed' });
  const commands = [
    'templates/sketches/IntermediateUpdate .',
    'cp IntermediateUpdate/arduino_secrets.example.h IntermediateUpdate/arduino_secrets.h',
    'ota-hooks build --source IntermediateUpdate --fqbn esp8266:esp8266:BOARD -- --output-dir build/intermediate',
    '--via build/intermediate/IntermediateUpdate.ino.bin',
  ];
  const shown = await runCommand(['preflight', 'large.bin.ota.json', ...device, '--transport', 'espota'], {
    cwd: folder.path,
    cli: '/opt/ota-hooks/dist/cli.js',
  });
  const sent = await runCommand(['upload', 'large.bin', '--host', '127.0.0.1', ...device], { cwd: folder.path });
  t.is(sent.exitCode, 3);
  for (const text of [shown.stdout, sent.stderr]) {
    t.regex(text, /possible in two hops: .* at most 360448 bytes with its signature, then large\.bin\.gz\.signed/);
    for (const command of commands) t.true(text.includes(command), `${command} in ${text}`);
  }
  t.true(shown.stdout.includes('cp -r /opt/ota-hooks/templates/sketches/IntermediateUpdate .'));
  t.true(sent.stderr.includes('ota-hooks upload large.bin'));
});

test('preflight reports whether a gzip image would fit when the raw sketch does not fit', async (t) => {
  const folder = await builtSketch(t, { 'bare.bin': fullDoor.bin }, fullDoor);
  const full = ['--signing', 'none', '--layout', '1m64', '--sketch-size', '700000'];
  const { document } = await preflight(folder, 'bare.bin', ...full);
  const noSpace = document?.blockedBy.find(({ rule }) => rule === 'no-space');
  t.regex(noSpace?.message ?? '', /286720 bytes of flash, but only 262144 are free: 24576 too many/);
  t.regex(noSpace?.fix ?? '', /send the gzip artifact .*would fit with \d+ KB to spare/);
});

test('preflight --allow downgrades a rule to a warning only by its exact name', async (t) => {
  const folder = await packed(t);
  const argv = ['--device', 'facts.json', '--core', '2.7.4', '--allow', 'gz-signed-old-core'];
  const { exitCode, document } = await preflight(folder, 'build/door.ino.bin.gz.signed', ...argv);
  t.is(exitCode, 0);
  t.deepEqual(
    document?.warnings.map(({ rule }) => rule),
    ['gz-signed-old-core'],
  );
  for (const name of ['all', 'gz-signed', '']) {
    t.is((await preflight(folder, 'build/door.ino.bin.signed', '--allow', name)).exitCode, 2, name);
  }
});

test('preflight warns about unproven enforcement unless --elf provides the proof', async (t) => {
  const folder = await builtSketch(t);
  await runCommand(['pack', 'build/door.ino.bin'], { cwd: folder.path });
  await folder.write('other/door.bin.signed', await folder.read('build/door.ino.bin.signed'));
  const check = (...argv: string[]) =>
    preflight(folder, 'other/door.bin.signed', '--signing', 'required', '--flash-mode', 'dio', ...argv);
  t.deepEqual(
    (await check()).document?.warnings.map(({ rule }) => rule),
    ['enforcement-unproven'],
  );
  t.deepEqual((await check('--elf', 'build/door.ino.elf')).document?.warnings, []);
});

test('preflight rejects invalid device facts as usage errors and names each invalid field', async (t) => {
  const cases: Readonly<Record<string, RegExp>> = {
    '{"cor": "3.1.2"}': /cor is not a known key/,
    '{"chipSizeBytes": "big"}': /chipSizeBytes must be a number/,
    '{"fsStart": 4097}': /fsStart must be a multiple of 4096/,
    '{"fsStart": 8192, "fsEnd": 4096}': /fsEnd \(4096\) is before fsStart/,
    '{"keyFingerprint": "abc"}': /keyFingerprint must be a SHA-256/,
    '{"transport": "usb"}': /transport must be espota, web or http/,
    '[]': /must be an object/,
    hello: /not JSON/,
  };
  for (const [text, saying] of Object.entries(cases)) {
    const folder = await builtSketch(t, { 'facts.json': text });
    const { exitCode, error } = await preflight(folder, 'build/door.ino.bin', '--device', 'facts.json');
    t.is(exitCode, 2, text);
    t.regex(error?.message ?? '', saying);
  }
  const folder = await builtSketch(t, { 'request.txt': 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' });
  t.is((await preflight(folder, 'build/door.ino.bin', '--request', 'request.txt')).error?.code, 'FACTS_INVALID');
  t.is((await preflight(folder, 'build/door.ino.bin', '--device', 'gone.json')).error?.code, 'FILE_NOT_FOUND');
  t.is((await preflight(folder, 'build/door.ino.bin', '--layout', '3m')).error?.code, 'OPTION_INVALID');
  t.is((await preflight(folder, 'build/door.ino.bin', '--chip-size', 'big')).error?.code, 'OPTION_INVALID');
  t.is((await preflight(folder, 'gone.bin')).error?.code, 'FILE_NOT_FOUND');
});

test('preflight rejects invalid manifests', async (t) => {
  const folder = await builtSketch(t, { 'bad.ota.json': '{"manifest": 0}', 'brace.bin': '{hello' });
  for (const file of ['bad.ota.json', 'brace.bin']) {
    const { exitCode, error } = await preflight(folder, file);
    t.is(exitCode, 1, file);
    t.is(error?.code, 'MANIFEST_INVALID', file);
  }
});
