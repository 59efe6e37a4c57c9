import type { Firmware } from '../../../core/firmware/firmware.ts';
import type { ImageHeader } from '../../../core/firmware/image-header.ts';
import { hexWord } from '../../../core/firmware/little-endian.ts';
import type { SketchImage } from '../../../core/firmware/sketch-image.ts';
import { sketchMd5s } from '../../../core/firmware/sketch-md5.ts';
import type { Release } from '../../../core/preflight/release.ts';
import { drawFlash, type FlashPicture } from './flash-picture.ts';

/** All information about an inspected file, for text and JSON output. */
export interface Inspection {
  readonly firmware: Firmware;
  readonly release: Release;
  readonly picture: FlashPicture | undefined;
  /** Git commit in the manifest beside the file. */
  readonly sourceCommit: string | undefined;
}

/** Returns the JSON output of `inspect`. */
export function inspectionDocument({ firmware, release, picture, sourceCommit }: Inspection) {
  const { encoding, kind, sketch, filesystem, trailer, metadata, embeddedKeys, guard, content, findings, traces } =
    firmware;
  return {
    encoding,
    kind,
    contentBytes: content.length,
    gzip: gzipDocument(firmware, release),
    sketch: sketch && {
      core: sketch.core.release ?? null,
      coreGitHash: sketch.core.gitHash ?? null,
      flashMode: sketch.flash.mode ?? null,
      flashSizeBytes: sketch.flash.sizeBytes ?? null,
      flashFrequencyMHz: sketch.flash.frequencyMHz ?? null,
      sizeBytes: sketch.sketchSizeBytes ?? null,
      segments: sketch.application?.segments ?? [],
      eboot: headerDocument(sketch.eboot),
      application: sketch.application && headerDocument(sketch.application),
      crcRule: sketch.crcRule,
      crc: sketch.crc ?? null,
      sketchMd5s: sketchMd5s(content, sketch.sketchSizeBytes ?? 0),
    },
    filesystem,
    signature: trailer && {
      format: trailer.format,
      keyBits: trailer.keyBits,
      verifiedBy: trailer.verifiedBy?.fingerprint ?? null,
    },
    metadata: metadata ?? null,
    guard: guard ?? null,
    embeddedKeys: embeddedKeys.map(({ encoding: form, container, offset, key }) => ({
      encoding: form,
      container,
      offset,
      bits: key.bits,
      fingerprint: key.fingerprint,
    })),
    traces,
    enforcement: kind === 'sketch' && embeddedKeys.length > 0 ? release.enforcement : null,
    layout: release.image.layout ?? null,
    sourceCommit: sourceCommit ?? null,
    flash: picture ?? null,
    findings,
  };
}

function gzipDocument({ gzip }: Firmware, { artifacts: [artifact] }: Release) {
  if (gzip === undefined) return null;
  return {
    members: gzip.members.map(({ offset, header, deflateBytes, inflatedBytes, isize, storedCrc, endOffset }) => ({
      offset,
      fileName: header.fileName ?? null,
      modificationTime: header.modificationTime,
      deflateBytes,
      inflatedBytes,
      isize,
      crc: hexWord(storedCrc),
      endOffset,
    })),
    lowestStaging: artifact?.inflate?.lowestStaging ?? null,
  };
}

function headerDocument({ offset, segmentCount, entryAddress, flash, segments, endOffset, checksum }: ImageHeader) {
  return {
    offset,
    segmentCount,
    entryAddress: hexWord(entryAddress),
    flashMode: flash.mode ?? null,
    flashSizeBytes: flash.sizeBytes ?? null,
    flashFrequencyMHz: flash.frequencyMHz ?? null,
    segments,
    endOffset: endOffset ?? null,
    checksum: checksum ?? null,
  };
}

/** Returns the text output of `inspect`. */
export function inspectionSheet(
  name: string,
  { firmware, release, picture, sourceCommit }: Inspection,
): readonly string[] {
  const { encoding, kind, trailer, embeddedKeys, findings, sizeBytes, content } = firmware;
  const rows: (readonly [string, string])[] = [
    ['file', `${name}, ${sizeBytes} bytes`],
    ['type', `${kind}${encoding === 'gzip' ? `, gzip-compressed, ${content.length} bytes uncompressed` : ''}`],
    ...gzipRows(firmware, release),
    ...sketchRows(firmware),
    ...filesystemRows(firmware),
    ['signature', trailer === undefined ? 'none' : `${trailer.format}, RSA ${trailer.keyBits} bits`],
  ];
  if (trailer?.verifiedBy !== undefined) rows.push(['signed by', trailer.verifiedBy.fingerprint]);
  for (const { key } of embeddedKeys) rows.push(['key', `${key.fingerprint} (RSA ${key.bits} bits)`]);
  if (kind === 'sketch' && embeddedKeys.length > 0) rows.push(['verifies', enforcementWords[release.enforcement]]);
  rows.push(...guardRows(firmware));
  if (sourceCommit !== undefined) rows.push(['commit', `${sourceCommit} (in the manifest)`]);
  for (const { id, message } of findings) rows.push(['note', `${id}: ${message}`]);
  if (picture !== undefined) {
    rows.push(['layout', `${picture.layout ?? 'custom'}, ${picture.flashSizeBytes / 1024} KB of flash`]);
    rows.push(...drawFlash(picture).map((line) => ['', line] as const));
  }
  return rows.map(([label, text]) => `${label.padEnd(10)} ${text}`.trimEnd());
}

