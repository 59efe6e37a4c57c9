import { type FoundGuard, findGuard } from '../keys/guard-record.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { type ElfProgram, type ElfSection, readElf } from './elf.ts';
import { findEmbeddedKeys } from './embedded-keys.ts';
import type { Firmware } from './firmware.ts';
import { crcWords } from './image-crc.ts';
import type { Segment } from './image-header.ts';
import { hexWord, wordAt } from './little-endian.ts';
import { memoryAt } from './memory-map.ts';
import type { SketchImage } from './sketch-image.ts';

/** Proof that a device verifies its next update with the expected key, or the reason for a missing proof. */
export type EnforcementProof =
  | { readonly proof: 'elf' }
  | { readonly proof: 'absent'; readonly reason: ProofGap; readonly detail: string };

/**
 * Reason for a missing proof. `key-missing`, `key-unused` and `verifier-missing` are build errors. `no-elf` only means that there is no
 * evidence.
 */
type ProofGap =
  | 'key-missing'
  | 'key-unused'
  | 'key-unclear'
  | 'no-elf'
  | 'not-an-elf'
  | 'elf-of-another-image'
  | 'verifier-missing';

export interface EnforcementEvidence {
  /** ELF from which the image was made. */
  readonly elf: Uint8Array | undefined;
  readonly firmware: Firmware;
  /** Key with which the device must verify updates. */
  readonly expectedKey: RsaPublicKey;
}

/**
 * Proves that a sketch verifies updates with the expected key. Finding the key in the image is not sufficient: the linker script keeps the
 * constructor that contains the key even if `Updater.cpp` was compiled without signing, as happens when arduino-cli reuses a cached core.a.
 * The proof has four conditions:
 *
 * 1. The image contains the key (same modulus).
 * 2. The ELF belongs to this image: same entry point, same bytes in every segment. A stale ELF file proves nothing.
 * 3. The ELF defines `esp8266::updaterSigningHash` and `updaterSigningVerifier` (`BearSSLHelpers.cpp`), which the linker drops unless the
 *    constructor of `UpdaterClass` (`Updater.cpp`) installs them.
 *    These references are set: each contains an address in data RAM. An ELF file that does not contain their values is accepted.
 * 4. The variable `signing_pubkey` (`Updater_Signing.h`), from which that constructor's key is made, contains the key. In an ELF without this
 *    variable, as after `strip`, the key must be the only one in the image, apart from certificates. An image with this variable must contain no guard record, because the record would be taken for the guard
 *    of the device.
 *    In an image with a guard, the key must be in the guard record, and both references must be to the objects of the guard.
 */
export function proveEnforcement({ elf, firmware, expectedKey }: EnforcementEvidence): EnforcementProof {
  if (!firmware.embeddedKeys.some(({ key }) => key.fingerprint === expectedKey.fingerprint)) {
    return absent('key-missing', `the image does not contain the public key ${expectedKey.fingerprint}`);
  }
  if (elf === undefined) return absent('no-elf', 'there is no ELF file');
  const program = readElf(elf, signingSymbols);
  if (program === undefined) return absent('not-an-elf', 'the file is not a 32-bit Xtensa ELF program');
  const difference = differenceFromImage(program, firmware);
  if (difference !== undefined) return absent('elf-of-another-image', difference);
  const missing = requiredSymbols.filter(
    (required) => ![...program.symbols.keys()].some((name) => isSymbol(name, required)),
  );
  if (missing.length > 0) return absent('verifier-missing', `the program does not define ${missing.join(' and ')}`);
  const unset = unsetReference(program);
  if (unset !== undefined) return absent('verifier-missing', unset);
  const gap = keyGap(program, firmware, expectedKey);
  return gap === undefined ? { proof: 'elf' } : absent(...gap);
}

/** Describes a reference to the verifier or its hash that does not contain an address in data RAM. */
function unsetReference(program: ElfProgram): string | undefined {
  for (const [name, address] of program.symbols) {
    const required = requiredSymbols.find((each) => isSymbol(name, each));
    const target = required && wordOf(program, address);
    if (target === undefined || (memoryAt(target) === 'dram' && target % 4 === 0)) continue;
    return `${required} contains ${hexWord(target)}, not the address of an object in data RAM`;
  }
  return undefined;
}

function keyGap(
  program: ElfProgram,
  { embeddedKeys, content }: Firmware,
  expected: RsaPublicKey,
): [ProofGap, string] | undefined {
  const [, address] = [...program.symbols].find(([name]) => keySymbol.test(name)) ?? [];
  const guard = findGuard(content);
  if (address === undefined && guard !== undefined) return guardGap(program, guard, expected);
  if (address === undefined) {
    const others = embeddedKeys.filter(
      ({ key, container }) => container !== 'certificate' && key.fingerprint !== expected.fingerprint,
    );
    if (others.length === 0) return undefined;
    return [
      'key-unclear',
      'the image contains several public keys, and the ELF file does not show which one the Updater uses',
    ];
  }
  const used = keyAt(program, address)?.fingerprint;
  if (used === expected.fingerprint && guard !== undefined) {
    return [
      'key-unclear',
      'the core verifies updates, but the image also contains the record of a guard that is not in use',
    ];
  }
  if (used === expected.fingerprint) return undefined;
  return [
    'key-unused',
    `the Updater verifies updates with ${used === undefined ? 'a different key' : `the key ${used}`}`,
  ];
}

