import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { alignGzip } from '../../../src/core/compression/alignment.ts';
import { coreCapabilities } from '../../../src/core/device-model/cores.ts';
import { modelGuard } from '../../../src/core/device-model/guard.ts';
import { deviceAtRest, type ModelDevice, signatureVerifier } from '../../../src/core/device-model/model-device.ts';
import type { Transport } from '../../../src/core/device-model/staging.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { flashModes } from '../../../src/core/firmware/flash-header.ts';
import { type FlashLayout, flashLayoutByName } from '../../../src/core/firmware/flash-layout.ts';
import { padToWord } from '../../../src/core/firmware/pad-to-word.ts';
import { productDigest, withGzipMetadata, withRawMetadata } from '../../../src/core/firmware/update-metadata.ts';
import { describePublicKey } from '../../../src/core/keys/public-key.ts';
import type { FlashMode, ImageKind, SignatureFormat } from '../../../src/core/model/artifact.ts';
import { compareReleases } from '../../../src/core/model/core-name.ts';
import type { DeviceFacts, GuardFacts } from '../../../src/core/model/device-facts.ts';
import type { UpdateMetadata } from '../../../src/core/model/manifest.ts';
import { gzipArtifactMetadata, rawArtifactMetadata } from '../../../src/core/preflight/expected-metadata.ts';
import { fileRelease } from '../../../src/core/preflight/file-release.ts';
import { inflateFacts } from '../../../src/core/preflight/image-facts.ts';
import type { Release, ReleaseArtifact } from '../../../src/core/preflight/release.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { makeKeyPair, signFile, type TestKeyPair } from '../../support/signed-file.ts';
import { noisyBytes } from '../device-model/recipes.ts';

/** Virtual device, all facts that a host can have about the device, and the update that is sent. */
export interface Scenario {
  readonly device: ModelDevice;
  readonly facts: DeviceFacts;
  readonly transport: Transport;
  readonly kind: ImageKind;
  readonly sent: Sent;
}

/** Update: the bytes that are sent, the expected flash content, and the input for the rules. */
interface Sent {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
  readonly release: Release;
  readonly artifact: ReleaseArtifact;
}

const keyFile = (name: string): string => readFileSync(new URL(`../../fixtures/keys/${name}`, import.meta.url), 'utf8');

/** Signing key of the devices. The key has only 1024 bits, because the tests make thousands of signatures. */
export const owner = makeKeyPair();
const stranger: TestKeyPair = {
  privateKey: createPrivateKey(keyFile('test-only-private.pem')),
  publicKey: describePublicKey(createPublicKey(keyFile('test-only-public.pem')), 'the key of somebody else'),
};

export const cores = [
  '2.0.0',
  '2.1.0',
  '2.2.0',
  '2.3.0',
  '2.4.0',
  '2.4.1',
  '2.4.2',
  '2.5.0',
  '2.5.2',
  '2.6.0',
  '2.6.2',
  '2.6.3',
  '2.7.0',
  '2.7.1',
  '2.7.2',
  '2.7.3',
  '2.7.4',
  '3.0.0',
  '3.0.2',
  '3.1.0',
  '3.1.2',
  '3.1.3',
] as const;

const product = productDigest('door');
const metadata = { product: 'door', securityVersion: 2, raw: true };

/** All core releases. Releases from 2.7.0 on are more frequent. */
const anyCore = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...cores) },
  { weight: 3, arbitrary: fc.constantFrom(...cores.filter((core) => compareReleases(core, '2.7.0') >= 0)) },
);

const scripts = [
  '512k',
  '512k32',
  '512k64',
  '512k128',
  '1m',
  '1m64',
  '1m144',
  '1m256',
  '1m512',
  '2m512',
  '2m1m',
  '4m2m',
];

/** Differing properties of the devices. */
export interface DeviceWishes {
  readonly core: string;
  /** Name of a linker script, such as `1m64`. */
  readonly script: string;
  readonly flashMode: FlashMode;
  readonly key: 'none' | 'owner' | 'stranger';
  /** Proportion of the sketch area that the current sketch uses, from 0 to 1. Most values result in a small sketch. */
  readonly sketchShare: number;
  readonly transport: Transport;
  readonly atomicFs: boolean;
  /** True for a sketch with FLASH_MAP_SUPPORT, if the core has this option. */
  readonly flashMap?: boolean;
  /** Guard of the sketch, if the core is 2.6.0 or later and there is a key. */
  readonly guard?:
    | ({ readonly accepts: 'one' | 'both' } & Pick<GuardFacts, 'product' | 'securityVersion' | 'require'>)
    | undefined;
}

