import { gzipSync } from 'fflate';
import type { Compressor } from './compressor.ts';

/**
 * Compresses with fflate at gzip level 9. Its output depends only on the fflate version. node:zlib is not used, because its output
 * differs between Node.js builds. The header contains no timestamp, no file name and a fixed OS byte.
 */
export const gzip: Compressor = async (bytes) => gzipSync(bytes, { level: 9, mtime: 0 });
