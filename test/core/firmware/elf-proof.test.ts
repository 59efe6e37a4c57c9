import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { readElf } from '../../../src/core/firmware/elf.ts';
import { proveEnforcement } from '../../../src/core/firmware/elf-proof.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { guardRecord, productHash } from '../../../src/core/keys/guard-record.ts';
import { type RsaPublicKey, readPublicKey } from '../../../src/core/keys/public-key.ts';
import { buildElf } from '../../support/elf-builder.ts';
import { buildImage, type ImageRecipe, sectionsOf } from '../../support/image-builder.ts';
import { makeKeyPair, signFile } from '../../support/signed-file.ts';
import { twoKeyBuild } from '../../support/two-key-build.ts';

const owner = makeKeyPair();
const stranger = makeKeyPair();
const entryAddress = 0x40100004;
const signingSymbols = ['_ZN7esp826618updaterSigningHashE', '_ZN7esp826622updaterSigningVerifierE'];
const recipe: ImageRecipe = { entryAddress, flashContent: Buffer.from(`${owner.publicKey.pem}\0`, 'latin1') };
const image = buildImage(recipe);
const elf = buildElf({ entryAddress, sections: sectionsOf(recipe), symbols: ['setup', 'loop', ...signingSymbols] });

function prove(given: Uint8Array | undefined, file: Uint8Array = image, expectedKey = owner.publicKey) {
  const result = proveEnforcement({ elf: given, firmware: readFirmware(file), expectedKey });
  return result.proof === 'elf' ? 'elf' : result.reason;
}

test('proves enforcement from the ELF file of an image, in any encoding of the image', (t) => {
  for (const file of [
    image,
    gzipSync(image),
    signFile(image, owner.privateKey, 'current'),
    signFile(gzipSync(image), owner.privateKey, 'current'),
  ]) {
    t.is(prove(elf, file), 'elf');
  }
});

test('proves enforcement for an image of every core generation', (t) => {
  for (const generation of ['3', '2.7', '2.6'] as const) {
    const given = { ...recipe, generation };
    const program = buildElf({ entryAddress, sections: sectionsOf(given), symbols: signingSymbols });
    t.is(prove(program, buildImage(given)), 'elf');
  }
});

test('accepts unmangled verifier symbols', (t) => {
  t.is(
    prove(
      buildElf({
        entryAddress,
        sections: sectionsOf(recipe),
        symbols: ['updaterSigningHash', 'updaterSigningVerifier'],
      }),
    ),
    'elf',
  );
});

test('returns no proof of enforcement without an ELF file', (t) => {
  t.is(prove(undefined), 'no-elf');
});

test('rejects a file that is not an Xtensa ELF', (t) => {
  for (const file of [
    new Uint8Array(),
    image,
    elf.subarray(0, 20),
    buildElf({ entryAddress, sections: [], machine: 3 }),
  ]) {
    t.is(prove(file), 'not-an-elf');
  }
});

test('returns no proof if a verifier symbol is missing, undefined or part of a longer name', (t) => {
  const sections = sectionsOf(recipe);
  t.is(prove(buildElf({ entryAddress, sections })), 'verifier-missing');
  t.is(prove(buildElf({ entryAddress, sections, symbols: signingSymbols.slice(0, 1) })), 'verifier-missing');
  t.is(prove(buildElf({ entryAddress, sections, undefinedSymbols: signingSymbols })), 'verifier-missing');
  const constructors = signingSymbols.map((name) => `_GLOBAL__sub_I_${name}`);
  t.is(prove(buildElf({ entryAddress, sections, symbols: constructors })), 'verifier-missing');
});

