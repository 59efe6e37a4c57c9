import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import { toolVersion } from '../../version.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { limitProblem } from '../storage/check/record-limits.ts';
import { RelatedRecords } from '../storage/check/related-records.ts';
import { byteContradictions } from '../storage/check/release-bytes.ts';
import { rowProblem } from '../storage/document-schemas.ts';
import type { DumpLine, Store } from '../storage/store.ts';
import {
  type AuthorityFile,
  readAuthority,
  removeAuthority,
  requireNoOther,
  requireUsable,
  savedFiles,
  writeAuthority,
} from '../tls/authority-files.ts';

/**
 * Backup format version that is written, and the newest version that can be read. The first line identifies a backup. The last line shows
 * that the backup is complete.
 */
const format = 1;
const header = v.object({
  backup: v.literal('ota-hooks'),
  format: v.pipe(v.number(), v.minValue(1)),
  tool: v.string(),
});
const row = v.strictObject({
  table: v.string(),
  row: v.record(v.string(), v.union([v.string(), v.number(), v.null()])),
});
const blob = v.strictObject({ blob: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)), base64: v.string() });
const authorityFile = v.strictObject({ tls: v.picklist(savedFiles), base64: v.string() });
const end = v.strictObject({ end: v.literal(true), lines: v.number() });

/** Data of one server. */
interface Kept {
  readonly store: Store;
  readonly blobs: BlobStore;
  /** Folder with the server's own certificate authority; undefined if there is none. */
  readonly authority: string | undefined;
}

/**
 * Yields all of the server's data as lines of JSON. Tokens and passwords are hashed; the certificate authority's private keys are included
 * unencrypted.
 */
export async function* backupLines({ store, blobs, authority }: Kept): AsyncGenerator<string> {
  let lines = 0;
  const line = (value: object): string => {
    lines++;
    return `${JSON.stringify(value)}\n`;
  };
  yield line({ backup: 'ota-hooks', format, tool: toolVersion });
  for await (const dumped of store.dump()) yield line(dumped);
  for (const { sha256, complete } of await blobs.olderThan(Number.POSITIVE_INFINITY)) {
    const bytes = complete ? await blobs.read(sha256) : undefined;
    if (bytes !== undefined) yield line({ blob: sha256, base64: Buffer.from(bytes).toString('base64') });
  }
  for (const { name, content } of authority === undefined ? [] : await readAuthority(authority)) {
    yield line({ tls: name, base64: Buffer.from(content).toString('base64') });
  }
  yield `${JSON.stringify({ end: true, lines })}\n`;
}

/** Destination of a restored backup. */
interface Target extends Kept {
  readonly authority: string;
}

/** Options for restoring a backup. */
export interface RestoreOptions {
  /** Name of the backup for error messages. */
  readonly name: string;
  /** True if the backup may lack release files. */
  readonly acceptsMissingFiles: boolean;
}

/**
 * Restores a backup into an empty store: first the blobs, then the certificate authority, then all rows in one transaction. All checks
 * are complete before the authority and the rows are written. If the backup is rejected, no part of it remains.
 *
 * @throws OtaError BACKUP_INVALID, BACKUP_INCOMPLETE, FORMAT_TOO_NEW, SERVER_DATA_NOT_EMPTY, FILE_UNWRITABLE
 */
export async function restoreBackup(
  target: Target,
  lines: AsyncIterable<string>,
  options: RestoreOptions,
): Promise<void> {
  const { store, blobs, authority } = target;
  const added: string[] = [];
  const hadAuthority = (await readAuthority(authority)).length > 0;
  const reject: Reject = (reason, cause) => {
    throw new OtaError('BACKUP_INVALID', { path: options.name, reason }, cause);
  };
  try {
    const { rows, files } = await readBackup(lines, { blobs, added, name: options.name, reject });
    const related = requireConsistent(rows, reject);
    if (!options.acceptsMissingFiles) await requireBlobs(rows, blobs, options.name);
    for await (const { message } of byteContradictions(related, blobs)) reject(message);
    requireUsable(files, reject);
    await requireNoOther(authority, files);
    await writeAuthority(authority, files);
    await store.restore(rows).catch((cause: unknown) => reject(String(cause), cause));
  } catch (error) {
    for (const sha256 of added) await blobs.remove(sha256);
    if (!hadAuthority) await removeAuthority(authority);
    throw error;
  }
}

