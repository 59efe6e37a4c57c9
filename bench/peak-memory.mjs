/** Preloaded into a Node.js run to measure it: at exit, it writes the peak memory in KiB. */
import { writeSync } from 'node:fs';

process.on('exit', () => writeSync(2, `\npeak ${process.resourceUsage().maxRSS}\n`));
