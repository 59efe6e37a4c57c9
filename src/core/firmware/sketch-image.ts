import { coreReleaseOf } from './core-versions.ts';
import type { Finding, Reading } from './finding.ts';
import { describeFlash, type FlashHeader } from './flash-header.ts';
import { type CrcRule, crcWords, type ImageCrc, readImageCrc } from './image-crc.ts';
import { findImageEnd, type ImageHeader, imageMagic, readImageHeader } from './image-header.ts';
import { hexWord, wordAt } from './little-endian.ts';
import { flashMapAddress } from './memory-map.ts';

/** Where the application's own header lies: after the sector that holds eboot (`APP_START_OFFSET`). */
const applicationOffset = 0x1000;

/** A sketch as the compiler made it: eboot, padded to a sector, and the application. */
export interface SketchImage {
  readonly eboot: ImageHeader;
  /** Undefined when there is no image header at 0x1000: then this is no image of the Arduino core. */
  readonly application: ImageHeader | undefined;
  /** What the chip and `ESP.getFlashChip…` go by: bytes 2 and 3 of the whole file, which are eboot's. */
  readonly flash: FlashHeader;
  /** What `ESP.getSketchSize()` will say when it runs; also where the image ends. Undefined when it cannot be walked. */
  readonly sketchSizeBytes: number | undefined;
  readonly crcRule: CrcRule;
  readonly crc: ImageCrc | undefined;
  readonly core: CoreVersion;
}

/** The core that built the image. */
export interface CoreVersion {
  /** Eight lower-case hex digits; undefined when the image stores none (0, ffffffff, or before 2.4.0). */
  readonly gitHash: string | undefined;
  /** Such as `3.1.2`; undefined when the git hash is of no release. */
  readonly release: string | undefined;
}

/** True when the bytes begin as a sketch does; `_verifyEnd` of `Updater.cpp` looks at no more than this. */
export function looksLikeSketch(content: Uint8Array): boolean {
  return content[0] === imageMagic;
}

/**
 * Where a sketch ends by its segment table, as `EspClass::getSketchSize` (`Esp.cpp`) computes it; undefined when the
 * table leads past the file or there is none.
 */
export function findSketchEnd(content: Uint8Array): number | undefined {
  return findImageEnd(content, applicationOffset);
}

/** Reads bytes that begin with 0xE9; undefined when even eboot's header is cut short. */
export function readSketchImage(content: Uint8Array): Reading<SketchImage | undefined> {
  const { rule, core } = detectGeneration(content);
  const zeroedWords = rule === 'application' ? Object.values(crcWords.application) : [];

  const eboot = readImageHeader(content, { name: 'eboot', offset: 0, zeroedWords: [] });
  if (eboot.value === undefined) {
    const message = `the file has ${content.length} bytes, too few for an image header`;
    return { value: undefined, findings: [{ id: 'eboot-header-truncated', message, offset: 0 }] };
  }
  const application = readApplication(content, zeroedWords);
  const sketchSizeBytes = application.value?.endOffset;
  const crc = rule === 'none' || rule === 'unknown' ? undefined : readImageCrc(content, rule, sketchSizeBytes);
  return {
    value: {
      eboot: eboot.value,
      application: application.value,
      flash: eboot.value.flash,
      sketchSizeBytes,
      crcRule: rule,
      crc: crc?.value,
      core,
    },
    findings: [
      ...eboot.findings,
      ...application.findings,
      ...flashHeaderFindings(eboot.value, application.value),
      ...placementFindings(eboot.value, application.value),
      ...(crc?.findings ?? []),
    ],
  };
}

function readApplication(content: Uint8Array, zeroedWords: readonly number[]): Reading<ImageHeader | undefined> {
  if (content.length > applicationOffset && content[applicationOffset] !== imageMagic) {
    const message = 'there is no application header (0xe9) at 0x1000: this is no image of the ESP8266 Arduino core';
    return { value: undefined, findings: [{ id: 'application-missing', message, offset: applicationOffset }] };
  }
  const reading = readImageHeader(content, { name: 'application', offset: applicationOffset, zeroedWords });
  if (reading.value !== undefined) return reading;
  const message = `the file ends at ${content.length}, before the application's header at 0x1000 is complete`;
  return { value: undefined, findings: [{ id: 'application-header-truncated', message, offset: content.length }] };
}

/**
 * The git hash is the first word of the application's first segment that is not size or CRC: at 0x1018 from 3.0.0, at
 * 0x1010 before. A build of no release still has its size word, which is equal to the image's size by chance only.
 */
