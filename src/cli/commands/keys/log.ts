import type { SignatureReceipt } from '../../../api/signatures.ts';
import { counted } from '../../../core/model/quantity-text.ts';
import type { SigningLogEntry } from '../../../core/model/signing-log.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readSigningLog, signedBy, signingLogPath } from '../../../project/record/signing-log.ts';
import { command, commandGroup, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { agoOf } from '../../output/time-text.ts';
import { collect } from '../../shared/option-values.ts';
import { requireReceipts } from '../../shared/recorded-signatures.ts';
import { serverOptions } from '../../shared/server-options.ts';

/** Commands about the record of what was signed. */
export function declareLog(declaration: Declaration): void {
  commandGroup(
    declaration,
    'log',
    'Check the record of what was signed',
    ['ota-hooks keys log verify', 'ota-hooks keys log verify --verbose'],
    [declareVerify],
  );
}

const verifyCommand = (declaration: Declaration) =>
  command(declaration, 'verify', 'Check that no entry of the signing log was changed, removed or inserted', [
    'ota-hooks keys log verify',
    'ota-hooks keys log verify --json',
  ])
    .option('--head <entry:hash>', 'Entry and hash from an earlier check, kept elsewhere: the log must contain it')
    .option('--server <url>', 'Also compare the log with the receipts of this server')
    .option('--project <name>', 'With --server: project (repeatable, default: the projects in the log)', collect, [])
    .addOption(serverOptions.tokenEnv)
    .addOption(serverOptions.ca);

type VerifyOptions = OptionsOf<typeof verifyCommand>;

function declareVerify(declaration: Declaration): void {
  verifyCommand(declaration).action((options) => verifyLog(options, declaration.io));
}

/** Checks the chain of the user's log, and that it continues an earlier state and the state that a server has recorded. */
async function verifyLog(options: VerifyOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = signingLogPath(io);
  if (path === undefined) {
    throw new OtaError('OPTION_INVALID', { option: 'OTA_SIGNING_LOG', value: 'off', expected: 'must name a log' });
  }
  const head = options.head === undefined ? undefined : headFrom(options.head);
  const { entries, isCutOff } = await readSigningLog(path);
  if (head !== undefined) requireReceipts(path, entries, [head]);
  const recorded =
    options.server === undefined ? undefined : await compareWithServer(path, entries, options, io, report);
  if (isCutOff) {
    report.warn(
      `${report.path(path)} ends with part of an entry, of a command that was stopped before it signed a file`,
    );
  }
  const last = entries.at(-1);
  const lines = [
    last === undefined
      ? `${report.path(path)}: no entries`
      : `${report.path(path)}: ${counted(entries.length, 'entry', 'entries')}, head ${last.entry}:${last.hash}`,
    ...(recorded === undefined ? [] : [`${recorded.server}: ${recordedText(recorded)}`]),
  ];
  const result = { log: path, entries: entries.length, head: last?.hash ?? null, recorded: recorded ?? null };
  report.result('keys log verify', result, lines);
}

/** Receipts of a server for a log that matches all of them. */
interface Recorded {
  readonly server: string;
  readonly receipts: number;
  /** Last entry for which the server has a receipt. */
  readonly entry: number;
}

function recordedText({ receipts, entry }: Recorded): string {
  return `${counted(receipts, 'receipt')} up to entry ${entry}, all of which the log matches`;
}

/**
 * Compares the log with all receipts of a server, not only with the last one: an attacker with the token could add receipts for a rewritten
 * log, but cannot remove the earlier ones.
 *
 * @throws OtaError SIGNING_LOG_REWRITTEN, SIGNING_LOG_UNRECORDED, OPTION_MISSING, and connection errors
 */
async function compareWithServer(
  path: string,
  entries: readonly SigningLogEntry[],
  options: VerifyOptions,
  io: Io,
  report: Report,
): Promise<Recorded> {
  const { serverClient } = await import('../server/connection.ts');
  const { connect } = await import('../../../api/client/connection.ts');
  const { signatureRecord } = await import('../../../api/client/signature-record.ts');
  const inLog = entries.flatMap(({ project }) => project ?? []);
  const projects = options.project.length > 0 ? options.project : [...new Set(inLog)];
  if (projects.length === 0) throw new OtaError('OPTION_MISSING', { subject: '--server', wanted: '--project NAME' });
  const { place } = serverClient(options, io);
  const record = signatureRecord(connect(place));
  const receipts: SignatureReceipt[] = [];
  for (const project of projects) receipts.push(...((await record.receipts(project)) ?? []));
  const log = entries[0]?.log;
  const own = receipts.filter((receipt) => receipt.log === log);
  warnOfOtherLogs(
    receipts.filter((receipt) => receipt.log !== log),
    io,
    report,
  );
  const server = place.url.origin;
  if (own.length === 0) throw new OtaError('SIGNING_LOG_UNRECORDED', { path, server, projects });
  requireReceipts(path, entries, own);
  return { server, receipts: own.length, entry: Math.max(...own.map(({ entry }) => entry)) };
}

/** A log that was replaced by a new one has a new name. Only the receipts of the replaced log show that it existed. */
function warnOfOtherLogs(receipts: readonly SignatureReceipt[], io: Io, report: Report): void {
  const by = signedBy(io);
  const latest = new Map(receipts.filter((receipt) => receipt.by === by).map((receipt) => [receipt.log, receipt]));
  for (const { log, entry, at } of latest.values()) {
    report.warn(
      `the server also has receipts for a different log of ${by} (${log}, entry ${entry}, ${agoOf(at)}): unless you have moved this log, it was replaced`,
    );
  }
}

/** @throws OtaError OPTION_INVALID */
function headFrom(text: string): { readonly entry: number; readonly hash: string } {
  const [, entry, hash] = /^([1-9]\d{0,8}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (entry !== undefined && hash !== undefined) return { entry: Number(entry), hash };
  throw new OtaError('OPTION_INVALID', {
    option: '--head',
    value: text,
    expected: 'must be an entry and its hash, as `ota-hooks keys log verify` prints them',
  });
}
