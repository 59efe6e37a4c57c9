/** Types of a file that was read as firmware. */
export type { EmbeddedKey } from '../firmware/embedded-keys.ts';
export type { FilesystemImage } from '../firmware/filesystem-image.ts';
export type { Finding, FindingId } from '../firmware/finding.ts';
export type { Firmware, ReadFirmwareOptions } from '../firmware/firmware.ts';
export type { FlashHeader } from '../firmware/flash-header.ts';
export type { FlashLayout } from '../firmware/flash-layout.ts';
export type { GzipFraming, GzipMember } from '../firmware/gzip-framing.ts';
export type { GzipHeader } from '../firmware/gzip-header.ts';
export type { CrcRule, ImageCrc } from '../firmware/image-crc.ts';
export type { ImageChecksum, ImageHeader, Segment } from '../firmware/image-header.ts';
export type { SegmentMemory } from '../firmware/memory-map.ts';
export type { SignatureTrailer } from '../firmware/signature-trailer.ts';
export type { CoreVersion, SketchImage } from '../firmware/sketch-image.ts';
export type { Traces } from '../firmware/traces.ts';
