import { nextSigningLogEntry, type SigningLogEntry } from '../../src/core/model/signing-log.ts';

/** Gives a log another name and computes its chain anew, as someone who rewrites the whole file can. */
export function renamedLog(text: string, log: string): string {
  let last: SigningLogEntry | undefined;
  const lines = text.trimEnd().split('\n');
  const rewritten = lines.map((line) => {
    const entry: SigningLogEntry = JSON.parse(line);
    last = nextSigningLogEntry(last, entry, { log, time: entry.time, by: entry.by });
    return JSON.stringify(last);
  });
  return `${rewritten.join('\n')}\n`;
}
