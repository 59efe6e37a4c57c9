import * as v from 'valibot';
import { auditInfoSchema, tokenInfoSchema } from '../../../../api/admin-info.ts';
import { tokenRequestSchema } from '../../../../api/release-admin.ts';
import { listLimit, listPosition } from './integer-text.ts';
import { operation } from './operation.ts';

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
    summary: 'Creates a token.',
    description: 'The response is the only one that contains the token itself.',
    action: 'administer',
    body: tokenRequestSchema,
    statuses: [201],
    response: tokenInfoSchema,
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
    query: v.strictObject({ before: listPosition, limit: listLimit(1000, 100) }),
    statuses: [200],
    response: v.strictObject({ entries: v.array(auditInfoSchema), next: v.optional(v.number()) }),
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
