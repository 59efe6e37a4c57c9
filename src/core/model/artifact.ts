/** Encoding of an artifact: the unmodified bytes of the image, or gzip. */
export type Encoding = 'identity' | 'gzip';

/** Signature format. `current`: core 2.6.0 and later. `legacy`: core 2.5.x. Upstream changed the format in esp8266/Arduino#6250. */
export type SignatureFormat = 'current' | 'legacy';

/** Flash mode: how the boot ROM accesses the flash chip. The mode is byte 2 of an image header; 0 means `qio`. */
export type FlashMode = 'qio' | 'qout' | 'dio' | 'dout';

/** Kind of an image. The compiler makes sketch images; mklittlefs or mkspiffs makes filesystem images. */
export type ImageKind = 'sketch' | 'filesystem';

/** Suffixes of the artifacts beside an image, in the order in which the artifacts are made. */
export const artifactSuffixes = ['.gz', '.raw', '.signed', '.gz.signed', '.raw.signed', '.legacy_sig'] as const;

/** Suffix of the manifest beside an image. */
export const manifestSuffix = '.ota.json';

/** Suffix of the bill of materials beside an image. */
export const billSuffix = '.cdx.json';

/**
 * Location of the size and CRC words in a .bin file, which depends on the core (`add_crc` in `elf2bin.py`):
 *
 * - `application`: cores from 3.0.0, at the start of the application's first segment;
 * - `eboot-page`: 2.7.x, in the last eight bytes of eboot's page;
 * - `none`: not stored, up to 2.6.3;
 * - `unknown`: neither the core's git hash nor a size word identifies the location.
 */
export type CrcRule = 'application' | 'eboot-page' | 'none' | 'unknown';
