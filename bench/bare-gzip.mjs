/** The least that gzip by fflate can cost in a process of its own: read a file, compress it, nothing else. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'fflate';

gzipSync(readFileSync(process.argv[2]), { level: 9, mtime: 0 });
