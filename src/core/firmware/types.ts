/** Types of the results of reading a firmware file. */

export type { EmbeddedKey } from './embedded-keys.ts';
export type { FilesystemImage } from './filesystem-image.ts';
export type { Finding, FindingId } from './finding.ts';
export type { Firmware, ReadFirmwareOptions } from './firmware.ts';
export type { FlashHeader } from './flash-header.ts';
export type { FlashLayout } from './flash-layout.ts';
export type { GzipFraming, GzipMember } from './gzip-framing.ts';
export type { GzipHeader } from './gzip-header.ts';
export type { ImageCrc } from './image-crc.ts';
export type { ImageChecksum, ImageHeader, Segment } from './image-header.ts';
export type { SegmentMemory } from './memory-map.ts';
export type { SignatureTrailer } from './signature-trailer.ts';
export type { CoreVersion, SketchImage } from './sketch-image.ts';
export type { Traces } from './traces.ts';
