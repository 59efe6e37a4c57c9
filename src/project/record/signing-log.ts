import { createHash, randomUUID } from 'node:crypto';
import { appendFile, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as v from 'valibot';
import { sha256 } from '../../core/model/fields.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegular } from '../../files/bounded-read.ts';
import { type UserWords, userDataFolder } from '../config/user-words.ts';

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

const factsSchema = {
  file: v.string(),
  sha256,
  project: v.optional(v.string()),
  version: v.optional(v.string()),
  securityVersion: v.optional(v.number()),
  key: sha256,
};

/** Line of the log. Each line contains the hash of the line before, so that a changed, removed or inserted line breaks the chain. */
const entrySchema = v.strictObject({
  /** Random name of the log, which all its lines share. */
  log: v.pipe(v.string(), v.uuid()),
  /** Number of the line, from 1 on. */
  entry: v.pipe(v.number(), v.integer(), v.minValue(1)),
  time: v.pipe(v.string(), v.isoTimestamp()),
  ...factsSchema,
  /** User and machine, or the run of the build server. */
  by: v.string(),
  /** Hash of the line before; 64 zeros in the first line. */
  previous: sha256,
  /** SHA-256 of this line without its hash. */
  hash: sha256,
});

export type SigningLogEntry = v.InferOutput<typeof entrySchema>;

const firstPrevious = '0'.repeat(64);
/** Maximum size of a log, enough for hundreds of thousands of signatures. */
const mostLogBytes = 256 * 1024 * 1024;

/**
 * Returns the path of the user's log, outside every source tree by default.
 *
 * @returns undefined if the user has turned the log off (`OTA_SIGNING_LOG=off`)
 */
export function signingLogPath(words: UserWords & { readonly cwd: string }): string | undefined {
  const named = words.env['OTA_SIGNING_LOG'];
  if (named === 'off') return undefined;
  if (named === undefined || named === '') return join(userDataFolder(words), 'signing-log.jsonl');
  return isAbsolute(named) ? named : resolve(words.cwd, named);
}

/** Returns who signs: the run of a build server, or the user and the machine. */
export function signedBy({ env }: Pick<UserWords, 'env'>): string {
  const { GITHUB_SERVER_URL: github, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
  if (github !== undefined && repository !== undefined && run !== undefined) {
    return `${github}/${repository}/actions/runs/${run}`;
  }
  const job = env['CI_JOB_URL'] ?? env['BUILD_URL'];
  if (job !== undefined && job !== '') return job;
  // Loaded only when something is signed.
  const { hostname, userInfo } = process.getBuiltinModule('node:os');
  return `${userInfo().username}@${hostname()}`;
}

/**
 * Appends signatures to a log. Writers take turns, so that each entry follows the one before.
 *
 * @throws OtaError FILE_UNWRITABLE, SIGNING_LOG_BROKEN
 */
export async function recordSignatures(path: string, facts: readonly SignatureFacts[], by: string): Promise<void> {
  if (facts.length === 0) return;
  await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await withLock(path, async () => {
      let last = (await readSigningLog(path)).at(-1);
      const lines: string[] = [];
      for (const each of facts) {
        last = nextEntry(last, each, by);
        lines.push(`${JSON.stringify(last)}\n`);
      }
      await appendFile(path, lines.join(''), { mode: 0o600, flush: true });
    });
  });
}

function nextEntry(last: SigningLogEntry | undefined, facts: SignatureFacts, by: string): SigningLogEntry {
  const { file, sha256, project, version, securityVersion, key } = facts;
  const entry = {
    log: last?.log ?? randomUUID(),
    entry: (last?.entry ?? 0) + 1,
    time: new Date().toISOString(),
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

/**
 * Reads a log and checks its chain.
 *
 * @returns all entries; empty if there is no log
 * @throws OtaError SIGNING_LOG_BROKEN, FILE_UNREADABLE
 */
export async function readSigningLog(path: string): Promise<readonly SigningLogEntry[]> {
  const lines = (await read(path)).split('\n');
  if (lines.at(-1) === '') lines.pop();
  const entries: SigningLogEntry[] = [];
  for (const line of lines) {
    const problem = problemOf(line, entries.at(-1), (entry) => entries.push(entry));
    if (problem !== undefined) throw new OtaError('SIGNING_LOG_BROKEN', { path, entry: entries.length + 1, problem });
  }
  return entries;
}

function problemOf(
  line: string,
  last: SigningLogEntry | undefined,
  accept: (entry: SigningLogEntry) => void,
): string | undefined {
  const parsed = v.safeParse(entrySchema, parsedJson(line));
  if (!parsed.success) return 'it is not an entry of the log';
  const { hash, ...rest } = parsed.output;
  // The hash covers the values. A line written differently, such as with a field twice, could show a reader other values.
  if (hashOf(rest) !== hash || JSON.stringify(parsed.output) !== line) return 'it does not match its hash';
  if (rest.previous !== (last?.hash ?? firstPrevious)) return 'it does not follow the entry before';
  if (rest.entry !== (last?.entry ?? 0) + 1 || rest.log !== (last?.log ?? rest.log)) return 'its number or log differs';
  accept(parsed.output);
  return undefined;
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function read(path: string): Promise<string> {
  try {
    return (await readRegular(path, mostLogBytes)).toString('utf8');
  } catch (cause) {
    const reason = readFailure(cause);
    if (reason === 'ENOENT' || reason === 'ENOTDIR') return '';
    throw new OtaError('FILE_UNREADABLE', { path, reason }, cause);
  }
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    if (cause instanceof OtaError) throw cause;
    throw new OtaError('FILE_UNWRITABLE', { path, reason: readFailure(cause) }, cause);
  }
}

/** Age from which a lock was left behind by a process that was killed, in milliseconds. Appending takes a few milliseconds. */
const abandonedLockMs = 10_000;
const lockPollMs = 10;

async function withLock(path: string, run: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  while (!(await created(lock))) {
    const found = await stat(lock).catch(() => undefined);
    // A lock from the future was left behind before the clock was set back.
    if (found !== undefined && Math.abs(Date.now() - found.mtimeMs) > abandonedLockMs) await rm(lock, { force: true });
    else await wait(lockPollMs);
  }
  try {
    await run();
  } finally {
    await rm(lock, { force: true });
  }
}

async function created(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
