import test from 'ava';
import { testDashboard } from './browsing.ts';

test('adds a webhook whose secret is shown once, sends an event again, and removes the webhook', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  const { id, token } = await tokenOf('admin');
  const admin = browser();
  await admin.post('/login', { token });
  const fields = { url: 'http://127.0.0.1:9/path', allowPrivate: 'yes', format: 'standard', project: '' };
  const none = await admin.send('/webhooks', '/webhooks', fields);
  t.is(none.status, 422);
  t.regex(none.text, /must contain at least one event/);
  const refused = await admin.send('/webhooks', '/webhooks', {
    ...fields,
    'release.yanked': 'yes',
    allowPrivate: 'no',
  });
  t.is(refused.status, 422);
  t.regex(refused.text, /value="http:\/\/127\.0\.0\.1:9\/path"/, 'keeps the URL in the form');
  const added = await admin.send('/webhooks', '/webhooks', { ...fields, 'rollout.paused': 'yes' });
  t.is(added.status, 201);
  const secret = /whsec_[\w+/=]+/.exec(added.text)?.[0] ?? '';
  t.is((await parts.store.webhooks.list())[0]?.secret, secret);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'webhook.added' });
  const lists = (await admin.get('/webhooks')).text + (await admin.get('/webhooks/1')).text;
  t.false(lists.includes(secret));
  t.notRegex(lists, /:9\/path/, 'shows only the origin');
  const detail = { rollout: 1, version: '2.0', channel: 'stable' };
  await parts.store.audit.add({ at: Date.now(), actor: 'server', action: 'rollout.paused', project: 'door', detail });
  const again = await admin.send('/webhooks/1', '/webhooks/1/deliveries/1/redeliver');
  t.is(again.headers.get('location'), '/webhooks/1?done=queued');
  t.is((await parts.store.webhooks.deliveries(1, { limit: 10 })).length, 2);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'webhook.redelivered' });
  t.is(
    (await admin.send('/webhooks/1', '/webhooks/1/remove')).headers.get('location'),
    '/webhooks?done=removed-webhook',
  );
  t.deepEqual(await parts.store.webhooks.list(), []);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'webhook.removed' });
  for (const path of ['/webhooks/1', '/webhooks/x', '/webhooks/99999999999999999999']) {
    t.is((await admin.get(path)).status, 404, path);
  }
});