test('returns no proof for an ELF file with a different entry point, different bytes or a missing section', (t) => {
  t.is(
    prove(buildElf({ entryAddress: entryAddress + 4, sections: sectionsOf(recipe), symbols: signingSymbols })),
    'elf-of-another-image',
  );
  const [first, ...rest] = sectionsOf(recipe);
  if (first === undefined) return t.fail();
  const changed = Uint8Array.from(first.bytes);
  changed[40] = (changed[40] ?? 0) ^ 1;
  t.is(
    prove(buildElf({ entryAddress, sections: [{ ...first, bytes: changed }, ...rest], symbols: signingSymbols })),
    'elf-of-another-image',
  );
  t.is(prove(buildElf({ entryAddress, sections: [first], symbols: signingSymbols })), 'elf-of-another-image');
});

test('reports the address of the first difference between the ELF file and the image', (t) => {
  const [first, ...rest] = sectionsOf(recipe);
  if (first === undefined) return t.fail();
  const changed = Uint8Array.from(first.bytes);
  changed[40] = (changed[40] ?? 0) ^ 1;
  const program = buildElf({
    entryAddress,
    sections: [{ ...first, bytes: changed }, ...rest],
    symbols: signingSymbols,
  });
  const result = proveEnforcement({ elf: program, firmware: readFirmware(image), expectedKey: owner.publicKey });
  t.regex(result.proof === 'absent' ? result.detail : '', /40201038/);
});

test('reports a missing key first, with or without an ELF file', (t) => {
  t.is(prove(elf, image, stranger.publicKey), 'key-missing');
  t.is(prove(undefined, image, stranger.publicKey), 'key-missing');
});

test('requires that the Updater uses the key if the image contains several keys', (t) => {
  const [own, other] = [owner.publicKey, stranger.publicKey];
  const right = twoKeyBuild(own.pem, other.pem);
  t.is(prove(right.elf, right.bin), 'elf');
  const wrong = twoKeyBuild(other.pem, own.pem);
  t.is(prove(wrong.elf, wrong.bin), 'key-unused');
  t.is(prove(wrong.elf, wrong.bin, other), 'elf');
  const stripped = twoKeyBuild(own.pem, other.pem, true);
  t.is(prove(stripped.elf, stripped.bin), 'key-unclear');
  const single = twoKeyBuild(own.pem, '', true);
  t.is(prove(single.elf, single.bin), 'elf');
  const commented = twoKeyBuild(`a comment\n${own.pem}`, other.pem);
  t.is(prove(commented.elf, commented.bin), 'elf');
  const none = twoKeyBuild('no key', own.pem);
  t.is(prove(none.elf, none.bin), 'key-unused');
});

test('accepts a DER key in the image if it equals the expected PEM key', (t) => {
  const der = { ...recipe, flashContent: owner.publicKey.keyObject.export({ type: 'spki', format: 'der' }) };
  t.is(prove(buildElf({ entryAddress, sections: sectionsOf(der), symbols: signingSymbols }), buildImage(der)), 'elf');
});

test('returns no proof of enforcement for a truncated image', (t) => {
  t.is(prove(elf, image.subarray(0, image.length - 40)), 'elf-of-another-image');
});

test('returns no proof for an ELF file truncated before its last section header', (t) => {
  const lastSectionHeader = elf.length - 40;
  for (let length = 0; length < lastSectionHeader; length += 13) t.not(prove(elf.subarray(0, length)), 'elf');
});

test('proves enforcement for a real build from its ELF file', (t) => {
  const door = readFileSync('test/fixtures/firmware/door.bin');
  const program = readFileSync('test/fixtures/firmware/door.elf');
  const key = readPublicKey(readFileSync('test/fixtures/keys/test-only-public.pem'), 'test-only-public.pem');
  t.is(prove(program, door, key), 'elf');
  t.is(prove(program, gzipSync(door), key), 'elf');
  t.is(prove(program, image), 'elf-of-another-image');
});