const enforcementWords = {
  elf: 'updates (shown by the ELF file)',
  declared: 'updates (as declared in the configuration)',
  unproven: 'unknown: no matching ELF file next to the image',
  disproved: 'nothing: the ELF file does not contain the verifier',
} as const satisfies Record<Release['enforcement'], string>;

/** Rows about the metadata of an update, and about the guard of a sketch, which checks the metadata of the next update. */
function guardRows({ metadata, guard }: Firmware): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [];
  if (metadata !== undefined) {
    const { kind, product, securityVersion } = metadata;
    rows.push(['metadata', `${kind}, security version ${securityVersion}, product ${product}`]);
  }
  if (guard === undefined) return rows;
  const { keys, product, securityVersion, require } = guard;
  const accepted = `accepts ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}, product ${product}`;
  return [
    ...rows,
    ['guard', `${accepted}, security version ${securityVersion} or higher; requires ${requirements[require]}`],
  ];
}

const requirements = { signature: 'a signature', metadata: 'a signature and metadata' } as const;

function gzipRows({ gzip }: Firmware, { artifacts: [artifact] }: Release): (readonly [string, string])[] {
  const [member] = gzip?.members ?? [];
  if (gzip === undefined || member === undefined) return [];
  const { fileName } = member.header;
  const framing = `${gzip.members.length === 1 ? 'one member' : `${gzip.members.length} members`}, size field ${member.isize} bytes${fileName === undefined || fileName === '' ? '' : `, file name ${JSON.stringify(fileName)}`}`;
  const lowest = artifact?.inflate?.lowestStaging;
  const staging = lowest && `at or above ${lowest.inflatesFirst} (before core 3.0.0: ${lowest.erasesFirst})`;
  return staging === undefined
    ? [['gzip', framing]]
    : [
        ['gzip', framing],
        ['staged', `safely ${staging}`],
      ];
}

function sketchRows({ sketch, traces }: Firmware): (readonly [string, string])[] {
  if (sketch === undefined) return [];
  const { mode, sizeBytes, frequencyMHz } = sketch.flash;
  const rows: (readonly [string, string])[] = [
    ['core', coreText(sketch)],
    ['flash', `${mode ?? '?'}, ${sizeBytes === undefined ? '?' : sizeBytes / 1024} KB, ${frequencyMHz ?? '?'} MHz`],
    ['eboot', headerWords(sketch.eboot)],
  ];
  if (sketch.application !== undefined) rows.push(['sketch', headerWords(sketch.application)]);
  for (const { address, sizeBytes: segmentBytes, memory } of sketch.application?.segments ?? []) {
    rows.push(['segment', `${hexWord(address)}  ${String(segmentBytes).padStart(8)} bytes  ${memory}`]);
  }
  rows.push(['CRC', sketch.crc === undefined ? 'none' : sketch.crc.matches ? 'valid' : 'invalid']);
  if (traces === undefined) return rows;
  if (traces.sdkVersions.length > 0) rows.push(['SDK', traces.sdkVersions.join(', ')]);
  const libraries = [
    ['Updater', traces.updater],
    ['ArduinoOTA', traces.arduinoOta],
    ['ESP8266httpUpdate', traces.httpUpdate],
    ['ESP8266HTTPUpdateServer', traces.webUpdater],
  ] as const;
  if (traces.flashMap === true)
    rows.push(['layout', 'determined by the chip when the sketch starts (FLASH_MAP_SUPPORT)']);
  const found = libraries.filter(([, isThere]) => isThere).map(([library]) => library);
  rows.push(['traces', found.length === 0 ? 'no updater' : found.join(', ')]);
  return rows;
}

/** Returns the core of a sketch, or what the location of its CRC proves about the core. */
function coreText({ core, crcRule, crc }: SketchImage): string {
  if (core.release !== undefined) return core.release;
  const hash = core.gitHash === undefined ? 'unknown' : `unknown (git hash ${core.gitHash})`;
  if (crc?.matches !== true) return hash;
  return `${hash}, but ${crcRule === 'application' ? '3.0.0 or later' : '2.7.0 to 2.7.4'}, because of the location of the CRC`;
}

function headerWords({ segmentCount, entryAddress, checksum }: ImageHeader): string {
  const sum = checksum === undefined ? 'no checksum' : checksum.matches ? 'checksum valid' : 'checksum invalid';
  return `${segmentCount} ${segmentCount === 1 ? 'segment' : 'segments'}, entry ${hexWord(entryAddress)}, ${sum}`;
}

function filesystemRows({ filesystem }: Firmware): (readonly [string, string])[] {
  if (filesystem === undefined) return [];
  const { type, version, blockSizeBytes, blockCount, partitionBytes, usedBytes } = filesystem;
  const geometry =
    blockSizeBytes === undefined || blockCount === undefined
      ? 'no geometry'
      : `${blockCount} blocks of ${blockSizeBytes} bytes, made for ${partitionBytes} bytes`;
  return [[type, `${version === undefined ? '' : `${version}, `}${geometry}, ${usedBytes} in use`]];
}