function detectGeneration(content: Uint8Array): { readonly rule: CrcRule; readonly core: CoreVersion } {
  const newer = gitHashAt(content, 0x1018);
  const newerRelease = newer === undefined ? undefined : coreReleaseOf(newer);
  if (newer !== undefined && newerRelease !== undefined && majorOf(newerRelease) >= 3) {
    return { rule: 'application', core: { gitHash: newer, release: newerRelease } };
  }
  const older = gitHashAt(content, 0x1010);
  const olderRelease = older === undefined ? undefined : coreReleaseOf(older);
  if (older !== undefined && olderRelease !== undefined && majorOf(olderRelease) < 3) {
    const rule = olderRelease.startsWith('2.7.') ? 'eboot-page' : 'none';
    return { rule, core: { gitHash: older, release: olderRelease } };
  }
  if (plausibleSize(content, crcWords.application.sizeOffset)) {
    return { rule: 'application', core: { gitHash: newer, release: undefined } };
  }
  if (plausibleSize(content, crcWords['eboot-page'].sizeOffset)) {
    return { rule: 'eboot-page', core: { gitHash: older, release: undefined } };
  }
  return { rule: 'unknown', core: { gitHash: undefined, release: undefined } };
}

function gitHashAt(content: Uint8Array, offset: number): string | undefined {
  const word = wordAt(content, offset);
  return word === undefined || word === 0 || word === 0xffffffff ? undefined : hexWord(word);
}

function majorOf(release: string): number {
  return Number.parseInt(release, 10);
}

/** A size word names the file's size, or less when something was appended; all image sizes are multiples of 16. */
function plausibleSize(content: Uint8Array, offset: number): boolean {
  const size = wordAt(content, offset);
  return (
    size !== undefined &&
    size > applicationOffset &&
    size % 16 === 0 &&
    size <= content.length &&
    content.length - size < 4096
  );
}

function flashHeaderFindings(eboot: ImageHeader, application: ImageHeader | undefined): readonly Finding[] {
  const findings: Finding[] = [];
  const { mode, sizeBytes, frequencyMHz } = eboot.flash;
  const byte3 = `byte 3 is 0x${eboot.sizeAndFrequencyByte.toString(16).padStart(2, '0')}`;
  if (mode === undefined) {
    findings.push({
      id: 'flash-mode-unknown',
      message: `the flash mode in byte 2 is ${eboot.modeByte}, which the core does not know`,
      offset: 2,
    });
  }
  if (sizeBytes === undefined) {
    findings.push({
      id: 'flash-size-unknown',
      message: `${byte3}: the core knows no flash size by that number`,
      offset: 3,
    });
  }
  if (frequencyMHz === undefined) {
    findings.push({
      id: 'flash-frequency-unknown',
      message: `${byte3}: the core knows no flash frequency by that number`,
      offset: 3,
    });
  }
  if (application !== undefined && !sameFlashBytes(eboot, application)) {
    const message = `the headers of eboot and application differ in flash mode, size or frequency (${describeFlash(eboot.flash)} against ${describeFlash(application.flash)}): the image was changed after it was built, or taken from a device`;
    findings.push({ id: 'flash-header-differs', message, offset: 2 });
  }
  return findings;
}

function sameFlashBytes(eboot: ImageHeader, application: ImageHeader): boolean {
  return eboot.modeByte === application.modeByte && eboot.sizeAndFrequencyByte === application.sizeAndFrequencyByte;
}

function placementFindings(eboot: ImageHeader, application: ImageHeader | undefined): readonly Finding[] {
  const findings: Finding[] = [];
  if (eboot.endOffset !== undefined && eboot.endOffset > applicationOffset) {
    const message = `eboot ends at ${eboot.endOffset}, but only ${applicationOffset} bytes are kept for it`;
    findings.push({ id: 'eboot-too-large', message, offset: 0 });
  }
  if (application !== undefined && !isInSegments(application)) {
    const message = `the application starts at ${hexWord(application.entryAddress)}, which is in none of its segments`;
    findings.push({ id: 'entry-outside-segments', message, offset: application.offset + 4 });
  }
  for (const segment of application?.segments ?? []) {
    const address = hexWord(segment.address);
    if (segment.memory === 'unknown' && segment.sizeBytes > 0) {
      findings.push({
        id: 'segment-address-unknown',
        message: `a segment of the application belongs at ${address}, where the ESP8266 has no memory`,
        offset: segment.offset,
      });
    }
    if (segment.memory === 'irom' && segment.address !== flashMapAddress + segment.offset) {
      const mapped = hexWord(flashMapAddress + segment.offset);
      const message = `the segment linked for ${address} lies at ${segment.offset}, which the flash cache maps to ${mapped}`;
      findings.push({ id: 'segment-misplaced', message, offset: segment.offset });
    }
  }
  return findings;
}

function isInSegments({ entryAddress, segments, segmentCount }: ImageHeader): boolean {
  if (segments.length < segmentCount) return true;
  return segments.some(({ address, sizeBytes }) => entryAddress >= address && entryAddress < address + sizeBytes);
}
