import type { SignatureRecord } from '../../../api/client/signature-record.ts';
import type { SignatureReceipt } from '../../../api/signatures.ts';
import type { SigningLogEntry } from '../../../core/model/signing-log.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Publication } from '../../../publishing/publication.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { isLogChosen } from '../../shared/record-signatures.ts';
import { requireReceipts } from '../../shared/recorded-signatures.ts';

/** Sends the entries that the server does not have yet, and returns the receipt. */
type SendSignatures = () => Promise<SignatureReceipt | undefined>;

/**
 * Compares the user's signing log with the receipts of the server, before anything is published. Only the entries of the published project
 * are sent: the log also names other projects.
 *
 * @returns the function that sends the entries after the publication
 * @throws OtaError SIGNING_LOG_REWRITTEN, SIGNING_LOG_BROKEN, FILE_UNREADABLE, and connection errors
 */
export async function prepareSignatures(
  publications: readonly Publication[],
  record: SignatureRecord,
  io: Io,
  report: Report,
): Promise<SendSignatures> {
  const nothing = async () => undefined;
  const { signingLogPath } = await import('../../../project/record/signing-log.ts');
  const path = signingLogPath(io);
  const [publication] = publications;
  if (path === undefined || publication === undefined) return nothing;
  const { project } = publication;
  const entries = await entriesIn(path, io, report);
  const files = new Set(publications.flatMap(({ manifest }) => manifest.artifacts.map(({ sha256 }) => sha256)));
  const own = entries.filter(
    (entry) => entry.project === project || (entry.project === undefined && files.has(entry.sha256)),
  );
  const [first] = own;
  if (first === undefined) return nothing;
  // A server without the project has no receipts yet. The publication may create the project.
  const receipts = (await record.receipts(project, first.log)) ?? [];
  requireReceipts(path, entries, receipts);
  const last = Math.max(0, ...receipts.map(({ entry }) => entry));
  return async () => {
    const receipt = await record.send(
      project,
      own.filter(({ entry }) => entry > last),
    );
    if (receipt !== undefined) report.say(`Signatures recorded: entry ${receipt.entry}:${receipt.hash}`);
    return receipt ?? receipts.at(-1);
  };
}

/** Reads the log. As when it is written, its problems are warnings unless the user has chosen its path. */
async function entriesIn(path: string, io: Io, report: Report): Promise<readonly SigningLogEntry[]> {
  const { readSigningLog } = await import('../../../project/record/signing-log.ts');
  try {
    return (await readSigningLog(path)).entries;
  } catch (error) {
    if (isLogChosen(io) || !(error instanceof OtaError)) throw error;
    report.warn(`the server receives no record of the signatures: ${error.message}`);
    return [];
  }
}
