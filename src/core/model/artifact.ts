/** Whether the bytes for a device are as the compiler made them, or gzip. */
export type Encoding = 'identity' | 'gzip';

/** current: core 2.6.0 and later; legacy: 2.5.x (the boundary is esp8266/Arduino#6250). */
export type SignatureFormat = 'current' | 'legacy';

/** How the boot ROM drives the flash chip: byte 2 of an image header, 0 for `qio`. */
export type FlashMode = 'qio' | 'qout' | 'dio' | 'dout';

/** What an image is: the bytes that the compiler made, or those of mklittlefs and mkspiffs. */
export type ImageKind = 'sketch' | 'filesystem';

/** The suffixes of what is written beside an image, in the order in which they are made. */
export const artifactSuffixes = ['.gz', '.signed', '.gz.signed', '.legacy_sig'] as const;

/** The suffix of the manifest that stands beside an image. */
export const manifestSuffix = '.ota.json';
