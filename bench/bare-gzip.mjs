/** Lower bound for gzip with fflate in a separate process: reads a file and compresses it, nothing else. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'fflate';

gzipSync(readFileSync(process.argv[2]), { level: 9, mtime: 0 });
