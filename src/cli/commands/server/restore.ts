import { once } from 'node:events';
import { createReadStream, type ReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { requireRegularFile } from '../../../files/bounded-read.ts';
import { namedReadError } from '../../../files/read.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during, type ShowProgress } from '../../output/during.ts';
import { makeReport } from '../../output/report.ts';
import { chosenStorage, storageOptions } from '../../shared/storage-options.ts';

const restoreCommand = (declaration: Declaration) =>
  command(declaration, 'restore <file>', 'Restore a backup into an empty data folder', [
    'ota-hooks server restore backup.ndjson --data /var/lib/ota-hooks',
    'ota-hooks server restore backup.ndjson --data data --json',
  ])
    .requiredOption('--data <dir>', 'Data folder, which must be empty or missing')
    .addOption(storageOptions.database)
    .addOption(storageOptions.databaseFile)
    .addOption(storageOptions.blobs)
    .option('--accept-missing-files', 'Restore a backup even if the firmware files of some releases are missing');

export function declareRestore(declaration: Declaration): void {
  restoreCommand(declaration).action((file, options) => restore(file, options, declaration.io));
}

async function restore(file: string, options: OptionsOf<typeof restoreCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const folder = resolve(io.cwd, options.data);
  const storage = await chosenStorage(options, io, report);
  const { authorityIn, restoreBackup, sealData, useData } = await import('../../../server/index.ts');
  const input = await openToRead(path);
  const isNew = !(await exists(folder));
  const holder = `ota-hooks server restore, process ${process.pid}`;
  try {
    // A folder whose database is lost counts as empty, because restoring a backup repairs it.
    await useData({ data: folder, ...storage, holder, acceptsLoss: true }, async ({ store, blobs }) => {
      for await (const _ of store.dump()) throw new OtaError('SERVER_DATA_NOT_EMPTY', { path: folder });
      const into = { store, blobs, authority: authorityIn(folder) };
      const how = { name: path, acceptsMissingFiles: options.acceptMissingFiles === true };
      const task = { what: `restoring ${report.path(path)}` };
      await during(task, io, options, (show) => restoreBackup(into, linesOf(input, path, io.signal, show), how));
      await sealData({ store, blobs }, { acceptsLoss: true });
    });
  } catch (error) {
    // A rejected backup leaves nothing behind, not even an empty data folder.
    if (isNew) await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    input.destroy();
  }
  report.say(`Restored ${report.path(path)} to ${report.path(folder)}`);
  report.result('server restore', { data: folder, from: path });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Largest line of a backup: the largest blob in base64, plus a margin. */
const mostLineCharacters = 32 * 1024 * 1024;

/** Splits the file into lines and limits their length, because the Node.js readline module would read a line of any length into memory. */
async function* linesOf(
  input: ReadStream,
  path: string,
  signal: AbortSignal,
  show: ShowProgress,
): AsyncGenerator<string> {
  const { size } = await stat(path);
  let rest = '';
  try {
    for await (const chunk of input.setEncoding('utf8')) {
      signal.throwIfAborted();
      show(size === 0 ? 1 : input.bytesRead / size);
      const [first = '', ...lines] = String(chunk).split('\n');
      rest += first;
      if (lines.length > 0) {
        yield rest;
        rest = lines.pop() ?? '';
        yield* lines;
      }
      if (rest.length > mostLineCharacters) {
        throw new OtaError('BACKUP_INVALID', { path, reason: 'a line is longer than the largest blob' });
      }
    }
  } catch (cause) {
    const isSystem = cause instanceof Error && 'syscall' in cause && 'code' in cause;
    throw isSystem ? new OtaError('FILE_UNREADABLE', { path, reason: String(cause.code) }, cause) : cause;
  }
  if (rest !== '') yield rest;
}

/** Opens a backup, which may be too large for {@link readNamedFile}. */
async function openToRead(path: string): Promise<ReadStream> {
  try {
    await requireRegularFile(path);
    const stream = createReadStream(path);
    await once(stream, 'open');
    return stream;
  } catch (cause) {
    throw namedReadError(path, 'backup', cause);
  }
}
