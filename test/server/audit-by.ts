import type { NewAuditEntry } from '../../src/server/storage/store.ts';

/** Audit entry for a test that writes to the store directly. */
export function auditBy(actor: string, action = 'test', detail: NewAuditEntry['detail'] = {}): NewAuditEntry {
  return { at: 1, actor, action, detail };
}
