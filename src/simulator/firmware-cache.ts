import { createHash } from 'node:crypto';
import { type Firmware, readFirmware } from '../core/firmware/firmware.ts';

/** Cache size. Updating a fleet reads the same few files many times. */
const mostCached = 6;
const cache = new Map<string, Firmware>();

/** Returns the cached result of `readFirmware`. An uncached call takes a few milliseconds. */
export function readFirmwareCached(bytes: Uint8Array): Firmware {
  const md5 = createHash('md5').update(bytes).digest('hex');
  const firmware = cache.get(md5) ?? readFirmware(bytes);
  cache.delete(md5);
  cache.set(md5, firmware);
  for (const oldest of cache.keys()) {
    if (cache.size <= mostCached) break;
    cache.delete(oldest);
  }
  return firmware;
}
