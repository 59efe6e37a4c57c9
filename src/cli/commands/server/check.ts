import { resolve } from 'node:path';
import { counted, sizeText } from '../../../core/model/quantity-text.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { DataReport } from '../../../server/index.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { type ChosenStorage, chosenStorage, storageOptions } from '../../shared/storage-options.ts';

const checkCommand = (declaration: Declaration) =>
  command(declaration, 'check', 'Check all records and firmware files of a server; only --repair changes them', [
    'ota-hooks server check --data /var/lib/ota-hooks',
    'ota-hooks server check --data /var/lib/ota-hooks --repair',
  ])
    .requiredOption('--data <dir>', 'Data folder of a running or stopped server')
    .addOption(storageOptions.database)
    .addOption(storageOptions.databaseFile)
    .addOption(storageOptions.blobs)
    .option('--repair', 'Repair the data of a stopped server after copying the database, and show each change');

export function declareCheck(declaration: Declaration): void {
  checkCommand(declaration).action((options) => check(options, declaration.io));
}

/** @throws OtaError SERVER_DATA_DAMAGED if there are problems, or if some remain after the repair */
async function check(options: OptionsOf<typeof checkCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const storage = await chosenStorage(options, io, report);
  const place = { data: resolve(io.cwd, options.data), ...storage };
  return storage.storeUrl === undefined ? checkFolder(options, io, place) : checkDatabase(options, io, place);
}

type Options = OptionsOf<typeof checkCommand>;
type Place = ChosenStorage & { readonly data: string };

async function checkFolder(options: Options, io: Io, { data }: Place): Promise<void> {
  const report = makeReport(io, options);
  const server = await import('../../../server/index.ts');
  const task = { what: `checking ${report.path(data)}` };
  const fail = (error: unknown): never => {
    throw server.dataError(data, error);
  };
  const found = await during(task, io, options, (show) => server.checkFolder(data, show)).catch(fail);
  for (const { message } of found.problems) report.warn(message);
  if (options.repair !== true || found.problems.length === 0) return conclude(report, data, found);
  const holder = `ota-hooks server check --repair, process ${process.pid}`;
  const work = { what: `repairing ${report.path(data)}` };
  const repair = await during(work, io, options, (show) => server.repairFolder(data, found, { show, holder })).catch(
    fail,
  );
  report.say(`Copied the database to ${report.path(repair.backup)}`);
  for (const change of repair.changes) report.say(change);
  for (const { message } of repair.after.problems) report.warn(message);
  conclude(report, data, repair.after, { backup: repair.backup, changes: [...repair.changes] });
}

/** Checks the data of several servers, which may be running. */
async function checkDatabase(options: Options, io: Io, place: Place): Promise<void> {
  const { data } = place;
  const report = makeReport(io, options);
  const { checkShared, repairShared, useData } = await import('../../../server/index.ts');
  await useData({ ...place, holder: `ota-hooks server check, process ${process.pid}` }, async (opened) => {
    const found = await during({ what: 'checking the database' }, io, options, (show) => checkShared(opened, show));
    for (const { message } of found.problems) report.warn(message);
    if (options.repair !== true || found.problems.length === 0) return conclude(report, data, found);
    const work = { what: 'repairing the database' };
    const { changes, after } = await during(work, io, options, (show) => repairShared(opened, found, show));
    for (const change of changes) report.say(change);
    for (const { message } of after.problems) report.warn(message);
    conclude(report, data, after, { changes: [...changes] });
  });
}

function conclude(
  report: Report,
  data: string,
  { problems, records, blobs }: DataReport,
  repair?: { backup?: string; changes: string[] },
): void {
  const { releases = 0, devices = 0 } = records;
  const summary = `${counted(releases, 'release')}, ${counted(devices, 'device')}, ${counted(blobs.complete, 'firmware file')} (${sizeText(blobs.sizeBytes)})`;
  const unused = `${counted(blobs.unused, 'unused file')}, ${counted(blobs.unfinished, 'unfinished upload')}`;
  report.say(`${problems.length === 0 ? 'No problems' : 'Checked'}: ${summary}, ${unused}`);
  const damage = { path: report.path(data), problems: problems.length, isRepaired: repair !== undefined };
  report.result(
    'server check',
    { data, problems, records, blobs, ...(repair !== undefined && { repair }) },
    undefined,
    problems.length === 0 ? undefined : new OtaError('SERVER_DATA_DAMAGED', damage),
  );
}
