/** Webhooks of a running server, with a receiver on loopback. */
import test, { type ExecutionContext } from 'ava';
import { until } from '../../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { startTestServer, type TestServer } from '../running-server.ts';
import { expectedSignature, startReceiver, typesIn } from './receiver.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });
const next = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 8192 });
const rolloutEvents = ['rollout.started', 'rollout.paused', 'rollout.resumed', 'rollout.halted'];

async function addWebhook(server: TestServer, request: object) {
  const { status, body } = await server.api('POST', '/webhooks', { allowPrivate: true, ...request });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body as { id: number; secret: string };
}

async function haltRollout(t: ExecutionContext, server: TestServer): Promise<void> {
  t.is((await server.publish(build)).status, 201);
  t.is((await server.publish(next, { draft: true })).status, 201);
  t.is((await server.api('PUT', '/projects/door/devices/02:00:00:00:00:01', { enrolled: true })).status, 200);
  const { status, body } = await server.api('POST', '/projects/door/rollouts', { version: '2.0' });
  t.is(status, 201, JSON.stringify(body));
  for (const action of ['pause', 'resume']) {
    t.is((await server.api('POST', `/projects/door/rollouts/${body['id']}/${action}`, {})).status, 200);
  }
  t.is(
    (await server.api('POST', '/projects/door/releases/yank', { version: '2.0', reason: 'it crashes' })).status,
    200,
  );
}

test('sends each event once, in order and signed, to the webhooks that receive it', async (t) => {
  const server = await startTestServer(t);
  const [all, halts, window] = [await startReceiver(t), await startReceiver(t), await startReceiver(t)];
  const { id, secret } = await addWebhook(server, { url: all.url, events: rolloutEvents });
  await addWebhook(server, { url: halts.url, events: ['rollout.halted', 'release.yanked'] });
  await addWebhook(server, { url: window.url, events: rolloutEvents, project: 'window' });
  await haltRollout(t, server);
  await all.received(4);
  await halts.received(2);
  await until(async () => (await server.parts.store.webhooks.pending()).size === 0);
  t.deepEqual(typesIn(all.log), rolloutEvents);
  t.deepEqual(typesIn(halts.log), ['release.yanked', 'rollout.halted']);
  t.deepEqual(window.log, []);
  for (const request of all.log) t.is(request.headers['webhook-signature'], expectedSignature(secret, request));
  t.is(new Set(all.log.map(({ headers }) => headers['webhook-id'])).size, 4);
  t.is(all.log[3]?.headers['webhook-id'], halts.log[1]?.headers['webhook-id'], 'an event has one ID for all webhooks');
  t.like(JSON.parse(all.log[3]?.body ?? ''), {
    data: { project: 'door', version: '2.0', channel: 'stable', state: 'halted', reason: 'yanked: it crashes' },
  });

  const { body } = await server.api('GET', `/webhooks/${id}/deliveries`);
  const deliveries = body['deliveries'] as {
    id: number;
    event: string;
    state: string;
    attempts: number;
    status: number;
  }[];
  t.deepEqual(
    deliveries.map(({ event, state, attempts, status }) => [event, state, attempts, status]),
    [...rolloutEvents].reverse().map((event) => [event, 'delivered', 1, 204]),
  );
  const again = await server.api('POST', `/webhooks/${id}/deliveries/${deliveries[0]?.id}/redeliver`);
  t.is(again.status, 201);
  await all.received(5);
  t.is(all.log[4]?.headers['webhook-id'], all.log[3]?.headers['webhook-id'], 'a redelivery has the same ID');
  t.is(all.log[4]?.body, all.log[3]?.body);
});

