import { createHash } from 'node:crypto';
import { type Firmware, readFirmware } from '../core/firmware/firmware.ts';

/** A fleet that is updated reads the same two or three files a hundred times. */
const mostRemembered = 6;
const remembered = new Map<string, Firmware>();

/** `readFirmware`, which takes some milliseconds, once for each content. */
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
