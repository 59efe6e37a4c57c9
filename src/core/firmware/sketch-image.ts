import type { CrcRule } from '../model/artifact.ts';
import { coreReleaseOf } from '../model/core-versions.ts';
import type { Finding, Reading } from './finding.ts';
import { describeFlash, type FlashHeader } from './flash-header.ts';
import { crcWords, type ImageCrc, readImageCrc } from './image-crc.ts';
import { findImageEnd, type ImageHeader, imageMagic, readImageHeader } from './image-header.ts';
import { hexWord, wordAt } from './little-endian.ts';
import { flashMapAddress } from './memory-map.ts';

/** Offset of the application's header (`APP_START_OFFSET`), after the sector that contains eboot. */
const applicationOffset = 0x1000;

/** Sketch image as made by the compiler: eboot, padded to a sector, and the application. */
export interface SketchImage {
  readonly eboot: ImageHeader;
  /**
   * Application header; undefined without a complete image header at 0x1000. Such a file is truncated or was not built with the Arduino
   * core.
   */
  readonly application: ImageHeader | undefined;
  /** Bytes 2 and 3 of the file, part of eboot's header. The boot ROM and `ESP.getFlashChip…` use these bytes. */
  readonly flash: FlashHeader;
  /** Result of `ESP.getSketchSize()` on the device. Equal to the end of the image; undefined for an incomplete image. */
  readonly sketchSizeBytes: number | undefined;
  readonly crcRule: CrcRule;
  readonly crc: ImageCrc | undefined;
  readonly core: CoreVersion;
}

/** Core with which the image was built. */
export interface CoreVersion {
  /** Git hash of the core, eight lower-case hex digits; undefined if the image contains no valid hash or the hash's offset is unknown. */
  readonly gitHash: string | undefined;
  /** Core release such as `3.1.2`; undefined if the git hash does not belong to a release. */
  readonly release: string | undefined;
}

/** Returns true if the bytes begin like a sketch. `_verifyEnd` in `Updater.cpp` makes the same check. */
export function looksLikeSketch(content: Uint8Array): boolean {
  return content[0] === imageMagic;
}

/**
 * Returns the end of a sketch according to its segment table, like `EspClass::getSketchSize` (`Esp.cpp`). Returns undefined without a
 * segment table, or if a segment extends past the end of the file.
 */
export function findSketchEnd(content: Uint8Array): number | undefined {
  return findImageEnd(content, applicationOffset);
}

/** Reads bytes that begin with 0xE9. The result is undefined if eboot's header is incomplete. */
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
    const message = 'there is no application header (0xe9) at 0x1000: this is not an image of the ESP8266 Arduino core';
    return { value: undefined, findings: [{ id: 'application-missing', message, offset: applicationOffset }] };
  }
  const reading = readImageHeader(content, { name: 'application', offset: applicationOffset, zeroedWords });
  if (reading.value !== undefined) return reading;
  const message = `the file ends at ${content.length}, before the application's header at 0x1000 is complete`;
  return { value: undefined, findings: [{ id: 'application-header-truncated', message, offset: content.length }] };
}

/**
 * Detects the core and the location of the CRC. The git hash is the first word of the application's first segment, after the size and the
 * CRC if the segment contains them: at 0x1018 from 3.0.0, at 0x1010 before. For an unreleased core, the location is detected by a size word
 * that matches the image size.
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

/** Returns true if the word is a plausible image size: a multiple of 16, and at most the file size. */
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
      // After it patches the byte, the Updater can restore the value 255, but no other value outside the flash modes.
      id: eboot.modeByte === 0xff ? 'flash-mode-erased' : 'flash-mode-unknown',
      message: `the flash mode in byte 2 is unknown: ${eboot.modeByte}`,
      offset: 2,
    });
  }
  if (sizeBytes === undefined) {
    findings.push({
      id: 'flash-size-unknown',
      message: `${byte3}, which is not a flash size of the ESP8266`,
      offset: 3,
    });
  }
  if (frequencyMHz === undefined) {
    findings.push({
      id: 'flash-frequency-unknown',
      message: `${byte3}, which is not a flash frequency of the ESP8266`,
      offset: 3,
    });
  }
  if (application !== undefined && !sameFlashBytes(eboot, application)) {
    const message = `the headers of eboot and the application differ in flash mode, size or frequency (${describeFlash(eboot.flash)} and ${describeFlash(application.flash)}): the image was changed after the build, or read from a device`;
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
    const message = `eboot ends at ${eboot.endOffset}, but only ${applicationOffset} bytes are reserved for it`;
    findings.push({ id: 'eboot-too-large', message, offset: 0 });
  }
  if (application !== undefined && !isInSegments(application)) {
    const message = `the application starts at ${hexWord(application.entryAddress)}, outside its segments`;
    findings.push({ id: 'entry-outside-segments', message, offset: application.offset + 4 });
  }
  for (const segment of application?.segments ?? []) {
    const address = hexWord(segment.address);
    if (segment.memory === 'unknown' && segment.sizeBytes > 0) {
      findings.push({
        id: 'segment-address-unknown',
        message: `a segment of the application is linked for ${address}, where the ESP8266 has no memory`,
        offset: segment.offset,
      });
    }
    if (segment.memory === 'irom' && segment.address !== flashMapAddress + segment.offset) {
      const mapped = hexWord(flashMapAddress + segment.offset);
      const message = `the segment linked for ${address} is at ${segment.offset}, which the flash cache maps to ${mapped}`;
      findings.push({ id: 'segment-misplaced', message, offset: segment.offset });
    }
  }
  return findings;
}

function isInSegments({ entryAddress, segments, segmentCount }: ImageHeader): boolean {
  if (segments.length < segmentCount) return true;
  return segments.some(({ address, sizeBytes }) => entryAddress >= address && entryAddress < address + sizeBytes);
}
