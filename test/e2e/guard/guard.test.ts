/**
 * Compiles the guard header with a core that was written for this test (`core/`), and runs it with the real BearSSL. The same header was
 * also run on the Updater of the cores 2.6.3 to 3.1.2 and of the development version.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { guardHeader } from '../../../src/core/keys/guard-header.ts';
import { type Guard, productHash } from '../../../src/core/keys/guard-record.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { signingHeader } from '../../../src/core/keys/signing-header.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { gzip, type Metadata, raw, signed } from './updates.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const pairs = { main: rsaPems(2048), backup: rsaPems(2048), large: rsaPems(4096), unknown: rsaPems(2048) };
const keyOf = (name: keyof typeof pairs) => readPublicKey(pairs[name].publicPem, name);
const guard: Guard = {
  keys: [keyOf('main'), keyOf('backup'), keyOf('large')],
  product: productHash('door'),
  securityVersion: 2,
  require: 'signature',
};

const codes = [
  'accepted',
  'signature',
  'metadata missing',
  'product',
  'kind',
  'security version',
  'data behind the gzip member',
  'flash mode',
  'flash size',
  'start',
  'inflated size',
];

interface Update {
  readonly payload: Uint8Array;
  readonly key?: keyof typeof pairs;
  readonly isFilesystem?: boolean;
  readonly mode?: number;
  readonly chipBytes?: number;
  readonly start?: number;
}

const bytes = Buffer.from(Array.from({ length: 5001 }, (_, at) => (at * at * 31 + at) & 0xff));
const image = (mode = 2, size = 0x40) => Buffer.concat([Buffer.from([0xe9, 1, mode, size]), bytes]);
const filesystem = Buffer.concat([Buffer.from([1, 2, 3, 4]), bytes]);

const flags = ['-Wall', '-Wextra', '-Werror'];
const sources = ['core/Updater.cpp', 'core/BearSSLHelpers.cpp', 'device.cpp'].map((name) => join(here, name));

/** A folder with the header, and the arguments of a compiler that includes it. */
async function withHeader(t: ExecutionContext, header: string): Promise<{ folder: TestFolder; includes: string[] }> {
  const folder = await testFolder(t, { 'include/Updater_Signing.h': header });
  return { folder, includes: [`-I${folder.at('include')}`, `-I${here}core`] };
}

/** Compiles a device, and returns a function that installs updates on it and returns verdicts. */
async function device(t: ExecutionContext, header = guardHeader(guard)) {
  const { folder, includes } = await withHeader(t, header);
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const program = folder.at('device');
  await execa('g++', ['-std=c++17', ...flags, ...sanitizers, ...includes, ...sources, '-lbearssl', '-o', program]);
  return async (updates: Readonly<Record<string, Update>>): Promise<Record<string, string>> => {
    const entries = Object.entries(updates);
    const lines: string[] = [];
    for (const [at, [, update]] of entries.entries()) {
      const { payload, key = 'main', isFilesystem = false, mode = 2, chipBytes = 4 << 20, start = 0x100000 } = update;
      await folder.write(`${at}.bin`, signed(payload, pairs[key].privatePem));
      lines.push(`${folder.at(`${at}.bin`)} ${start} ${isFilesystem ? 100 : 0} ${mode} ${chipBytes}\n`);
    }
    const { stdout } = await execa(program, { input: lines.join('') });
    const printed = stdout.split('\n');
    return Object.fromEntries(
      entries.map(([name, { payload }]) => {
        let line = printed.shift() ?? '';
        const isReported = line.startsWith('[ota-hooks] update rejected: ');
        if (isReported) line = printed.shift() ?? '';
        const [size, code = '', users] = line.split(' ');
        const verdict = codes[Number(code)] ?? line;
        // An accepted update passes its size without the signature to eboot; core 2.7 would pass the whole size.
        const isConsistent = Number(size) === (verdict === 'accepted' ? payload.length : 0) && users === '0';
        return [name, isConsistent && isReported === (verdict !== 'accepted') ? verdict : `${verdict}: ${line}`];
      }),
    );
  };
}

