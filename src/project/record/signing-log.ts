import { randomUUID } from 'node:crypto';
import { constants, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import {
  nextSigningLogEntry,
  parseSigningLogLine,
  type SignatureFacts,
  type SigningLogEntry,
  succession,
} from '../../core/model/signing-log.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegular, requireRegularFile } from '../../files/bounded-read.ts';
import { withFileLock } from '../../files/file-lock.ts';
import { buildServerRun } from '../build/build-server.ts';
import { type UserWords, userDataFolder } from '../config/user-words.ts';

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
export function signedBy(words: Pick<UserWords, 'env'>): string {
  const run = buildServerRun(words);
  if (run !== undefined) return run;
  // Loaded only when something is signed.
  const { hostname, userInfo } = process.getBuiltinModule('node:os');
  return `${userInfo().username}@${hostname()}`;
}

/**
 * Appends signatures to a log. Writers take turns, so that each entry follows the one before. Only the end of the log is read: `keys log
 * verify` checks the whole chain.
 *
 * @throws OtaError FILE_UNWRITABLE, SIGNING_LOG_BROKEN
 */
export async function recordSignatures(path: string, facts: readonly SignatureFacts[], by: string): Promise<void> {
  if (facts.length === 0) return;
  await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await withFileLock(path, () => append(path, facts, by));
  });
}

async function append(path: string, facts: readonly SignatureFacts[], by: string): Promise<void> {
  await requireRegularFile(path).catch(ignoreMissing);
  const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    const { size } = await file.stat();
    const end = await readEnd(file, size);
    const parsed = end.line === undefined ? undefined : parseSigningLogLine(end.line);
    let last = parsed !== undefined && 'entry' in parsed ? parsed.entry : undefined;
    const isBroken = (parsed !== undefined && last === undefined) || !isStartOfEntry(end.rest, last);
    // Only reading the whole log finds the number of the broken entry.
    if (isBroken) throw brokenAtEnd(path, (await readLog(path)).entries.length + 1);
    // The signed file of an incomplete entry was never written.
    if (end.rest !== '') await file.truncate(size - Buffer.byteLength(end.rest));
    const lines: string[] = [];
    for (const each of facts) {
      last = nextSigningLogEntry(last, each, { log: randomUUID(), time: new Date().toISOString(), by });
      lines.push(`${JSON.stringify(last)}\n`);
    }
    await file.appendFile(lines.join(''));
    await file.sync();
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: unknown): void {
  if (readFailure(error) !== 'ENOENT') throw error;
}

/** End of a file of lines. */
interface FileEnd {
  /** Last complete line, without its line break; undefined if there is none. */
  readonly line: string | undefined;
  /** Bytes after the last line break. A command that was killed while writing, or a full disk, leaves part of a line. */
  readonly rest: string;
}

/** Longer than most lines, so that one read usually suffices. */
const firstReadBytes = 4096;

async function readEnd(file: FileHandle, size: number): Promise<FileEnd> {
  if (size === 0) return { line: undefined, rest: '' };
  for (let length = Math.min(size, firstReadBytes); ; length = Math.min(size, 2 * length)) {
    const buffer = Buffer.alloc(length);
    await file.read(buffer, 0, length, size - length);
    // Latin-1 keeps one character a byte, so that positions are exact wherever the read begins.
    const text = buffer.toString('latin1');
    const end = text.lastIndexOf('\n');
    const start = end <= 0 ? -1 : text.lastIndexOf('\n', end - 1);
    if (length < size && (end === -1 || start === -1)) continue;
    const line = end === -1 ? undefined : buffer.toString('utf8', start + 1, end);
    return { line, rest: buffer.toString('utf8', end + 1) };
  }
}

/** Returns whether text is the start of an entry after another one. Any other text is not removed, because the log may be a different file. */
function isStartOfEntry(text: string, last: SigningLogEntry | undefined): boolean {
  const start = `{"log":"${last?.log ?? ''}`;
  return text.startsWith(start.slice(0, text.length));
}

function brokenAtEnd(path: string, entry: number): OtaError {
  return new OtaError('SIGNING_LOG_BROKEN', { path, entry, problem: 'it is not an entry of the log' });
}

/** Log whose chain is intact. */
export interface SigningLog {
  readonly entries: readonly SigningLogEntry[];
  /** True if the log ends with part of an entry, which the next signature replaces. */
  readonly isCutOff: boolean;
}

/**
 * Reads a log and checks its chain.
 *
 * @returns an empty list of entries if the log does not exist
 * @throws OtaError SIGNING_LOG_BROKEN, FILE_UNREADABLE
 */
export async function readSigningLog(path: string): Promise<SigningLog> {
  const { entries, rest } = await readLog(path);
  if (!isStartOfEntry(rest, entries.at(-1))) throw brokenAtEnd(path, entries.length + 1);
  return { entries, isCutOff: rest !== '' };
}

async function readLog(path: string): Promise<{ readonly entries: readonly SigningLogEntry[]; readonly rest: string }> {
  const lines = (await read(path)).split('\n');
  const rest = lines.pop() ?? '';
  const entries: SigningLogEntry[] = [];
  for (const line of lines) {
    const parsed = parseSigningLogLine(line);
    const problem = 'entry' in parsed ? succession(entries.at(-1), parsed.entry) : parsed.problem;
    if (problem !== undefined) throw new OtaError('SIGNING_LOG_BROKEN', { path, entry: entries.length + 1, problem });
    if ('entry' in parsed) entries.push(parsed.entry);
  }
  return { entries, rest };
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
