import { resolve } from 'node:path';
import { counted, sizeText } from '../../../core/model/quantity-text.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport } from '../../output/report.ts';
import { chosenTarget, targetOptions } from '../../shared/storage-options.ts';

const copyCommand = (declaration: Declaration) =>
  command(declaration, 'copy', 'Copy the data of a stopped server into an empty database and an empty bucket', [
    'ota-hooks server copy --from /var/lib/ota-hooks --to-database postgres://ota@db.example.com/ota --to-blobs s3://firmware',
    'ota-hooks server copy --from /var/lib/ota-hooks --to-database-file database.url --to-blobs s3://firmware --json',
  ])
    .requiredOption('--from <dir>', 'Data folder of a stopped server, which is not changed')
    .addOption(targetOptions.toDatabase)
    .addOption(targetOptions.toDatabaseFile)
    .addOption(targetOptions.toBlobs);

export function declareCopy(declaration: Declaration): void {
  copyCommand(declaration).action((options) => copy(options, declaration.io));
}

async function copy(options: OptionsOf<typeof copyCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const from = resolve(io.cwd, options.from);
  const { storeUrl, blobsUrl, env } = await chosenTarget(options, io, report);
  const { authorityIn, copyData, hasAuthority, openStores } = await import('../../../server/index.ts');
  const target = await openStores({ storeUrl, blobsUrl, env }, `ota-hooks server copy, process ${process.pid}`);
  try {
    const task = { what: `copying ${report.path(from)}` };
    const { records, blobs, wasCopied } = await during(task, io, options, (show) => copyData(from, target, show));
    const rows = Object.values(records).reduce((sum, count) => sum + count, 0);
    const summary = `${counted(rows, 'record')} and ${counted(blobs.files, 'firmware file')} (${sizeText(blobs.sizeBytes)})`;
    report.say(`${wasCopied ? 'Already copied and identical' : 'Copied and compared'}: ${summary}`);
    if (await hasAuthority(authorityIn(from))) {
      report.say(
        `Not copied: ${report.path(authorityIn(from))}. Copy this folder into the data folder of each server.`,
      );
    }
    report.result('server copy', { from, records, blobs, wasCopied });
  } finally {
    await target.store.close();
  }
}