test('a guarded device accepts every key in every encoding and rejects what its metadata rules out', async (t) => {
  const install = await device(t);
  const cases: Record<string, [Update, string]> = {
    'raw without metadata': [{ payload: raw(image()) }, 'accepted'],
    'gzip without metadata': [{ payload: gzip(image()) }, 'accepted'],
    'raw without metadata, another mode': [{ payload: raw(image(0)) }, 'signature'],
    'newer format': [{ payload: gzip(image(), { format: 9 }) }, 'accepted'],
    'bytes behind the member': [
      { payload: Buffer.concat([gzip(image(), {}), Buffer.alloc(4)]) },
      'data behind the gzip member',
    ],
    'second member': [{ payload: Buffer.concat([gzip(image(), {}), gzip(bytes, {})]) }, 'data behind the gzip member'],
    'larger chip': [{ payload: gzip(image(), { flashSize: 0x80 }) }, 'flash size'],
    'any chip': [{ payload: gzip(image(), { flashSize: 0x90 }) }, 'accepted'],
    'smaller chip than the image': [{ payload: gzip(image(), {}), chipBytes: 1 << 20 }, 'flash size'],
    'staged too low': [{ payload: gzip(image(), { lowestStart: 0x100004 }) }, 'start'],
    'staged high enough': [{ payload: gzip(image(), { lowestStart: 0x100000 }) }, 'accepted'],
    'inflates over the filesystem': [{ payload: gzip(Buffer.alloc(0x200004), {}) }, 'inflated size'],
    'inflates over the filesystem, no metadata': [{ payload: gzip(Buffer.alloc(0x200004)) }, 'inflated size'],
    'fills the space': [{ payload: gzip(Buffer.alloc(0x200000), {}) }, 'accepted'],
    'too large filesystem': [
      { payload: gzip(Buffer.alloc(0x1fa001), { kind: 1 }), isFilesystem: true },
      'inflated size',
    ],
    'foreign subfield first': [{ payload: gzip(image(), { product: 'lamp' }, 'XX') }, 'accepted'],
  };
  for (const [encoding, pack] of [
    ['raw', raw],
    ['gzip', gzip],
  ] as const) {
    const add = (name: string, values: Metadata, update: Partial<Update>, verdict: string) => {
      cases[`${encoding} ${name}`] = [{ payload: pack(image(), values), ...update }, verdict];
    };
    for (const key of ['main', 'backup', 'large'] as const) add(key, {}, { key }, 'accepted');
    add('unknown key', {}, { key: 'unknown' }, 'signature');
    add('older', { securityVersion: 1 }, {}, 'security version');
    add('newer', { securityVersion: 3 }, {}, 'accepted');
    add('far newer', { securityVersion: 0xffff_ffff }, {}, 'accepted');
    add('other product', { product: 'lamp' }, {}, 'product');
    add('sketch as filesystem', {}, { isFilesystem: true }, 'kind');
    add('filesystem', { kind: 1 }, { payload: pack(filesystem, { kind: 1 }), isFilesystem: true }, 'accepted');
    const asSketch = pack(Buffer.concat([Buffer.from([0xe9, 1, 2, 4]), bytes]), { kind: 1 });
    add('filesystem as sketch', { kind: 1 }, { payload: asSketch }, 'kind');
    for (const flashMode of [0, 1, 2, 3]) {
      for (const mode of [0, 1, 2, 3]) {
        const runs = encoding === 'raw' || flashMode === mode || flashMode === 3 || mode === 0;
        const payload = pack(image(flashMode), { flashMode });
        add(`mode ${flashMode} on ${mode}`, {}, { payload, mode }, runs ? 'accepted' : 'flash mode');
      }
    }
  }
  const verdicts = await install(Object.fromEntries(Object.entries(cases).map(([name, [update]]) => [name, update])));
  t.deepEqual(verdicts, Object.fromEntries(Object.entries(cases).map(([name, [, verdict]]) => [name, verdict])));
});

test('a guard that requires metadata rejects signed updates without it', async (t) => {
  const install = await device(t, guardHeader({ ...guard, require: 'metadata' }));
  const short = Buffer.from(gzip(image(), {}));
  short.writeUInt16LE(23, 14);
  const verdicts = await install({
    'raw with': { payload: raw(image(), {}) },
    'gzip with': { payload: gzip(image(), {}) },
    raw: { payload: raw(image()) },
    gzip: { payload: gzip(image()) },
    'foreign subfield first': { payload: gzip(image(), {}, 'XX') },
    'short subfield': { payload: short },
    'invalid format': { payload: gzip(image(), { format: 0 }) },
    'odd length': { payload: Buffer.concat([raw(image(), {}), Buffer.alloc(1)]) },
  });
  const missing = 'metadata missing';
  t.deepEqual(verdicts, {
    'raw with': 'accepted',
    'gzip with': 'accepted',
    raw: missing,
    gzip: missing,
    'foreign subfield first': missing,
    'short subfield': missing,
    'invalid format': missing,
    'odd length': missing,
  });
});

test('the guard compiles without warnings in each C++ standard from 11 to 23', async (t) => {
  const { includes } = await withHeader(t, guardHeader(guard));
  for (const standard of ['11', '14', '17', '20', '23']) {
    const argv = [`-std=c++${standard}`, ...flags, '-Wpedantic', '-fsyntax-only', ...includes, ...sources];
    await t.notThrowsAsync(execa('g++', argv), standard);
  }
});

