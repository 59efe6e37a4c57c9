import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type Same, sha256 } from './fields.ts';

/** Facts of one signature. */
export interface SignatureFacts {
  /** Name of the signed file, without a folder. */
  readonly file: string;
  /** SHA-256 of the signed file. */
  readonly sha256: string;
  readonly project?: string | undefined;
  readonly version?: string | undefined;
  readonly securityVersion?: number | undefined;
  /** Fingerprint of the key. */
  readonly key: string;
}

/**
 * Line of a signing log. Each line contains the hash of the line before, so that a changed, removed or inserted line breaks the chain. The
 * hash covers the JSON of the fields in this order.
 */
export interface SigningLogEntry {
  /** Random name of the log, which all its lines share. */
  log: string;
  /** Number of the line, from 1 on. */
  entry: number;
  time: string;
  file: string;
  sha256: string;
  project?: string | undefined;
  version?: string | undefined;
  securityVersion?: number | undefined;
  key: string;
  /** User and machine, or the run of the build server. */
  by: string;
  /** Hash of the line before; 64 zeros in the first line. */
  previous: string;
  /** SHA-256 of this line without its hash. */
  hash: string;
}

/** Random name of a log. */
export const signingLogId = v.pipe(v.string(), v.uuid('must be the name of a signing log'));
/** Number of a line of a log. */
export const signingLogNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** @internal */
export const signingLogEntrySchema = v.strictObject({
  log: signingLogId,
  entry: signingLogNumber,
  time: v.pipe(v.string(), v.isoTimestamp()),
  file: v.string(),
  sha256,
  project: v.optional(v.string()),
  version: v.optional(v.string()),
  securityVersion: v.optional(v.number()),
  key: sha256,
  by: v.string(),
  previous: sha256,
  hash: sha256,
});

true satisfies Same<SigningLogEntry, v.InferOutput<typeof signingLogEntrySchema>>;

const firstPrevious = '0'.repeat(64);

/** Returns the entry that follows another one. */
export function nextSigningLogEntry(
  last: SigningLogEntry | undefined,
  { file, sha256, project, version, securityVersion, key }: SignatureFacts,
  { log, time, by }: { readonly log: string; readonly time: string; readonly by: string },
): SigningLogEntry {
  const entry = {
    log: last?.log ?? log,
    entry: (last?.entry ?? 0) + 1,
    time,
    file,
    sha256,
    project,
    version,
    securityVersion,
    key,
    by,
    previous: last?.hash ?? firstPrevious,
  };
  return { ...entry, hash: hashOf(entry) };
}

function hashOf(entry: Omit<SigningLogEntry, 'hash'>): string {
  return createHash('sha256').update(JSON.stringify(entry)).digest('hex');
}

/** Parses a line of a log. Returns a problem if the line is not an entry, or was changed after it was written. */
export function parseSigningLogLine(line: string): { readonly entry: SigningLogEntry } | { readonly problem: string } {
  const parsed = v.safeParse(signingLogEntrySchema, parsedJson(line));
  if (!parsed.success) return { problem: 'it is not an entry of the log' };
  // A line written differently, such as with a field twice, could show a reader other values than the hash covers.
  if (!hasOwnHash(parsed.output) || JSON.stringify(parsed.output) !== line) {
    return { problem: 'it does not match its hash' };
  }
  return { entry: parsed.output };
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function hasOwnHash({ hash, ...rest }: SigningLogEntry): boolean {
  return hashOf(rest) === hash;
}

/** Returns why an entry cannot follow another one directly; undefined if it can. */
export function succession(last: SigningLogEntry | undefined, next: SigningLogEntry): string | undefined {
  if (next.previous !== (last?.hash ?? firstPrevious)) return 'it does not follow the entry before';
  if (next.entry !== (last?.entry ?? 0) + 1 || next.log !== (last?.log ?? next.log)) return 'its number or log differs';
  return undefined;
}

/**
 * Returns what is wrong with entries of one log, between which others may be missing; undefined if nothing is. The hash of an entry covers
 * the schema's fields in its order, as a check with the schema returns them.
 */
export function excerptProblem(entries: readonly SigningLogEntry[]): string | undefined {
  for (const [index, entry] of entries.entries()) {
    const last = entries[index - 1];
    if (!hasOwnHash(entry)) return `entry ${entry.entry} does not match its hash`;
    if (last === undefined) continue;
    if (entry.log !== last.log) return 'the entries belong to different logs';
    if (entry.entry <= last.entry) return 'the entries are not in order';
    if (entry.entry === last.entry + 1 && entry.previous !== last.hash) {
      return `entry ${entry.entry} does not follow the entry before`;
    }
  }
  return undefined;
}
