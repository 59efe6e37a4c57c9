import { gzipSync } from 'fflate';
import type { Compressor } from './compressor.ts';

/**
 * Compresses with gzip at level 9 by fflate, whose output depends only on its version, while the output of node:zlib differs between
 * Node.js builds. The header has no time stamp, no file name and a fixed OS byte.
 */
export const gzip: Compressor = async (bytes) => gzipSync(bytes, { level: 9, mtime: 0 });
