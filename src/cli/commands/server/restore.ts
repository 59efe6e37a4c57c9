import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { OtaError } from '../../../errors/ota-error.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during, type ShowProgress } from '../../output/during.ts';
import { makeReport } from '../../output/report.ts';

const restoreCommand = (declaration: Declaration) =>
  command(declaration, 'restore <file>', 'Restore a backup into an empty data folder', [
    'ota-hooks server restore backup.ndjson --data /var/lib/ota-hooks',
    'ota-hooks server restore backup.ndjson --data data --json',
  ]).requiredOption('--data <dir>', 'Data folder, which must be empty or missing');

export function declareRestore(declaration: Declaration): void {
  restoreCommand(declaration).action((file, options) => restore(file, options, declaration.io));
}

async function restore(file: string, options: OptionsOf<typeof restoreCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const folder = resolve(io.cwd, options.data);
  const { authorityIn, openData, restoreBackup } = await import('../../../server/index.ts');
  const input = await openToRead(path);
  const { store, blobs } = await openData({ data: folder }, `ota-hooks server restore, process ${process.pid}`);
  try {
    for await (const _ of store.dump()) throw new OtaError('SERVER_DATA_NOT_EMPTY', { path: folder });
    const into = { store, blobs, authority: authorityIn(folder) };
    const task = { what: `restoring ${report.path(path)}` };
    await during(task, io, options, (show) => restoreBackup(into, linesOf(input, io.signal, show), path));
  } finally {
    input.destroy();
    await store.close();
  }
  report.say(`Restored ${report.path(path)} to ${report.path(folder)}`);
  report.result('server restore', { data: folder, from: path });
}

async function* linesOf(input: ReadStream, signal: AbortSignal, show: ShowProgress): AsyncGenerator<string> {
  const { size } = await stat(input.path);
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    signal.throwIfAborted();
    show(size === 0 ? 1 : input.bytesRead / size);
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
      fail(
        isMissing
          ? new OtaError('FILE_NOT_FOUND', { path, what: 'backup' }, cause)
          : new OtaError('FILE_UNREADABLE', { path, reason }, cause),
      );
    });
  });
}
