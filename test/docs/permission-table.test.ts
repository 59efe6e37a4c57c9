import { readFileSync } from 'node:fs';
import test from 'ava';
import { serverPagePath, withPermissionTable } from '../../docs/permission-table.ts';
import type { roles } from '../../src/api/release.ts';
import { type Action, permissions, permits } from '../../src/server/auth/permissions.ts';

test('docs/server.md contains the current table of roles (npm run docs writes it)', (t) => {
  const page = readFileSync(serverPagePath, 'utf8');
  t.regex(page, /\| Yank a release \|/);
  t.is(page, withPermissionTable(page));
});

test('permits an admin every action and restricts the other roles to the actions in the table', (t) => {
  // The table has exactly these keys.
  const actions = Object.keys(permissions) as Action[];
  const of = (role: (typeof roles)[number]) => actions.filter((action) => permits({ roles: [role] }, action));
  t.deepEqual(of('admin'), actions);
  t.deepEqual(of('read'), ['view']);
  t.deepEqual(of('publish'), ['view', 'upload', 'draft', 'promote', 'overrule', 'signatures', 'notes']);
  t.deepEqual(of('operate'), ['view', 'promote', 'promote-again', 'notes', 'yank', 'rollouts', 'devices']);
});
