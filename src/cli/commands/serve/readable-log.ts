import type { Io } from '../../io.ts';
import { colored, outputLine } from '../../output/terminal-text.ts';

/** Fields of a log line. Further fields describe the event. */
interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly err?: { readonly type?: string; readonly message?: string };
  readonly [field: string]: unknown;
}

/**
 * Writes log lines for people: local time, message and fields. Reads the JSON lines of the log, so that the same fields are redacted as in
 * the log of a service.
 */
export function readableLog(io: Io): (json: string) => void {
  return (json) => {
    const { level, time, msg, err, ...fields } = JSON.parse(json) as LogLine;
    const { type, message } = err ?? {};
    const cause =
      message === undefined ? '' : `: ${type === undefined || type === 'Error' ? '' : `${type}: `}${message}`;
    const details = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`);
    const at = new Date(time).toTimeString().slice(0, 8);
    io.stderr.write([`${at}  `, ...severity(level, io), outputLine(`${msg}${cause}${details.join('')}`)]);
  };
}

function severity(level: string, io: Io) {
  if (level === 'error') return [...colored(io, 'red', 'error:'), ' '];
  return level === 'warn' ? [...colored(io, 'yellow', 'warning:'), ' '] : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}
