import { randomBytes } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { stream } from '../../../api/client/connection.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { writeError } from '../../../files/write.ts';
import { command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during, type Tell } from '../../output/during.ts';
import { makeReport, type OutputOptions } from '../../output/report.ts';
import { type ServerCommandOptions, serverCommand, talkTo } from './connection.ts';

interface ExportOptions extends ServerCommandOptions {
  readonly out: string;
  readonly data?: string | undefined;
}

/** Declares `server backup` and `server restore`. */
export function declareBackup({ program, io }: Declaration): void {
  serverCommand({ program, io }, 'backup', 'Back up all data of a running or stopped server', [
    'ota-hooks server backup --out backup.ndjson --server https://ota.example.com',
    'ota-hooks server backup --out backup.ndjson --data /var/lib/ota-hooks',
  ])
    .requiredOption(
      '--out <file>',
      'Backup file; contains the private keys of --tls self-signed, and hashes of tokens and passwords',
    )
    .option('--data <dir>', 'Data folder of a stopped server')
    .action((options) => exportBackup(options, io));
  command({ program, io }, 'restore <file>', 'Restore a backup into an empty data folder', [
    'ota-hooks server restore backup.ndjson --data /var/lib/ota-hooks',
    'ota-hooks server restore backup.ndjson --data data --json',
  ])
    .requiredOption('--data <dir>', 'Data folder, which must be empty or missing')
    .action((file, options) => importBackup(file, options, io));
}

async function exportBackup(options: ExportOptions, io: Io): Promise<void> {
  const out = resolve(io.cwd, options.out);
  const report = makeReport(io, options);
  const chunks = options.data === undefined ? fromServer(options, io) : fromFolder(resolve(io.cwd, options.data));
  const long = { what: `writing backup to ${report.path(out)}` };
  const sizeBytes = await during(long, io, options, (tell) => writeChunks(out, chunks, io.signal, tell));
  report.say(`Wrote ${report.path(out)} (${sizeText(sizeBytes)})`);
  report.result('server backup', { file: out, sizeBytes });
}

async function* fromFolder(folder: string): AsyncGenerator<string> {
  const { authorityIn, backupLines, openData } = await import('../../../server/index.ts');
  const { store, blobs } = await openData({ data: folder }, `ota-hooks server backup, process ${process.pid}`);
  try {
    yield* backupLines({ store, blobs, authority: authorityIn(folder) });
  } finally {
    await store.close();
  }
}

async function* fromServer(options: ServerCommandOptions, io: Io): AsyncGenerator<Uint8Array> {
  const { place, ask } = talkTo(options, io);
  // Reports a problem with the address or the token as a proper error.
  await ask('GET', '/server');
  const { url, status, body } = await stream(place, '/backup');
  if (status !== 200) {
    const hint = 'Use the token of an admin of all projects.';
    throw new OtaError('SERVER_REFUSED', {
      url,
      status,
      code: 'no-export',
      message: 'the backup is not available',
      hint,
    });
  }
  yield* body;
}

function sizeText(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  const kilobytes = sizeBytes / 1024;
  return kilobytes < 1024 ? `${Math.floor(kilobytes)} KB` : `${(kilobytes / 1024).toFixed(1)} MB`;
}

/** Writes a backup to a file. Its last line shows that it is complete, so an interrupted backup never replaces an older one. */
async function writeChunks(
  path: string,
  chunks: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
  tell: Tell,
): Promise<number> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  let sizeBytes = 0;
  let end = '';
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for await (const chunk of chunks) {
        signal.throwIfAborted();
        const bytes = Buffer.from(chunk);
        await file.writeFile(bytes);
        sizeBytes += bytes.length;
        tell(sizeText(sizeBytes));
        end = (end + bytes.subarray(-200).toString('latin1')).slice(-200);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (!/\n\{"end":true,"lines":\d+\}\n$/.test(end)) {
      throw new OtaError('BACKUP_INVALID', { path, reason: 'the server did not send its last line' });
    }
    await rename(temporary, path);
    return sizeBytes;
  } catch (cause) {
    await rm(temporary, { force: true });
    const isSystem = cause instanceof Error && 'syscall' in cause;
    throw isSystem ? writeError(path, cause) : cause;
  }
}

async function importBackup(file: string, options: OutputOptions & { readonly data: string }, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const folder = resolve(io.cwd, options.data);
  const { authorityIn, openData, restoreBackup } = await import('../../../server/index.ts');
  const input = await openToRead(path);
  const { store, blobs } = await openData({ data: folder }, `ota-hooks server restore, process ${process.pid}`);
  try {
    for await (const _ of store.dump()) throw new OtaError('SERVER_DATA_NOT_EMPTY', { path: folder });
    const into = { store, blobs, authority: authorityIn(folder) };
    const long = { what: `restoring ${report.path(path)}` };
    await during(long, io, options, (tell) => restoreBackup(into, linesOf(input, io.signal, tell), path));
  } finally {
    input.destroy();
    await store.close();
  }
  report.say(`Restored ${report.path(path)} to ${report.path(folder)}`);
  report.result('server restore', { data: folder, from: path });
}

async function* linesOf(input: ReadStream, signal: AbortSignal, tell: Tell): AsyncGenerator<string> {
  const { size } = await stat(input.path);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    signal.throwIfAborted();
    tell(size === 0 ? 1 : input.bytesRead / size);
    yield line;
  }
}

function openToRead(path: string): Promise<ReadStream> {
  return new Promise((done, fail) => {
    const stream = createReadStream(path);
    stream.once('open', () => done(stream));
    stream.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message;
      const isMissing = reason === 'ENOENT' || reason === 'ENOTDIR';
      const named = { path, what: 'backup' };
      fail(
        isMissing
          ? new OtaError('FILE_NOT_FOUND', named, cause)
          : new OtaError('FILE_UNREADABLE', { path, reason }, cause),
      );
    });
  });
}
