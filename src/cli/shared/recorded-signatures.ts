import type { SignatureReceipt } from '../../api/signatures.ts';
import type { SigningLogEntry } from '../../core/model/signing-log.ts';
import { OtaError } from '../../errors/ota-error.ts';

/**
 * Checks that a signing log contains the entry of each of its receipts. A log that was rewritten as a whole is valid in itself, but its
 * hashes differ.
 *
 * @throws OtaError SIGNING_LOG_REWRITTEN
 */
export function requireReceipts(
  path: string,
  entries: readonly SigningLogEntry[],
  receipts: readonly Pick<SignatureReceipt, 'entry' | 'hash'>[],
): void {
  for (const { entry, hash } of receipts) {
    const found = entries[entry - 1];
    if (found?.hash !== hash) {
      throw new OtaError('SIGNING_LOG_REWRITTEN', { path, entry, hasEntry: found !== undefined });
    }
  }
}