/** Virtual device and all facts about the device. */
export interface KnownDevice {
  readonly device: ModelDevice;
  readonly facts: DeviceFacts;
}

export function makeDevice(wishes: DeviceWishes): KnownDevice {
  const { core, script, flashMode, key, sketchShare, transport, atomicFs } = wishes;
  const capabilities = required(coreCapabilities(core));
  // The layout table starts at core 2.5.0. Earlier cores have the same borders.
  const layout = required(flashLayoutByName(script, compareReleases(core, '2.5.0') < 0 ? '2.5.0' : core));
  const chipSizeBytes = required(layout.flashSizeBytes);
  const { fsStart, fsEnd } = layout;
  // Sketch sizes are multiples of 16 bytes. Most sketches leave free space.
  const sketchSizeBytes = 16 * Math.ceil((20_000 + sketchShare ** 4 * (fsStart - 20_000)) / 16);
  const format = capabilities.signing;
  const holder = key === 'none' || format === 'none' ? undefined : key === 'owner' ? owner : stranger;
  const verifier = holder && format !== 'none' ? signatureVerifier(holder.publicKey, format) : undefined;
  const flashMap = capabilities.flashMap && wishes.flashMap === true;
  const isGuarded = wishes.guard !== undefined && holder !== undefined && format === 'current';
  const keys = wishes.guard?.accepts === 'both' ? [stranger, owner] : [holder ?? owner];
  const guard =
    isGuarded && wishes.guard ? { ...wishes.guard, keys: keys.map(({ publicKey }) => publicKey) } : undefined;
  const built = {
    capabilities,
    verifier,
    guard: guard && modelGuard({ ...guard, product: Buffer.from(guard.product, 'hex') }),
    fsStart,
    fsEnd,
    atomicFs,
    flashMap,
    flashMode,
    chipSizeBytes,
  };
  const facts: DeviceFacts = {
    core,
    signing: holder === undefined ? 'none' : 'required',
    keyFingerprint: holder?.publicKey.fingerprint,
    guard: guard && {
      keys: guard.keys.map(({ fingerprint }) => fingerprint),
      product: guard.product,
      securityVersion: guard.securityVersion,
      require: guard.require,
    },
    flashMode,
    chipSizeBytes,
    fsStart,
    fsEnd,
    sketchSizeBytes,
    transport,
    flashMap,
    atomicFs,
  };
  return { device: deviceAtRest({ ...built, sketchSizeBytes }), facts };
}

const anyDevice = fc
  .record({
    core: anyCore,
    script: fc.constantFrom(...scripts),
    flashMode: fc.constantFrom(...flashModes),
    key: fc.constantFrom('none', 'none', 'none', 'owner', 'owner', 'owner', 'stranger'),
    sketchShare: fc.double({ min: 0, max: 1, noNaN: true }),
    transport: fc.constantFrom<Transport>('espota', 'http', 'web'),
    atomicFs: fc.boolean(),
    flashMap: fc.boolean(),
    guard: fc.option(
      fc.record({
        accepts: fc.constantFrom('one', 'one', 'both'),
        product: fc.constantFrom(product, product, product, productDigest('window')),
        securityVersion: fc.constantFrom(0, 2, 2, 3),
        require: fc.constantFrom('signature', 'metadata'),
      }),
      { nil: undefined },
    ),
  })
  .map(makeDevice);

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the tables do not know it');
  return value;
}

