import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open as openHandle, stat } from 'node:fs/promises';

/** Limits for reading a file or pipe that a user names. */
export interface ReadLimits {
  /** Maximum size of a regular file. */
  readonly fileBytes: number;
  readonly pipeBytes: number;
  /** Time within which a pipe must end. A FIFO without a writer never ends. */
  readonly pipeMs: number;
}

/** No image, ELF file or manifest is this large. The whole file is held in memory. */
const mostFileBytes = 256 * 1024 * 1024;
/** Limit for keys, passwords and other files that people write. */
export const mostSmallFileBytes = 64 * 1024;

const defaultReadLimits: ReadLimits = { fileBytes: mostFileBytes, pipeBytes: 64 * 1024, pipeMs: 10_000 };

/** Without O_NONBLOCK, opening a FIFO would wait for a writer. Windows does not support or need the flag. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const mostChunkBytes = 1024 * 1024;

/** The file is of an unsupported kind, or exceeds a limit. The message completes the sentence "FILE could not be read: …". */
export class FileLimitError extends Error {
  override readonly name = 'FileLimitError';
}

/** Returns the reason for a failed read: the code of a system error, or the message of a {@link FileLimitError}. */
export function readFailure(cause: unknown): string {
  if (cause instanceof FileLimitError) return cause.message;
  // Errors from fs are system errors with a code.
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}

/**
 * Reads a regular file or a pipe, such as a FIFO, `/dev/stdin` or the `/dev/fd/63` of a process substitution.
 *
 * @throws FileLimitError, or the system error
 */
export async function readFileOrPipe(path: string, limits: Partial<ReadLimits> = {}): Promise<Buffer> {
  const { fileBytes, pipeBytes, pipeMs } = { ...defaultReadLimits, ...limits };
  // Checked before the file is opened, because opening some device files has side effects: a serial port resets its board.
  const found = await stat(path);
  if (found.isFIFO()) return readPipe(path, pipeBytes, pipeMs);
  return readRegular(path, fileBytes);
}

/**
 * Reads a file that the project or another tool wrote. Pipes are not read.
 *
 * @throws FileLimitError, or the system error
 */
export async function readRegular(path: string, mostBytes = mostFileBytes): Promise<Buffer> {
  requireRegular(await stat(path), mostBytes);
  const file = await openHandle(path, openFlags);
  try {
    const found = await file.stat();
    requireRegular(found, mostBytes);
    return await readHandle(file, chunkBytesFor(found), mostBytes);
  } finally {
    await file.close();
  }
}

/** Reads a file like {@link readRegular}, but synchronously. */
export function readRegularSync(path: string, mostBytes = mostFileBytes): Buffer {
  requireRegular(statSync(path), mostBytes);
  const file = openSync(path, openFlags);
  try {
    const found = fstatSync(file);
    requireRegular(found, mostBytes);
    const chunks = new Chunks(mostBytes);
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytesFor(found));
      const count = readSync(file, buffer);
      if (count === 0) return chunks.whole;
      chunks.add(buffer.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Checks the kind of a file that is too large to be read at once.
 *
 * @throws FileLimitError, or the system error
 */
export async function requireRegularFile(path: string): Promise<void> {
  requireRegular(await stat(path), Infinity);
}

/** The size is not used as a limit: it is 0 for files of `/proc`, and other files may grow while they are read. */
async function readHandle(file: FileHandle, chunkBytes: number, mostBytes: number): Promise<Buffer> {
  const chunks = new Chunks(mostBytes);
  for (;;) {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    // The length is explicit, because the file handles of Yarn Plug'n'Play read nothing without it.
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
    if (bytesRead === 0) return chunks.whole;
    chunks.add(buffer.subarray(0, bytesRead));
  }
}

/** Reads a pipe as a socket, which waits for data and for the first writer without occupying a thread. */
async function readPipe(path: string, mostBytes: number, limitMs: number): Promise<Buffer> {
  const { Socket } = await import('node:net');
  const fd = openSync(path, openFlags);
  const pipe = new Socket({ fd, readable: true, writable: false });
  const timer = setTimeout(() => {
    pipe.destroy(new FileLimitError(`the pipe did not end within ${limitMs / 1000} s`));
  }, limitMs);
  const chunks = new Chunks(mostBytes);
  try {
    for await (const chunk of pipe as AsyncIterable<Buffer>) chunks.add(chunk);
    return chunks.whole;
  } finally {
    clearTimeout(timer);
    pipe.destroy();
  }
}

class Chunks {
  readonly #mostBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #count = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  add(chunk: Uint8Array): void {
    this.#count += chunk.length;
    if (this.#count > this.#mostBytes) throw tooLarge(this.#mostBytes);
    this.#chunks.push(chunk);
  }

  get whole(): Buffer {
    return Buffer.concat(this.#chunks, this.#count);
  }
}

/** Folders are not rejected here: the system reports them as EISDIR. */
function requireRegular(found: Stats, mostBytes: number): void {
  if (found.isCharacterDevice() || found.isBlockDevice()) throw new FileLimitError('it is a device, not a file');
  if (found.isSocket()) throw new FileLimitError('it is a socket, not a file');
  if (found.isFIFO()) throw new FileLimitError('it is a pipe, not a file');
  if (found.isFile() && found.size > mostBytes) throw tooLarge(mostBytes);
}

function tooLarge(mostBytes: number): FileLimitError {
  const kilobytes = Math.round(mostBytes / 1024);
  return new FileLimitError(
    `it is larger than ${kilobytes < 1024 ? `${kilobytes} KB` : `${Math.round(kilobytes / 1024)} MB`}`,
  );
}

/** One byte more than the file, so that two reads suffice. */
function chunkBytesFor({ size }: Stats): number {
  return Math.min(Math.max(size + 1, 4096), mostChunkBytes);
}
