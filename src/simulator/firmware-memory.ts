import { createHash } from 'node:crypto';
import { type Firmware, readFirmware } from '../core/firmware/firmware.ts';

/** Size of the cache. Updating a fleet reads the same two or three files many times. */
const mostRemembered = 6;
const remembered = new Map<string, Firmware>();

/** Returns the cached result of `readFirmware`, which needs some milliseconds per call. */
export function recallFirmware(bytes: Uint8Array): Firmware {
  const md5 = createHash('md5').update(bytes).digest('hex');
  const firmware = remembered.get(md5) ?? readFirmware(bytes);
  remembered.delete(md5);
  remembered.set(md5, firmware);
  for (const oldest of remembered.keys()) {
    if (remembered.size <= mostRemembered) break;
    remembered.delete(oldest);
  }
  return firmware;
}
