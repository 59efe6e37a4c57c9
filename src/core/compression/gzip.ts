import { gzipSync } from 'fflate';
import type { Compressor } from './compressor.ts';

/**
 * gzip at level 9 by fflate: its output depends on its version only, while node:zlib's differs between builds of Node. No time stamp,
 * no file name, a fixed OS byte.
 */
export const gzip: Compressor = async (bytes) => gzipSync(bytes, { level: 9, mtime: 0 });
