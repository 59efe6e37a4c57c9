import { LRUCache } from 'lru-cache';
import type { Log } from './log.ts';

const quietMs = 60_000;
/** Maximum number of faults in memory. Faults are distinguished by code and message, and an attacker may cause any number of messages. */
const mostFaults = 200;

interface Fault {
  readonly loggedAt: number;
  repeated: number;
}

/**
 * Logs the same fault at most once a minute: one line per device would use even more space on a full disk. The next line contains the
 * number of repetitions. Errors without `err` and other levels are not limited.
 *
 * @param now monotonic clock in milliseconds
 */
export function limitRepeats(log: Log, now: () => number = () => performance.now()): Log {
  const faults = new LRUCache<string, Fault>({ max: mostFaults });
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error(fields, message) {
      const key = faultOf(fields, message);
      if (key === undefined) return log.error(fields, message);
      const known = faults.get(key);
      if (known !== undefined && now() - known.loggedAt < quietMs) {
        known.repeated++;
        return;
      }
      faults.set(key, { loggedAt: now(), repeated: 0 });
      log.error({ ...fields, ...(known !== undefined && known.repeated > 0 && { repeated: known.repeated }) }, message);
    },
  };
}

function faultOf(fields: object, message: string): string | undefined {
  const error = 'err' in fields ? fields.err : undefined;
  if (!(error instanceof Error)) return undefined;
  // The message may name a file or a device, so a code identifies the fault better.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : `${error.name} ${error.message}`;
  return `${message} ${code}`;
}
