/** Encoding of an artifact: the image's bytes as the build tool wrote them, or gzip. */
export type Encoding = 'identity' | 'gzip';

/** Signature format. current: core 2.6.0 and later; legacy: 2.5.x (the boundary is esp8266/Arduino#6250). */
export type SignatureFormat = 'current' | 'legacy';

/** Mode in which the boot ROM accesses the flash chip: byte 2 of an image header, 0 for `qio`. */
export type FlashMode = 'qio' | 'qout' | 'dio' | 'dout';

/** Image kind: made by the compiler, or by mklittlefs or mkspiffs. */
export type ImageKind = 'sketch' | 'filesystem';

/** Suffixes of the artifacts next to an image, in the order in which they are made. */
export const artifactSuffixes = ['.gz', '.signed', '.gz.signed', '.legacy_sig'] as const;

/** Suffix of the manifest next to an image. */
export const manifestSuffix = '.ota.json';
