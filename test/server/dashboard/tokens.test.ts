import test from 'ava';
import { testDashboard } from './browsing.ts';

const wordOf = (text: string) => /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '';

test('creates a token that is shown once, and revokes it with its form', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  const { id, token } = await tokenOf('admin');
  const admin = browser();
  await admin.post('/login', { token });
  const fields = { name: 'build server', 'role-publish': 'yes', channels: 'beta, night', project: 'door' };
  const made = await admin.send('/tokens', '/tokens', fields);
  t.is(made.status, 201);
  t.is(made.headers.get('cache-control'), 'no-store');
  const shown = /(ota_([0-9a-f]{12})_[\w-]{43})/.exec(made.text);
  const [, secret = '', newId = ''] = shown ?? [];
  t.like(await parts.store.tokens.find(newId), {
    ...{ roles: ['publish'], channels: ['beta', 'night'], project: 'door', name: 'build server' },
  });
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'token.created', project: 'door' });
  const list = (await admin.get('/tokens')).text;
  t.regex(list, /build server/);
  t.false(list.includes(secret), 'shows the token only once');
  const user = browser();
  t.is((await user.post('/login', { token: secret })).headers.get('location'), '/');
  t.is((await user.get('/projects/door/devices')).status, 200);
  const revoked = await admin.send('/tokens', `/tokens/${newId}/revoke`);
  t.is(revoked.headers.get('location'), '/tokens?done=revoked');
  t.is((await user.get('/projects/door/devices')).status, 303, 'ends the sessions of the token');
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'token.revoked' });
});

test('rejects tokens without a role, with a long name or for an unknown project, and keeps the form', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const admin = await browserOf('admin');
  const before = await parts.store.tokens.list();
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ name: 'phone' }, /must contain at least one role/],
    [{ name: 'x'.repeat(500), 'role-read': 'yes' }, /must be at most 64 characters/],
    [{ name: 'phone', 'role-read': 'yes', project: 'nothing' }, /Project nothing not found/],
    [{ name: 'phone', 'role-read': 'yes', channels: 'a/b' }, /channels/],
  ];
  for (const [fields, reason] of cases) {
    const refused = await admin.send('/tokens', '/tokens', fields);
    t.is(refused.status, 422);
    t.regex(refused.text, reason);
    t.true(refused.text.includes(`value="${fields['name']}"`), 'keeps the name');
  }
  t.deepEqual(await parts.store.tokens.list(), before);
});

test('shows tokens and webhooks only to admins of all projects', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  const limited = await browserOf('admin', 'door');
  const form = wordOf((await limited.get('/')).text);
  t.notRegex((await limited.get('/')).text, /href="\/tokens"/);
  const [first] = await parts.store.tokens.list();
  for (const path of ['/tokens', '/webhooks', '/webhooks/1', '/audit']) {
    const refused = await limited.get(path);
    t.is(refused.status, 403, path);
    t.regex(refused.text, /Your token is valid only for the project door/);
  }
  for (const path of ['/tokens', `/tokens/${first?.id}/revoke`, '/webhooks', '/webhooks/1/remove']) {
    t.is((await limited.post(path, { form, 'role-admin': 'yes' })).status, 403, path);
  }
  t.is((await parts.store.tokens.list()).length, 1);
  t.is((await (await browserOf('operate')).get('/tokens')).status, 403);
});

test('keeps the last admin token', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { id, token } = await tokenOf('admin');
  const admin = browser();
  await admin.post('/login', { token });
  const refused = await admin.send('/tokens', `/tokens/${id}/revoke`);
  t.is(refused.status, 409);
  t.regex(refused.text, /last admin token/);
  t.is((await admin.get('/tokens')).status, 200);
});
