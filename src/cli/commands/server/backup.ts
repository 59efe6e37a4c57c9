import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stream } from '../../../api/client/connection.ts';
import { serverResponse } from '../../../api/client/responses.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { syncFile } from '../../../files/sync.ts';
import { writeError } from '../../../files/write.ts';
import type { Declaration, OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during, type ShowProgress } from '../../output/during.ts';
import { makeReport } from '../../output/report.ts';
import { serverOptions } from '../../shared/server-options.ts';
import { type ChosenStorage, chosenStorage, requireData, storageOptions } from '../../shared/storage-options.ts';
import { type ServerCommandOptions, serverClient, serverCommand } from './connection.ts';

const backupCommand = (declaration: Declaration) =>
  serverCommand(declaration, 'backup', 'Back up all data of a running or stopped server', [
    'ota-hooks server backup --out backup.ndjson --server https://ota.example.com',
    'ota-hooks server backup --out backup.ndjson --data /var/lib/ota-hooks',
  ])
    .requiredOption(
      '--out <file>',
      'Backup file, which contains secrets: TLS private keys and hashes of tokens and passwords',
    )
    .addOption(serverOptions.data)
    .addOption(storageOptions.database)
    .addOption(storageOptions.databaseFile)
    .addOption(storageOptions.blobs);

export function declareBackup(declaration: Declaration): void {
  backupCommand(declaration).action((options) => backup(options, declaration.io));
}

async function backup(options: OptionsOf<typeof backupCommand>, io: Io): Promise<void> {
  const out = resolve(io.cwd, options.out);
  const report = makeReport(io, options);
  requireData(options);
  const chunks =
    options.data === undefined
      ? fromServer(options, io)
      : fromData(resolve(io.cwd, options.data), await chosenStorage(options, io, report));
  const task = { what: `writing backup to ${report.path(out)}` };
  const sizeBytes = await during(task, io, options, (show) => writeChunks(out, chunks, io.signal, show));
  report.say(`Wrote ${report.path(out)} (${sizeText(sizeBytes)})`);
  report.result('server backup', { file: out, sizeBytes });
}

async function* fromData(folder: string, storage: ChosenStorage): AsyncGenerator<string> {
  const { authorityIn, backupLines, dataError, openData } = await import('../../../server/index.ts');
  const holder = `ota-hooks server backup, process ${process.pid}`;
  const { store, blobs } = await openData({ data: folder, ...storage }, holder);
  try {
    yield* backupLines({ store, blobs, authority: authorityIn(folder) });
  } catch (error) {
    throw dataError(folder, error);
  } finally {
    await store.close();
  }
}

async function* fromServer(options: ServerCommandOptions, io: Io): AsyncGenerator<Uint8Array> {
  const { place, request } = serverClient(options, io);
  // `GET /server` is requested first, so that an invalid address or token is reported as an error with a hint.
  await request('GET', '/server', serverResponse);
  const { url, status, body } = await stream(place, '/backup');
  if (status !== 200) {
    const message = 'the backup is not available';
    const hint = 'Use an admin token that is not limited to a project.';
    throw new OtaError('SERVER_REJECTED', { url, status, code: 'no-export', message, hint });
  }
  yield* body;
}

/**
 * Writes a backup to a file. An existing backup is replaced only after the last line, which marks the new backup as complete, has
 * arrived.
 */
async function writeChunks(
  path: string,
  chunks: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
  show: ShowProgress,
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
        show(sizeText(sizeBytes));
        end = (end + bytes.subarray(-200).toString('latin1')).slice(-200);
      }
      await syncFile(file);
    } finally {
      await file.close();
    }
    if (!/\n\{"end":true,"lines":\d+\}\n$/.test(end)) {
      throw new OtaError('BACKUP_INVALID', { path, reason: 'the server did not send the end marker' });
    }
    await rename(temporary, path);
    return sizeBytes;
  } catch (cause) {
    await rm(temporary, { force: true });
    const isSystem = cause instanceof Error && 'syscall' in cause;
    throw isSystem ? writeError(path, cause) : cause;
  }
}
