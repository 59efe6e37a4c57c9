/** Preloaded into a run of Node that is measured: at its end it says how much memory it had at most, in KiB. */
import { writeSync } from 'node:fs';

process.on('exit', () => writeSync(2, `\npeak ${process.resourceUsage().maxRSS}\n`));
