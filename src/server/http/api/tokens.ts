import { stream } from 'hono/streaming';
import type { AuditInfo } from '../../../api/admin-info.ts';
import type { ServerParts } from '../../parts.ts';
import { backupLines } from '../../services/backup.ts';
import { auditEntryOf } from '../../services/events/audit-entry.ts';
import { type ActorNames, actorNames, createToken, revokeToken } from '../../services/tokens.ts';
import type { AuditEntry } from '../../storage/records.ts';
import type { AuditFilter } from '../../storage/store.ts';
import { administrationOperations } from './operations/administration.ts';
import { jsonLinesType } from './operations/operation.ts';
import { type Route, route } from './routes.ts';
import { tokenInfo } from './token-info.ts';

/**
 * Age from which entries are returned in order: on PostgreSQL, transactions that run at the same time may commit their entries in another
 * order than that of the IDs.
 */
const auditSettledMs = 5000;
/** Entries from further ahead were written before the clock was set back. They are final. */
const mostAheadMs = 3_600_000;

interface RequestedFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly project?: string | undefined;
  readonly since?: string | undefined;
}

function auditFilter({ actor, since, ...filter }: RequestedFilter): AuditFilter {
  return {
    ...filter,
    actors: actor === undefined ? undefined : [actor],
    since: since === undefined ? undefined : Date.parse(since),
  };
}

function auditInfo(entry: AuditEntry, names: ActorNames): AuditInfo {
  return { ...entry, actorName: names.get(entry.actor), at: new Date(entry.at).toISOString() };
}

/** Creates the routes for tokens, the audit log and backups. The routes require an admin token that is valid for all projects. */
export function tokenRoutes(parts: ServerParts): readonly Route[] {
  const { store, log, events } = parts;
  return [
    route(administrationOperations.listTokens, async () => ({ tokens: (await store.tokens.list()).map(tokenInfo) })),

    route(administrationOperations.createToken, async ({ token: creator, body }) => {
      const { record, token } = await createToken(parts, await body(), creator.id);
      return { ...tokenInfo(record), token };
    }),

    route(administrationOperations.revokeToken, async ({ params, token }) => {
      await revokeToken(parts, params.tokenId, token.id);
      return { revoked: params.tokenId };
    }),

    route(administrationOperations.audit, async ({ query: { before, limit, ...filter } }) => {
      const page = { before: before ?? Number.MAX_SAFE_INTEGER, limit };
      const found = await store.audit.list({ ...page, ...auditFilter(filter) });
      const names = await actorNames(store);
      const entries = found.map((entry) => auditInfo(entry, names));
      return { entries, next: entries.length < limit ? undefined : entries.at(-1)?.id };
    }),

    route(administrationOperations.auditLines, async ({ context, query: { after, limit, ...filter } }) => {
      const found = await store.audit.after(after, limit, auditFilter(filter));
      const now = parts.clock.now().wallMs;
      const recent = found.findIndex(({ at }) => at > now - auditSettledMs && at < now + mostAheadMs);
      // The next request begins after the last ID, so entries after a recent one have to wait, even if their time is earlier.
      const settled = recent === -1 ? found : found.slice(0, recent);
      const names = await actorNames(store);
      const lines = settled.map((entry) => `${JSON.stringify(auditInfo(entry, names))}\n`);
      return context.body(lines.join(''), 200, { 'Content-Type': jsonLinesType });
    }),

    route(administrationOperations.backup, async ({ context, token: { id: actor } }) => {
      const event = { type: 'backup.exported', project: undefined, actor, at: Date.now() } as const;
      await store.audit.add(auditEntryOf(event));
      events.emit(event);
      log.info({ by: actor }, 'Backup started');
      context.header('Content-Type', jsonLinesType);
      return stream(context, async (out) => {
        for await (const line of backupLines(parts)) {
          if (out.aborted) return;
          await out.write(line);
        }
      });
    }),
  ];
}