test('returns no proof if a reference to the verifier is not set, although image and ELF file agree', (t) => {
  const key = readPublicKey(readFileSync('test/fixtures/keys/test-only-public.pem'), 'test-only-public.pem');
  for (const name of signingSymbols) {
    for (const target of [0, 0x40201000, 0x3ffe8001]) {
      const program = readFileSync('test/fixtures/firmware/door.elf');
      const door = readFileSync('test/fixtures/firmware/door.bin');
      const { loaded, symbols } = readElf(program, /updaterSigning/) ?? {
        loaded: [],
        symbols: new Map<string, number>(),
      };
      const address = symbols.get(name) ?? 0;
      const section = loaded.find((each) => address >= each.address && address < each.address + each.bytes.length);
      const segments = readFirmware(door).sketch?.application?.segments ?? [];
      const segment = segments.find((each) => address >= each.address && address < each.address + each.sizeBytes);
      if (section === undefined || segment === undefined) return t.fail(`${name} is not in the fixture`);
      const word = Buffer.alloc(4);
      word.writeUInt32LE(target);
      section.bytes.set(word, address - section.address);
      door.set(word, segment.offset + address - segment.address);
      t.is(prove(program, door, key), 'verifier-missing', `${name} = ${target}`);
    }
  }
});

test('proves enforcement for a guarded image only if both references are to the guard and it accepts the key', (t) => {
  const guardOf = (...keys: RsaPublicKey[]) =>
    guardRecord({ keys, product: productHash('door'), securityVersion: 1, require: 'metadata' });
  const guarded = { entryAddress, flashContent: Buffer.from(guardOf(stranger.publicKey, owner.publicKey)) };
  const objects = ['_ZN9ota_hooksL4hashE', '_ZN9ota_hooksL8verifierE'];
  const program = (symbols: readonly string[], targets: readonly number[] = [], given: ImageRecipe = guarded) =>
    buildElf({
      entryAddress,
      sections: [
        ...sectionsOf(given),
        // Two references in data RAM that the image does not contain.
        ...(targets.length === 0 ? [] : [{ address: 0x3ffe9000, bytes: words(targets) }]),
      ],
      symbols,
      values: {
        ...Object.fromEntries(
          targets.length === 0 ? [] : signingSymbols.map((name, at) => [name, 0x3ffe9000 + 4 * at]),
        ),
        ...Object.fromEntries(objects.map((name, at) => [name, 0x3fff0000 + 16 * at])),
      },
    });
  const bin = buildImage(guarded);
  const all = [...signingSymbols, 'ota_hooks_verify', ...objects];
  t.is(prove(program(all, [0x3fff0000, 0x3fff0010]), bin), 'elf');
  t.is(prove(program([...signingSymbols, 'ota_hooks_verify']), bin), 'elf', 'stripped');
  t.is(prove(program(all, [0x3fff0000, 0x3fff0000]), bin), 'verifier-missing', 'verifier of somewhere else');
  t.is(prove(program(all, [0x3fff0010, 0x3fff0010]), bin), 'verifier-missing', 'hash of somewhere else');
  t.is(prove(program(['ota_hooks_verify', ...objects]), bin), 'verifier-missing', 'stale unsigned core.a');
  t.is(prove(program(signingSymbols), bin), 'verifier-missing', 'guard without code');
  const elsewhere = { entryAddress, flashContent: Buffer.concat([guardOf(stranger.publicKey), pemOf(owner)]) };
  t.is(prove(program(all, [], elsewhere), buildImage(elsewhere)), 'key-unused');
  t.is(prove(program(all), bin, makeKeyPair().publicKey), 'key-missing');
});

test('returns no proof for a sketch with plain signing that contains the record of a guard, as of firmware for another chip', (t) => {
  const guard = { product: productHash('door'), securityVersion: 1, require: 'metadata' } as const;
  const own = owner.publicKey;
  const record = Buffer.from(guardRecord({ ...guard, keys: [own] })).toString('latin1');
  const { elf: program, bin } = twoKeyBuild(own.pem, record);
  t.is(prove(program, bin), 'key-unclear');
});

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, at * 4);
  return bytes;
}

function pemOf({ publicKey }: { publicKey: RsaPublicKey }): Buffer {
  return Buffer.from(`${publicKey.pem}\0`, 'latin1');
}
