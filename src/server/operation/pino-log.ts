import { pino } from 'pino';
import type { Log } from './log.ts';

/** Names that never reach a log, should anybody ever put such a thing into its fields. */
const secrets = ['token', 'password', 'authorization', 'credential', 'headers', 'hash', 'pem'];

/** Lines of JSON. */
export function pinoLog(level: 'debug' | 'info' | 'warn', write: (line: string) => unknown): Log {
  const logOf = (paths: readonly string[]) => {
    const redact = { paths: [...paths], censor: '[secret]' };
    const options = { level, base: null, redact, timestamp: pino.stdTimeFunctions.isoTime };
    return pino(options, { write: (line) => void write(line) });
  };
  const flat = logOf(secrets);
  const deep = logOf(secrets.flatMap((name) => [name, `*.${name}`]));
  // To look below each field costs ten times what the rest of a line does, and nearly all lines have nothing there.
  const log = (at: keyof Log) => (fields: object, message: string) =>
    (isFlat(fields) ? flat : deep)[at](fields, message);
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

function isFlat(fields: object): boolean {
  return Object.values(fields).every((value) => typeof value !== 'object');
}
