import type { Store } from '../store.ts';
import { sqlAudit } from './audit.ts';
import { sqlCatalog } from './catalog.ts';
import { sqlCharts } from './charts.ts';
import { sqlCounts } from './count-checks.ts';
import { sqlDevices } from './devices.ts';
import { dumpTables, restoreRows } from './dump.ts';
import type { Engine } from './engine.ts';
import { sqlFailures } from './failures.ts';
import { sqlNotEnrolled } from './not-enrolled.ts';
import { sqlRollouts } from './rollouts.ts';
import { sqlSessions } from './sessions.ts';
import { storeFacts } from './store-facts.ts';
import { sqlTokens } from './tokens.ts';
import { sqlUploads } from './uploads.ts';
import { sqlWebhooks } from './webhooks.ts';

/** Creates the store for an engine whose database has been migrated. */
export function sqlStore(engine: Engine): Store {
  return {
    catalog: sqlCatalog(engine),
    devices: sqlDevices(engine),
    rollouts: sqlRollouts(engine),
    counts: sqlCounts(engine),
    charts: sqlCharts(engine),
    tokens: sqlTokens(engine),
    uploads: sqlUploads(engine),
    webhooks: sqlWebhooks(engine),
    audit: sqlAudit(engine),
    sessions: sqlSessions(engine),
    failures: sqlFailures(engine),
    notEnrolled: sqlNotEnrolled(engine),
    notices: engine.notices,
    ...storeFacts(engine),
    dump: () => dumpTables(engine),
    restore: (lines) =>
      engine.longTransaction(async (db) => {
        await restoreRows(db, lines);
        await engine.afterRestore(db);
      }),
    lead: (work) => engine.lead(work),
    close: () => engine.close(),
  };
}
