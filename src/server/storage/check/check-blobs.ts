import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unfinishedCopyOf } from '../../../files/move.ts';
import { parseSealName } from '../blobs/seal-name.ts';
import type { DataProblem, DataReport, ShowFraction } from './findings.ts';

interface BlobsReport extends Pick<DataReport, 'problems' | 'blobs'> {}

interface BlobFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * Reads every blob and compares it with its digest.
 *
 * @param references releases that refer to each blob, as text
 */
export async function checkBlobs(
  folder: string,
  references: ReadonlyMap<string, string>,
  show: ShowFraction,
): Promise<BlobsReport> {
  const inPlace = await filesBelow(join(folder, 'blobs'));
  const files = inPlace.filter((file) => !isCopyInProgress(folder, file) && !isSeal(folder, file));
  const copies = inPlace.filter((file) => isCopyInProgress(folder, file)).length;
  const unfinished = copies + (await filesBelow(join(folder, 'uploads'))).length;
  const allBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const problems: DataProblem[] = [];
  const found = new Set<string>();
  let readBytes = 0;
  for (const file of files) {
    if (isBlobPath(folder, file)) found.add(file.name);
    const problem = await blobProblem(folder, file, references);
    if (problem !== undefined) problems.push(problem);
    readBytes += file.sizeBytes;
    show(readBytes / Math.max(1, allBytes));
  }
  for (const [sha256, release] of references) {
    if (found.has(sha256)) continue;
    problems.push({ kind: 'blob-missing', message: `${blobPath(folder, sha256)} is missing (${release})` });
  }
  const unused = [...found].filter((sha256) => !references.has(sha256)).length;
  return { problems, blobs: { complete: found.size, sizeBytes: allBytes, unused, unfinished } };
}

async function blobProblem(
  folder: string,
  file: BlobFile,
  references: ReadonlyMap<string, string>,
): Promise<DataProblem | undefined> {
  const { path } = file;
  if (!isBlobPath(folder, file)) {
    return { kind: 'file-unknown', message: `${path} is not one of the server's firmware files`, path };
  }
  const digest = await digestOf(path);
  // A running server may have removed an unused file in the meantime.
  if (digest === undefined || digest === file.name) return undefined;
  const release = references.get(file.name) ?? 'unused';
  return { kind: 'blob-damaged', message: `${path} does not match its digest (${release})`, path };
}

function isBlobPath(folder: string, { path, name }: BlobFile): boolean {
  return /^[0-9a-f]{64}$/.test(name) && path === blobPath(folder, name);
}

/** An upload is copied here if `uploads` is on a different file system. */
function isCopyInProgress(folder: string, { path, name }: BlobFile): boolean {
  return /^[0-9a-f]{64}\.part$/.test(name) && path === unfinishedCopyOf(blobPath(folder, name.slice(0, 64)));
}

function isSeal(folder: string, { path, name }: BlobFile): boolean {
  return parseSealName(name) !== undefined && path === join(folder, 'blobs', name);
}

function blobPath(folder: string, sha256: string): string {
  return join(folder, 'blobs', sha256.slice(0, 2), sha256);
}

async function filesBelow(folder: string): Promise<readonly BlobFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files: BlobFile[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined) files.push({ path, name: entry.name, sizeBytes: found.size });
  }
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Returns the digest of a file; undefined if the file no longer exists. */
async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest('hex');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