test('the guard stops the build of a core that it does not know', async (t) => {
  const { includes } = await withHeader(t, guardHeader(guard));
  const compile = async (file: string, ...argv: string[]) => {
    const { stderr, exitCode } = await execa(
      'g++',
      ['-std=c++17', '-fsyntax-only', ...includes, ...argv, join(here, 'core', file)],
      { reject: false },
    );
    t.not(exitCode, 0);
    return stderr;
  };
  t.regex(await compile('Updater.cpp', '-DCORE_2_5'), /the guard requires core 2\.6\.0 or later/);
  const order = /this core includes Updater_Signing\.h in an unknown order/;
  t.regex(await compile('Updater.cpp', '-include', 'BearSSLHelpers.h'), order);
  t.regex(await compile('BearSSLHelpers.cpp', '-include', 'eboot_command.h'), order);
  t.regex(await compile('BearSSLHelpers.cpp', '-DRENAMED_MEMBER'), /_startAddress/);
});

const sections = `SECTIONS {
  .flash : { *(.irom.text) *(.literal* .text* .rodata*) KEEP(*(.ctors .dtors)) }
  .data : { *(.data*) }
  .bss : { *(.bss*) }
}
`;

interface LinkedHeader {
  readonly flash: number;
  readonly ram: number;
  /** Names of the functions and objects of the core and of BearSSL that the header needs. */
  readonly needs: readonly string[];
}

/** Bytes of flash and of RAM that a header adds to a program, linked as the core does, with unused sections removed. */
async function sizeWith(t: ExecutionContext, header: string): Promise<LinkedHeader> {
  const { folder, includes } = await withHeader(t, header);
  await folder.write('sections.ld', sections);
  // Debian's compiler for the ESP8266 has no C library, and the header of the host's library is for the host only.
  await folder.write('include/string.h', '#include <Arduino.h>\n');
  const compilerFlags = [
    ...['-std=gnu++17', '-DRELEASE', '-Os', '-c', '-ffreestanding', '-mlongcalls', '-mtext-section-literals'],
    ...['-falign-functions=4', '-ffunction-sections', '-fdata-sections', '-fno-exceptions', '-fno-rtti'],
    ...['-fno-threadsafe-statics', '-fno-use-cxa-atexit', ...flags, '-idirafter', '/usr/include'],
  ];
  const [object, program] = [folder.at('header.o'), folder.at('header.elf')];
  await execa('xtensa-lx106-elf-g++', [...compilerFlags, ...includes, `${here}core/BearSSLHelpers.cpp`, '-o', object]);
  // The rest of the core and BearSSL are the same with both headers.
  const roots = ['Hash', 'Verifier'].flatMap((name) => ['-u', `_ZN7esp8266${14 + name.length}updaterSigning${name}E`]);
  const options = ['--gc-sections', '--unresolved-symbols=ignore-all', '--no-warn-rwx-segments', ...roots];
  await execa('xtensa-lx106-elf-ld', [...options, '-T', folder.at('sections.ld'), object, '-o', program]);
  const { stdout } = await execa('xtensa-lx106-elf-size', ['-A', program]);
  const size = (name: string) => Number(new RegExp(`^\\${name}\\s+(\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
  // Sizes of the objects: the padding between them depends on the rest of a program.
  const { stdout: symbols } = await execa('xtensa-lx106-elf-nm', ['-S', program]);
  const objects = [...symbols.matchAll(/^[0-9a-f]+ ([0-9a-f]+) [bd] /gim)];
  const ram = objects.reduce((sum, [, bytes = '']) => sum + Number.parseInt(bytes, 16), 0);
  const { stdout: missing } = await execa('xtensa-lx106-elf-nm', ['-u', program]);
  const needs = [...missing.matchAll(/U (\S+)/g)].map(([, name = '']) => name);
  return { flash: size('.flash') + size('.data'), ram, needs };
}

test('the guard with two keys adds at most 1 KB of flash to plain signing, no RAM, and needs no PEM reader, curves or TLS', async (t) => {
  const plain = await sizeWith(t, signingHeader(keyOf('main')));
  const guarded = await sizeWith(t, guardHeader({ ...guard, keys: [keyOf('main'), keyOf('backup')] }));
  t.log(`plain ${JSON.stringify(plain)}, guarded ${JSON.stringify(guarded)}`);
  // A sketch that uses no TLS itself links these parts only for the plain verifier: reading a PEM key, elliptic curves, TLS.
  const parts = /PublicKey|br_ec|br_ssl|br_x509|thunk_br/;
  t.true(plain.needs.some((name) => parts.test(name)));
  t.deepEqual(
    guarded.needs.filter((name) => parts.test(name)),
    [],
  );
  t.true(plain.flash > 452 && plain.ram > 112, 'the program contains the key and the state of the hash');
  t.true(guarded.flash > plain.flash);
  t.true(guarded.flash - plain.flash <= 1024, `${guarded.flash - plain.flash} bytes of flash`);
  t.true(guarded.ram <= plain.ram, `${guarded.ram} bytes of RAM instead of ${plain.ram}`);
});
