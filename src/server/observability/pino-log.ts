import { pino } from 'pino';
import type { Log } from './log.ts';

/** Names that never reach a log, should anybody ever put such a thing into its fields. */
const secrets = ['token', 'password', 'authorization', 'credential', 'headers', 'hash', 'pem'];

/** Lines of JSON. */
export function pinoLog(level: 'debug' | 'info' | 'warn', write: (line: string) => unknown): Log {
  const logOf = (redact: readonly string[]) => {
    const options = { level, base: null, redact: { paths: [...redact], censor: '[secret]' } };
    return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, { write: (line) => void write(line) });
  };
  const plain = logOf([]);
  const guarded = logOf(secrets.flatMap((name) => [name, `*.${name}`]));
  // To look below each field costs ten times what the rest of a line does, and nearly all lines have nothing there.
  const log = (at: keyof Log) => (fields: object, message: string) =>
    (isPlain(fields) ? plain : guarded)[at](fields, message);
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** Nothing in it could hide a secret. */
function isPlain(fields: object): boolean {
  return Object.entries(fields).every(([name, value]) => typeof value !== 'object' && !secrets.includes(name));
}
