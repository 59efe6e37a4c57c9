import * as v from 'valibot';
import type { SignatureReceipt } from '../../api/signatures.ts';
import { excerptProblem, type SigningLogEntry, signingLogEntrySchema } from '../../core/model/signing-log.ts';
import type { Actor, AuditEntry } from '../storage/records.ts';
import { DomainError } from './domain-error.ts';
import { auditEntryOf } from './events/audit-entry.ts';
import type { DomainEvent } from './events/domain-event.ts';
import type { ServiceParts } from './parts.ts';

const action = 'signatures.recorded';

/** Number of audit entries that are read at once. */
const readAtOnce = 100;

/**
 * Records entries of a signing log in the audit log of a project. Recording the same entries again changes nothing.
 *
 * @throws DomainError invalid; conflict if the entries contradict a receipt
 */
export async function recordEntries(
  { store, events }: Pick<ServiceParts, 'store' | 'events'>,
  {
    project,
    entries,
    by,
  }: { readonly project: string; readonly entries: readonly SigningLogEntry[]; readonly by: Actor },
): Promise<SignatureReceipt> {
  const last = entries.at(-1);
  const problem = excerptProblem(entries) ?? foreignProblem(entries, project);
  if (problem !== undefined || last === undefined) {
    const message = problem ?? 'there are no entries';
    throw new DomainError('invalid', message, 'Check the signing log with `ota-hooks keys log verify`.');
  }
  const { log } = last;
  for await (const receipt of receiptsOf({ store }, { project, log })) {
    if (receipt.entry === last.entry && receipt.hash === last.hash) return receipt;
    requireConsistent(entries, receipt);
  }
  const event: DomainEvent = { type: action, project, actor: by, at: Date.now(), log, entries };
  const audited = auditEntryOf(event);
  const id = await store.audit.record(audited);
  events.emit(event);
  return receiptOf({ ...audited, id }, last);
}

function foreignProblem(entries: readonly SigningLogEntry[], project: string): string | undefined {
  const foreign = entries.find((entry) => entry.project !== undefined && entry.project !== project);
  return foreign && `entry ${foreign.entry} belongs to the project ${foreign.project}`;
}

/** @throws DomainError conflict */
function requireConsistent(entries: readonly SigningLogEntry[], receipt: SignatureReceipt): void {
  const isOther = ({ entry, hash, previous }: SigningLogEntry) =>
    (entry === receipt.entry && hash !== receipt.hash) || (entry === receipt.entry + 1 && previous !== receipt.hash);
  if (!entries.some(isOther)) return;
  throw new DomainError(
    'conflict',
    `the signing log was rewritten: entry ${receipt.entry} has a different hash than in the receipt of ${receipt.at}`,
    'Find out what replaced the log, and compare it with a backup.',
  );
}

interface ReceiptPage {
  readonly log?: string | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Lists the receipts of a project, oldest first. */
export async function listReceipts(
  { store }: Pick<ServiceParts, 'store'>,
  project: string,
  { log, after, limit }: ReceiptPage,
): Promise<{ readonly receipts: readonly SignatureReceipt[]; readonly next?: number | undefined }> {
  const receipts: SignatureReceipt[] = [];
  for await (const receipt of receiptsOf({ store }, { project, log, after })) {
    receipts.push(receipt);
    if (receipts.length === limit) return { receipts, next: receipt.audit };
  }
  return { receipts };
}

interface Wanted {
  readonly project: string;
  readonly log?: string | undefined;
  readonly after?: number | undefined;
}

/** Reads the receipts from the audit log, so that nothing but the audit log can contradict them. */
async function* receiptsOf(
  { store }: Pick<ServiceParts, 'store'>,
  { project, log, after = 0 }: Wanted,
): AsyncGenerator<SignatureReceipt> {
  for (let position = after; ; ) {
    const found = await store.audit.after(position, readAtOnce, { action, project, signingLog: log });
    for (const entry of found) {
      const last = lastEntryOf(entry);
      if (last !== undefined) yield receiptOf(entry, last);
    }
    if (found.length < readAtOnce) return;
    position = found.at(-1)?.id ?? position;
  }
}

function lastEntryOf({ detail }: AuditEntry): SigningLogEntry | undefined {
  const { entries } = detail;
  const { success, output } = v.safeParse(signingLogEntrySchema, Array.isArray(entries) ? entries.at(-1) : undefined);
  return success ? output : undefined;
}

function receiptOf(
  { id, at }: Pick<AuditEntry, 'id' | 'at'>,
  { log, entry, hash, by }: SigningLogEntry,
): SignatureReceipt {
  return { log, entry, hash, by, at: new Date(at).toISOString(), audit: id };
}
