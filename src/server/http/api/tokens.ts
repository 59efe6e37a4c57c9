import { stream } from 'hono/streaming';
import type { ServerParts } from '../../parts.ts';
import { backupLines } from '../../services/backup.ts';
import { auditEntryOf } from '../../services/events/audit-entry.ts';
import { createToken, revokeToken, tokenNames } from '../../services/tokens.ts';
import { administrationOperations } from './operations/administration.ts';
import { jsonLinesType } from './operations/operation.ts';
import { type Route, route } from './routes.ts';
import { tokenInfo } from './token-info.ts';

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

    route(administrationOperations.audit, async ({ query: { before, limit } }) => {
      const found = await store.audit.list({ before: before ?? Number.MAX_SAFE_INTEGER, limit });
      const names = await tokenNames(store);
      const entries = found.map((entry) => ({
        ...entry,
        actorName: names.get(entry.actor),
        at: new Date(entry.at).toISOString(),
      }));
      return { entries, next: entries.length < limit ? undefined : entries.at(-1)?.id };
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