type Reject = (reason: string, cause?: unknown) => never;

interface Reading {
  readonly blobs: BlobStore;
  /** Receives the digests of the blobs that did not exist before. */
  readonly added: string[];
  readonly name: string;
  readonly reject: Reject;
}

/** Reads a whole backup. Each blob is stored immediately, because all blobs together do not fit in memory. */
async function readBackup(lines: AsyncIterable<string>, reading: Reading) {
  const { name, reject } = reading;
  const rows: DumpLine[] = [];
  const files: AuthorityFile[] = [];
  let count = 0;
  let isWhole = false;
  for await (const text of lines) {
    if (isWhole) reject('more lines follow the end marker');
    const value = parseLine(text) ?? reject(`line ${count + 1} is not JSON`);
    if (count === 0) requireKnownFormat(value, name, reject);
    if (v.is(end, value)) isWhole = value.lines === count;
    else if (v.is(row, value)) rows.push(soundRow(value, count, reject));
    else if (v.is(blob, value)) await restoreBlob(value, reading);
    else if (v.is(authorityFile, value)) files.push({ name: value.tls, content: Buffer.from(value.base64, 'base64') });
    else if (count > 0) reject(`line ${count + 1} is not a valid backup record`);
    count++;
  }
  if (!isWhole) reject('the end marker is missing or does not match');
  return { rows, files };
}

/** Checks that the records agree with each other. */
function requireConsistent(rows: readonly DumpLine[], reject: Reject): RelatedRecords {
  const related = new RelatedRecords();
  for (const { table, row } of rows) related.add(table, row);
  for (const { message } of related.contradictions()) reject(message);
  return related;
}

/** Checks that the backup contained every release file. */
async function requireBlobs(rows: readonly DumpLine[], blobs: BlobStore, path: string): Promise<void> {
  const digests = rows.flatMap(({ table, row }) => (table === 'release_blobs' ? [String(row['sha256'])] : []));
  const missing: string[] = [];
  for (const sha256 of new Set(digests)) if (!(await blobs.state(sha256)).complete) missing.push(sha256);
  const [sha256] = missing;
  if (sha256 !== undefined) throw new OtaError('BACKUP_INCOMPLETE', { path, sha256, count: missing.length });
}

function requireKnownFormat(value: object, name: string, reject: Reject): void {
  const read = v.safeParse(header, value);
  if (!read.success) reject('its first line is not a backup header');
  else if (read.output.format > format) {
    throw new OtaError('FORMAT_TOO_NEW', { of: name, what: 'backup', found: read.output.format, known: format });
  }
}

/** Checks the parts of a row on which the server relies, and the limits of the API. A server with a damaged record would not start. */
function soundRow(value: DumpLine, count: number, reject: Reject): DumpLine {
  const problem = rowProblem(value.table, value.row) ?? limitProblem(value.table, value.row);
  return problem === undefined ? value : reject(`line ${count + 1} (${value.table}): ${problem}`);
}

async function restoreBlob(
  { blob: sha256, base64 }: v.InferOutput<typeof blob>,
  { blobs, added, reject }: Reading,
): Promise<void> {
  const bytes = Buffer.from(base64, 'base64');
  if (!(await blobs.state(sha256)).complete) added.push(sha256);
  const state = await blobs.append(sha256, { offset: 0, totalBytes: bytes.length, chunks: iterate([bytes]) });
  if (typeof state === 'string') reject(`the content of ${sha256} does not match its digest`);
}

function parseLine(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function* iterate<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
