/** Lower bound for gzip with fflate in a separate process, which only reads a file and compresses it. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'fflate';

gzipSync(readFileSync(process.argv[2]), { level: 9, mtime: 0 });
