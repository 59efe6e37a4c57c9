import { pino } from 'pino';
import type { Log } from './log.ts';

/** Fields that are always redacted, in case a caller logs a secret by mistake. */
const secrets = ['token', 'password', 'authorization', 'credential', 'headers', 'hash', 'pem'];

/** Creates a log that writes JSON lines. */
export function pinoLog(level: keyof Log, write: (line: string) => unknown): Log {
  const logOf = (redact: readonly string[]) => {
    // Log collectors expect names; the numbers are those of pino.
    const formatters = { level: (name: string) => ({ level: name }) };
    const options = { level, base: null, formatters, redact: { paths: [...redact], censor: '[secret]' } };
    return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, { write: (line) => void write(line) });
  };
  const plain = logOf([]);
  const guarded = logOf(secrets.flatMap((name) => [name, `*.${name}`]));
  // Redacting nested fields costs ten times as much as the rest of a log line, and nearly all lines have no nested fields.
  const log = (at: keyof Log) => (fields: object, message: string) =>
    (isPlain(fields) ? plain : guarded)[at](fields, message);
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** Returns whether the fields cannot contain a secret. */
function isPlain(fields: object): boolean {
  return Object.entries(fields).every(([name, value]) => typeof value !== 'object' && !secrets.includes(name));
}
