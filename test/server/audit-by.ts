import type { NewAuditEntry } from '../../src/server/storage/store.ts';

/** Audit entry for a test that writes directly to the store. */
export function auditBy(actor: string, action = 'test', detail: NewAuditEntry['detail'] = {}): NewAuditEntry {
  return { at: 1, actor, action, detail };
}
