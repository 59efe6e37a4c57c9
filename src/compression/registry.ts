import type { Compressor } from './compressor.ts';
import { gzip } from './gzip.ts';
import { zopfli } from './zopfli.ts';

/** What `--compression` can name; a new way to compress is one file and one line here. */
export const compressionNames = ['none', 'gzip', 'zopfli'] as const;
export type CompressionName = (typeof compressionNames)[number];

/** `undefined` means that no compressed artefact is made. */
export const compressors = { none: undefined, gzip, zopfli } satisfies Record<CompressionName, Compressor | undefined>;
