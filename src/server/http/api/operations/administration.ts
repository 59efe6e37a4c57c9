import * as v from 'valibot';
import { auditInfoSchema, tokenInfoSchema } from '../../../../api/admin-info.ts';
import { resourceName } from '../../../../api/release.ts';
import { tokenRequestSchema } from '../../../../api/release-admin.ts';
import { printable } from '../../../../core/model/fields.ts';
import { listLimit, listPosition } from './integer-text.ts';
import { operation } from './operation.ts';

const timeProblem = 'must be a time such as 2026-11-30T12:00:00Z';
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Conditions on the entries of the audit log; all of them must match. */
const auditFilterEntries = {
  /** Token ID, `person:` and the name of a person, or `server`. */
  actor: v.optional(v.pipe(v.string(), v.maxLength(100, 'must be a token ID'), printable)),
  /** Type of event, such as `device.retried`, or its part before the point, such as `device`. */
  action: v.optional(v.pipe(v.string(), v.regex(/^[a-z-]{1,32}(\.[a-z-]{1,32})?$/, 'must be a type of event'))),
  project: v.optional(resourceName),
  // v.isoTimestamp also accepts times and days that RFC 3339, and therefore the format date-time, does not permit.
  since: v.optional(
    v.pipe(
      v.string(),
      v.isoTimestamp(timeProblem),
      v.regex(rfc3339, timeProblem),
      v.check((text) => isCalendarDay(text.slice(0, 10)), timeProblem),
    ),
  ),
};

export const administrationOperations = {
  listTokens: operation({
    id: 'listTokens',
    group: 'administration',
    method: 'get',
    path: '/tokens',
    summary: 'Lists the tokens.',
    action: 'administer',
    statuses: [200],
    response: v.strictObject({ tokens: v.array(tokenInfoSchema) }),
  }),
  createToken: operation({
    id: 'createToken',
    group: 'administration',
    method: 'post',
    path: '/tokens',
    summary: 'Creates a token, or gives a person access.',
    description:
      'The response is the only one that contains the token itself. With `person`, no token is created: a reverse proxy logs the person in.',
    action: 'administer',
    body: tokenRequestSchema,
    statuses: [201],
    response: tokenInfoSchema,
    problems: ['conflict'],
  }),
  revokeToken: operation({
    id: 'revokeToken',
    group: 'administration',
    method: 'delete',
    path: '/tokens/{tokenId}',
    summary: 'Revokes a token.',
    action: 'administer',
    statuses: [200],
    response: v.strictObject({ revoked: v.string() }),
    problems: ['not-found', 'conflict'],
  }),
  audit: operation({
    id: 'listAuditEntries',
    group: 'administration',
    method: 'get',
    path: '/audit',
    summary: 'Lists the entries of the audit log, newest first.',
    action: 'administer',
    query: v.strictObject({ before: listPosition, limit: listLimit(1000, 100), ...auditFilterEntries }),
    statuses: [200],
    response: v.strictObject({ entries: v.array(auditInfoSchema), next: v.optional(v.number()) }),
  }),
  auditLines: operation({
    id: 'followAuditEntries',
    group: 'administration',
    method: 'get',
    path: '/audit/lines',
    summary: 'Returns entries of the audit log as JSON lines, oldest first, for other systems.',
    description:
      'Send the `id` of the last line as `after` in the next request. Entries of the last 5 seconds follow in a later response, so that no entry is missed.',
    action: 'administer',
    query: v.strictObject({
      after: v.pipe(
        v.optional(v.string(), '0'),
        v.regex<string, string>(/^\d{1,16}$/, 'must be the ID of an entry'),
        v.transform(Number),
        v.maxValue(Number.MAX_SAFE_INTEGER, 'must be the ID of an entry'),
        v.metadata({ default: 0, description: 'ID of the last entry of the previous response.' }),
      ),
      limit: listLimit(10_000, 1000),
      ...auditFilterEntries,
    }),
    statuses: [200],
    response: 'json-lines',
  }),
  backup: operation({
    id: 'getBackup',
    group: 'administration',
    method: 'get',
    path: '/backup',
    summary: 'Returns a backup for `ota-hooks server restore`.',
    action: 'administer',
    statuses: [200],
    response: 'json-lines',
    problems: ['disk-full'],
  }),
} as const;

/** @param day such as 2026-11-30 */
function isCalendarDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
