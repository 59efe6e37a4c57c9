/**
 * Reads a 16 MB file of each hostile kind. Fails if reading any file takes two or more seconds of CPU time.
 *
 *     npm run fuzz:large
 */
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { hostileFiles } from './hostile-files.ts';

const sizeBytes = 16 * 1024 * 1024;
const limitMs = 2000;

for (const [name, make] of Object.entries(hostileFiles)) {
  const file = make(sizeBytes);
  const before = process.cpuUsage();
  readFirmware(file);
  const { user, system } = process.cpuUsage(before);
  const durationMs = Math.round((user + system) / 1000);
  console.log(`${name}: ${durationMs} ms`);
  if (durationMs >= limitMs) process.exitCode = 1;
}
