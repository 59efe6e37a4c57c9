import { pino } from 'pino';
import type { Log } from './log.ts';

/** Names that never reach a log, should anybody ever put such a thing into its fields. */
const secrets = ['token', 'password', 'authorization', 'credential', 'headers', 'hash', 'pem'];

/** Lines of JSON. */
export function pinoLog(level: 'debug' | 'info' | 'warn', write: (line: string) => unknown): Log {
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  const options = {
    level,
    base: null,
    redact: { paths, censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, { write: (line) => void write(line) });
}
