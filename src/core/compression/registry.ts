import type { Compressor } from './compressor.ts';
import { gzip } from './gzip.ts';
import type { CompressionName } from './names.ts';
import { zopfli } from './zopfli.ts';

/** Compressors by name; `undefined` disables compression. */
export const compressors = { none: undefined, gzip, zopfli } satisfies Record<CompressionName, Compressor | undefined>;