/**
 * Checks the references of a guarded image. With a stale unsigned core.a, the code and the record of the guard remain in the image, so that
 * neither of them proves anything without the references. An ELF without local symbols, as after `strip`, does not name the objects.
 */
function guardGap(program: ElfProgram, guard: FoundGuard, expected: RsaPublicKey): [ProofGap, string] | undefined {
  if (!program.symbols.has(guardFunction)) {
    return ['verifier-missing', `the program does not define ${guardFunction}`];
  }
  for (const [name, address] of program.symbols) {
    const reference = requiredSymbols.find((each) => isSymbol(name, each));
    const object = reference && program.symbols.get(guardObjects[reference]);
    const target = object && wordOf(program, address);
    if (target !== undefined && target !== object) {
      return ['verifier-missing', `${reference} does not refer to the guard`];
    }
  }
  if (guard.keys.some(({ fingerprint }) => fingerprint === expected.fingerprint)) return undefined;
  return ['key-unused', 'the guard does not accept this key'];
}

function wordOf({ loaded }: ElfProgram, address: number): number | undefined {
  const section = loaded.find((each) => address >= each.address && address < each.address + each.bytes.length);
  return section && wordAt(section.bytes, address - section.address);
}

// The PEM text of a 4096-bit key has 800 bytes. In a header, other lines may precede the key.
const mostKeyTextBytes = 8192;

/** Reads the text at an address up to its zero byte and returns the first key in it, as `BearSSL::PublicKey::parse` does. */
function keyAt({ loaded }: ElfProgram, address: number): RsaPublicKey | undefined {
  const section = loaded.find((each) => address >= each.address && address < each.address + each.bytes.length);
  if (section === undefined) return undefined;
  const text = section.bytes.subarray(address - section.address).subarray(0, mostKeyTextBytes);
  const end = text.indexOf(0);
  return findEmbeddedKeys(end === -1 ? text : text.subarray(0, end)).value[0]?.key;
}

function absent(reason: ProofGap, detail: string): EnforcementProof {
  return { proof: 'absent', reason, detail };
}

const requiredSymbols = ['updaterSigningHash', 'updaterSigningVerifier'] as const;

const guardFunction = 'ota_hooks_verify';
const guardObjects = {
  updaterSigningHash: '_ZN9ota_hooksL4hashE',
  updaterSigningVerifier: '_ZN9ota_hooksL8verifierE',
} as const;

// Symbol names, plain or mangled within namespaces (_ZN7esp826618updaterSigningHashE). Longer symbol names do not match.
const signingSymbols =
  /^(?:(?:_ZN(?:\d\w*)?\d\d)?(?:updaterSigningHash|updaterSigningVerifier)E?|(?:_ZL\d\d)?signing_pubkey|ota_hooks_verify|_ZN9ota_hooksL(?:4hash|8verifier)E)$/;
const keySymbol = /signing_pubkey$/;

function isSymbol(name: string, required: string): boolean {
  return name === required || name.endsWith(`${required.length}${required}E`);
}

/** Describes the first difference between the program and the image. Returns undefined if `elf2bin.py` made the image from this program. */
export function differenceFromImage(program: ElfProgram, { sketch, content }: Firmware): string | undefined {
  const application = sketch?.application;
  if (sketch === undefined || application === undefined) return 'the image has no application to compare with';
  if (application.segments.length < application.segmentCount) return 'the segments of the image are incomplete';
  if (application.entryAddress !== program.entryAddress) {
    return `the program starts at ${hexWord(program.entryAddress)}, the image at ${hexWord(application.entryAddress)}`;
  }
  const image = withoutPatchedWords(content, sketch);
  for (const segment of application.segments) {
    const address = firstDifference(
      program.loaded,
      segment,
      image.subarray(segment.offset, segment.offset + segment.sizeBytes),
    );
    if (address !== undefined) return `the bytes at ${hexWord(address)} differ between program and image`;
  }
  return undefined;
}

/** Zeroes the size and CRC words. They are zero in the program, because elf2bin fills them in after linking. */
function withoutPatchedWords(content: Uint8Array, { crcRule }: SketchImage): Uint8Array {
  if (crcRule !== 'application') return content;
  const image = Uint8Array.from(content);
  const { sizeOffset, crcOffset } = crcWords.application;
  image.fill(0, sizeOffset, crcOffset + 4);
  return image;
}

/** Compares a segment with the sections of the program. Padding between sections is zero. */
function firstDifference(sections: readonly ElfSection[], segment: Segment, bytes: Uint8Array): number | undefined {
  const expected = new Uint8Array(bytes.length);
  for (const section of sections) {
    const from = Math.max(section.address, segment.address);
    const to = Math.min(section.address + section.bytes.length, segment.address + bytes.length);
    if (from >= to) continue;
    expected.set(section.bytes.subarray(from - section.address, to - section.address), from - segment.address);
  }
  if (Buffer.compare(expected, bytes) === 0) return undefined;
  const at = bytes.findIndex((byte, index) => byte !== expected[index]);
  return segment.address + at;
}