interface Content {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const sketchSizes = [20_000, 45_000, 80_000, 130_000, 200_000, 300_000, 420_000];
const flashMapText = 'sketch.ino:3 flashinit: configuration not found\0';
const sizeNibbles = [0, 0, 2, 2, 3];

/**
 * Sketches with all sizes, flash modes and compression ratios. A sketch that compresses well only at the start makes eboot overwrite its
 * input.
 */
function makeSketches(): readonly Content[] {
  const sketches: Content[] = [];
  for (const [index, sizeBytes] of sketchSizes.entries()) {
    for (const [noiseIndex, noise] of [0.02, 0.3, 1].entries()) {
      const seed = index * 7 + noiseIndex;
      // A few sketches have a byte that is not a flash mode.
      const modeByte = seed % 10 === 8 ? 23 : seed % flashModes.length;
      // Every fourth sketch has FLASH_MAP_SUPPORT: its header contains 16 MB.
      const isFlashMap = seed % 4 === 3;
      const sizeNibble = isFlashMap ? 9 : (sizeNibbles[seed % sizeNibbles.length] ?? 0);
      const sizeAndFrequencyByte = sizeNibble << 4;
      const hard = noisyBytes(Math.floor(sizeBytes / 5), 1, seed);
      const flashContent = concatBytes(
        Buffer.from(`${owner.publicKey.pem}\0Not Enough Space\0${isFlashMap ? flashMapText : ''}`, 'latin1'),
        noisyBytes(sizeBytes - hard.length - 5_000, noise, seed + 1),
        noiseIndex === 0 ? hard : new Uint8Array(hard.length),
      );
      const bytes = buildImage({ flashContent, modeByte, sizeAndFrequencyByte });
      sketches.push({ name: `sketch of ${bytes.length}, ${flashModes[modeByte]}, noise ${noise}`, bytes });
      if (noiseIndex > 0) continue;
      // Some builds append their configuration to the image, with any length.
      const appended = noisyBytes(2045 + index, 0.5, seed + 2);
      sketches.push({ name: `sketch of ${bytes.length} with appended data`, bytes: concatBytes(bytes, appended) });
    }
  }
  return sketches;
}

/** Size of the largest tested partition. Larger partitions would only make the tests slower. */
const largestPartition = 1024 * 1024;

/** Full, partly full and nearly empty filesystem images, for every partition size in the layouts and for one other size. */
function makeFilesystems(layouts: readonly FlashLayout[]): readonly Content[] {
  const sizes = layouts.map(({ fsStart, fsEnd }) => fsEnd - fsStart);
  const partitions = new Set(sizes.filter((size) => size >= 8192 && size <= largestPartition));
  const filesystems: Content[] = [];
  for (const partition of [...partitions, 24_576]) {
    const blockCount = partition / 4096;
    for (const [index, share] of [0, 0.4, 1].entries()) {
      const content = noisyBytes(Math.floor((blockCount - 2) * share) * 4096, 0.1 + 0.3 * index, index + 1);
      const whole = buildLittleFs({ blockCount, content, revision: 0x20001 });
      filesystems.push({ name: `LittleFS for ${partition}, ${share} full`, bytes: whole });
      const usedBytes = 8192 + content.length;
      if (usedBytes < whole.length) {
        filesystems.push({ name: `LittleFS for ${partition}, cut`, bytes: whole.slice(0, usedBytes) });
      }
    }
  }
  return filesystems;
}

const soundWays = ['raw', 'raw signed', 'gzip', 'gzip signed', 'raw marked', 'gzip marked'];

/** All encodings of the same content, valid and invalid. */
function waysToSend({ name, bytes: content }: Content, index: number): readonly Sent[] {
  const level = [1, 6, 9, 0][index % 4] ?? 9;
  const gzip = Uint8Array.from(gzipSync(content, { level }));
  const aligned = alignGzip(gzip);
  const unaligned = alignGzip(concatBytes(aligned)).length === aligned.length ? misaligned(aligned) : aligned;
  const sign = (bytes: Uint8Array, format: SignatureFormat, { privateKey } = owner): Uint8Array =>
    signFile(bytes, privateKey, format);
  const changed = metadataChanges[index % metadataChanges.length] ?? { name: '', changes: {} };
  const ways: Readonly<Record<string, Uint8Array>> = {
    raw: content,
    'raw signed': sign(content, 'current'),
    'raw signed, legacy': sign(content, 'legacy'),
    'raw signed by a stranger': sign(content, 'current', stranger),
    gzip: aligned,
    'gzip, unaligned': unaligned,
    'gzip signed': sign(aligned, 'current'),
    'gzip signed, unaligned': sign(unaligned, 'current'),
    'raw marked': sign(marked(content, content), 'current'),
    'raw marked, by a stranger': sign(marked(content, content), 'current', stranger),
    'gzip marked': sign(marked(content, gzip), 'current'),
    'gzip marked, unsigned': marked(content, gzip),
    [`gzip marked, ${changed.name}`]: sign(marked(content, gzip, changed.changes), 'current'),
    [`raw marked, ${changed.name}`]: sign(marked(content, content, changed.changes), 'current'),
    'gzip marked, four bytes behind it': sign(concatBytes(marked(content, gzip), Uint8Array.of(1, 2, 3, 4)), 'current'),
    'gzip of two members': concatBytes(
      gzipSync(content.subarray(0, content.length / 2)),
      gzipSync(content.subarray(content.length / 2)),
    ),
    'gzip with four bytes behind it': concatBytes(aligned, Uint8Array.of(0x34, 0x12, 0, 0)),
    'gzip with a wrong size': withIsize(aligned, content.length + 4096),
    'raw, damaged': damaged(content),
  };
  return Object.entries(ways).map(([way, bytes]) => describeSent(`${name}, ${way}`, bytes, content));
}

/** Changes that make metadata unacceptable for some devices, or false. */
const metadataChanges: readonly { readonly name: string; readonly changes: Partial<UpdateMetadata> }[] = [
  { name: 'of another product', changes: { product: productDigest('window') } },
  { name: 'older', changes: { securityVersion: 1 } },
  { name: 'newer', changes: { securityVersion: 9 } },
  { name: 'of a later format', changes: { format: 7 } },
  { name: 'of an unknown kind', changes: { kind: 'unknown' } },
  { name: 'of a wrong kind', changes: { kind: 'filesystem' } },
  { name: 'with a wrong size', changes: { memberBytes: 4 } },
  { name: 'with a high start', changes: { lowestStart: 0x1000_0000 } },
  { name: 'with a wrong mode', changes: { flashModeByte: 1 } },
  { name: 'with a large chip', changes: { flashSizeByte: 0x80 } },
];

/** Adds metadata that describes an artifact, apart from the changes. */
function marked(content: Uint8Array, bytes: Uint8Array, changes: Partial<UpdateMetadata> = {}): Uint8Array {
  const kind = content[0] === 0xe9 ? 'sketch' : 'filesystem';
  const image = { kind, content } as const;
  const raw = { ...rawArtifactMetadata(image, metadata), ...changes };
  if (bytes[0] !== 0x1f) return withRawMetadata(padToWord(bytes), raw);
  const gzip = alignGzip(withGzipMetadata(bytes, raw));
  const inflate = inflateFacts(gzip, content, kind === 'sketch');
  return withGzipMetadata(gzip, {
    ...gzipArtifactMetadata(image, metadata, { payloadBytes: gzip.length, inflate }),
    ...changes,
  });
}

function describeSent(name: string, bytes: Uint8Array, content: Uint8Array): Sent {
  const knownKeys = [owner.publicKey, stranger.publicKey];
  const release = fileRelease(readFirmware(bytes, { knownKeys }), { file: name });
  return { name, bytes, content, release, artifact: required(release.artifacts[0]) };
}

function misaligned(gzip: Uint8Array): Uint8Array {
  const name = Uint8Array.of(0x61, 0x62, 0);
  if (((gzip[3] ?? 0) & 8) !== 0) return concatBytes(gzip.subarray(0, 10), Uint8Array.of(0x61), gzip.subarray(10));
  const longer = concatBytes(gzip.subarray(0, 10), name, gzip.subarray(10));
  longer[3] = 8;
  return longer;
}

function withIsize(gzip: Uint8Array, sizeBytes: number): Uint8Array {
  const changed = gzip.slice();
  new DataView(changed.buffer).setUint32(changed.length - 4, sizeBytes, true);
  return changed;
}

/** Changes bits in the first segment of the application or in the superblock. */
function damaged(content: Uint8Array): Uint8Array {
  const changed = content.slice();
  for (const at of [20, 4096 + 20, 4096 + 40]) changed[at] = (changed[at] ?? 0) ^ 0x10;
  return changed;
}

const layouts = ['2.5.0', '3.1.2'].flatMap((core) =>
  scripts.map((script) => required(flashLayoutByName(script, core))),
);
const sketches = makeSketches();
const sentSketches = sketches.flatMap(waysToSend);
const sentFilesystems = makeFilesystems(layouts).flatMap(waysToSend);

/** Any device and any update. Three out of four updates are valid and fit the device, because the device would reject most random pairs. */
export const anyScenario: fc.Arbitrary<Scenario> = fc
  .tuple(anyDevice, fc.boolean(), fc.nat(), fc.nat(3))
  .map(([{ device, facts }, isSketch, pick, fitting]) => {
    const transport = facts.transport ?? 'espota';
    const kind: ImageKind = isSketch ? 'sketch' : 'filesystem';
    const pool = isSketch ? sentSketches : sentFilesystems;
    const fit = fitting === 0 ? [] : pool.filter((sent) => isMadeFor(sent, device));
    const sent = required((fit.length > 0 ? fit : pool)[pick % (fit.length > 0 ? fit : pool).length]);
    return { device, facts: { ...facts, kind }, transport, kind, sent };
  });

function isMadeFor(
  { name, release: { image } }: Sent,
  { flashMode, fsStart, fsEnd, chipSizeBytes }: ModelDevice,
): boolean {
  if (!soundWays.some((way) => name.endsWith(`, ${way}`))) return false;
  return image.kind === 'sketch'
    ? image.flashMode === flashMode && (image.traces?.flashMap === true || (image.flashSizeBytes ?? 0) <= chipSizeBytes)
    : name.includes(` for ${fsEnd - fsStart},`);
}

/** Describes a scenario for a failure message. */
export function describeScenario({ facts, sent }: Scenario): string {
  return `${sent.name} -> ${JSON.stringify(facts)}`;
}