test('returns, logs and audits only the origin of a webhook, and its secret only once', async (t) => {
  const server = await startTestServer(t);
  const receiver = await startReceiver(t);
  receiver.answer = { status: 500 };
  const { id, secret } = await addWebhook(server, {
    url: `${receiver.url}?key=of-the-chat`,
    events: ['release.published'],
  });
  t.is((await server.publish(build)).status, 201);
  await receiver.received(1);
  await until(() => server.logged.some(({ message }) => message === 'Webhook not delivered; trying again'));
  t.is(receiver.log[0]?.path, '/hook/of-the-hall?key=of-the-chat');
  const shown = [JSON.stringify(server.logged)];
  for (const path of ['/webhooks', `/webhooks/${id}/deliveries`, '/audit']) {
    shown.push(JSON.stringify((await server.api('GET', path)).body));
  }
  const headers = { authorization: `Bearer ${server.token}` };
  for (const path of ['/api/v1/backup', '/metrics'])
    shown.push(await (await fetch(server.url + path, { headers })).text());
  t.true(shown[1]?.includes(new URL(receiver.url).origin));
  t.regex(shown[2] ?? '', /HTTP status 500/);
  for (const text of shown) {
    t.false(text.includes('of-the-hall') || text.includes('of-the-chat') || text.includes(secret), text.slice(0, 300));
  }
  t.is((await server.api('DELETE', `/webhooks/${id}`)).status, 200);
  t.is((await server.api('GET', `/webhooks/${id}/deliveries`)).status, 404);
  const { body } = await server.api('GET', '/audit');
  const actions = (body['entries'] as { action: string }[]).map(({ action }) => action);
  t.true(actions.includes('webhook.added') && actions.includes('webhook.removed'));
});

test('sends events of single devices to the webhooks that name them, without audit entries', async (t) => {
  const server = await startTestServer(t);
  const [devices, rollouts] = [await startReceiver(t), await startReceiver(t)];
  const events = ['device.updated', 'device.failed', 'device.blocked'];
  await addWebhook(server, { url: devices.url, events });
  await addWebhook(server, { url: rollouts.url, events: rolloutEvents });
  t.is((await server.publish(build)).status, 201);
  const check = (mac: string, words: object) => requestAsDevice(server.port, '/update/door', { mac, ...words });
  const [one, two] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
  await check(one, { version: '0.5', freeSpace: 4096 });
  await check(one, { version: '0.5', freeSpace: 4096 });
  for (let download = 0; download < 4; download++) {
    await check(two, {});
    await until(() => server.parts.downloads.active === 0);
  }
  await check(two, { sketchMd5: sketchMd5Of(build.manifest) });
  await devices.received(3);
  t.deepEqual(
    devices.log.map(({ body }) => {
      const { type, data } = JSON.parse(body);
      return [type, data.project, data.mac, data.version, data.how ?? data.rules];
    }),
    [
      ['device.blocked', 'door', one, '1.0', ['no-space']],
      ['device.failed', 'door', two, '1.0', 'not-installed'],
      ['device.updated', 'door', two, '1.0', undefined],
    ],
  );
  t.deepEqual(rollouts.log, []);
  const { body } = await server.api('GET', '/audit');
  const actions = (body['entries'] as { action: string }[]).map(({ action }) => action);
  t.false(
    actions.some((action) => action.startsWith('device.')),
    String(actions),
  );
});

test('rejects receivers that are not public, unless an administrator permits them, and URLs of other kinds', async (t) => {
  const server = await startTestServer(t);
  const add = (url: string, more: object = {}) =>
    server.api('POST', '/webhooks', { url, events: ['rollout.halted'], ...more });
  for (const host of [
    '127.0.0.1',
    'localhost',
    '10.1.2.3',
    '169.254.169.254',
    '[::1]',
    '[::ffff:192.168.0.1]',
    '0x7f.1',
  ]) {
    const { status, body } = await add(`http://${host}/hook`);
    t.is(status, 422, host);
    t.like(body, { error: { code: 'invalid' } });
    t.regex(JSON.stringify(body), /not a public address.*--allow-private/, host);
    t.is((await add(`http://${host}/hook`, { allowPrivate: true })).status, 201, host);
  }
  for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'example.com', 'javascript:alert(1)', '']) {
    t.is((await add(url, { allowPrivate: true })).status, 422, url);
  }
  t.is((await add('http://no-such-host.invalid/')).status, 422);
  t.is((await server.api('POST', '/webhooks', { url: 'http://127.0.0.1/', events: [] })).status, 422);
  t.is((await server.api('POST', '/webhooks', { url: 'http://127.0.0.1/', events: ['device.seen'] })).status, 422);
});
