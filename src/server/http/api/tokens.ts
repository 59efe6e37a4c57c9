import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { AuditInfo, TokenInfo } from '../../../api/admin-info.ts';
import { tokenRequestSchema } from '../../../api/release-admin.ts';
import type { ServerParts } from '../../parts.ts';
import { backupLines } from '../../services/backup.ts';
import { auditEntryOf } from '../../services/events/audit-entry.ts';
import { createToken, revokeToken } from '../../services/tokens.ts';
import type { TokenRecord } from '../../storage/records.ts';
import { numberIn, readBody, requireAction, type Session } from './session.ts';

/** Creates the routes for tokens, the audit log and backups. The routes require an admin token that is valid for all projects. */
export function tokenRoutes(parts: ServerParts): Hono<Session> {
  const { store, log, events } = parts;
  const routes = new Hono<Session>();
  const admin = requireAction(parts, 'administer');

  routes.get('/tokens', admin, async (context) => context.json({ tokens: (await store.tokens.list()).map(tokenInfo) }));

  routes.post('/tokens', admin, async (context) => {
    const request = await readBody(context, tokenRequestSchema);
    const { record, token } = await createToken(parts, request, context.get('token').id);
    return context.json({ ...tokenInfo(record), token }, 201);
  });

  routes.delete('/tokens/:id', admin, async (context) => {
    const id = context.req.param('id');
    await revokeToken(parts, id, context.get('token').id);
    return context.json({ revoked: id });
  });

  routes.get('/audit', admin, async (context) => {
    const limit = Math.max(1, numberIn(context, 'limit', 100, 1000));
    const before = numberIn(context, 'before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const found = await store.audit.list({ before, limit });
    const entries = found.map((entry): AuditInfo => ({ ...entry, at: new Date(entry.at).toISOString() }));
    return context.json({ entries, next: entries.length < limit ? undefined : entries.at(-1)?.id });
  });

  routes.get('/backup', admin, async (context) => {
    const actor = context.get('token').id;
    const event = { type: 'backup.exported', project: undefined, actor, at: Date.now() } as const;
    await store.audit.add(auditEntryOf(event));
    events.emit(event);
    log.info({ by: actor }, 'Backup started');
    context.header('Content-Type', 'application/x-ndjson');
    return stream(context, async (out) => {
      for await (const line of backupLines(parts)) {
        if (out.aborted) return;
        await out.write(line);
      }
    });
  });

  return routes;
}

function tokenInfo({ id, roles, channels, project, name, createdAt }: TokenRecord): TokenInfo {
  return {
    id,
    roles: [...roles],
    channels: [...channels],
    project,
    name,
    createdAt: new Date(createdAt).toISOString(),
  };
}
