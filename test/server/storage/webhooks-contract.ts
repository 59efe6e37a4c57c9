import type { WebhookRecord } from '../../../src/server/storage/records.ts';
import type { NewAuditEntry, Store } from '../../../src/server/storage/store.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { project, publication, rollout, type StoreTest } from './contract-records.ts';

/** Webhooks and their queue, in every store. */
export function webhooksContract(storeTest: StoreTest): void {
  storeTest(
    'queues an event for each webhook that receives it, with the change that causes it',
    async (t, { store }) => {
      const one = await add(store, { events: ['rollout.halted', 'release.published'] });
      const two = await add(store, { events: ['rollout.halted'], project: 'window' });
      await fill(store);
      const created = await store.rollouts.create(rollout(2, 1), () => auditOf('rollout.started'));
      if (created === undefined) throw new Error('no rollout');
      const halt = { audit: auditOf('rollout.halted', { reason: 'it crashes' }) };
      t.is(await store.rollouts.save({ ...created, revision: 9 }, halt), 'conflict');
      t.like(await store.rollouts.save({ ...created, state: 'halted' }, halt), { state: 'halted' });
      const queued = await store.webhooks.deliveries(one.id, { limit: 9 });
      t.deepEqual(
        queued.map(({ event, state, attempts }) => [event, state, attempts]),
        [
          ['rollout.halted', 'pending', 0],
          ['release.published', 'pending', 0],
          ['release.published', 'pending', 0],
        ],
        'a change that was not made causes no event',
      );
      t.like(JSON.parse(queued[0]?.payload ?? ''), {
        type: 'rollout.halted',
        data: { project: 'door', reason: 'it crashes' },
      });
      t.deepEqual(await store.webhooks.deliveries(two.id, { limit: 9 }), [], 'for another project');
      t.deepEqual([...(await store.webhooks.pending())], [[one.id, { events: 3, since: 1 }]]);
      t.is(new Set(queued.map(({ eventId }) => eventId)).size, 3);
    },
  );

  storeTest('returns the first pending delivery of each webhook when it is due', async (t, { store, peer }) => {
    const [one, two] = [await add(store, {}), await add(store, {})];
    for (const at of [10, 20]) await store.audit.add(auditOf('rollout.halted', {}, at));
    const due = async (at: number) => (await peer.webhooks.due(at)).map(({ webhook, at }) => [webhook, at]);
    t.deepEqual(await due(9), []);
    t.deepEqual(await due(10), [
      [one.id, 10],
      [two.id, 10],
    ]);
    const [first] = await store.webhooks.due(10);
    if (first === undefined) throw new Error('nothing is due');
    const failed = { ...first, attempts: 1, nextAt: 500, status: 500, error: 'HTTP status 500' };
    await store.webhooks.saveAttempt(failed);
    await peer.webhooks.saveAttempt({ ...failed, state: 'delivered' });
    t.deepEqual(await store.webhooks.nextOf(one.id), failed, 'the result of the same attempt is saved once');
    t.deepEqual(await due(499), [[two.id, 10]], 'the second event waits for the first');
    await store.webhooks.saveAttempt({ ...failed, attempts: 2, state: 'delivered' });
    t.deepEqual(await due(20), [
      [two.id, 10],
      [one.id, 20],
    ]);
    await store.webhooks.saveAttempt({ ...failed, attempts: 3, state: 'failed' });
    t.is((await store.webhooks.deliveries(one.id, { limit: 9 })).at(-1)?.state, 'delivered', 'it has ended');
  });

  storeTest(
    'queues an event again with its ID, and removes old deliveries but no pending ones',
    async (t, { store }) => {
      const { id } = await add(store, {});
      for (const at of [10, 20, 30]) await store.audit.add(auditOf('rollout.halted', {}, at));
      const end = async () => {
        const next = await store.webhooks.nextOf(id);
        if (next !== undefined) await store.webhooks.saveAttempt({ ...next, attempts: 1, state: 'delivered' });
        return next;
      };
      const [first] = [await end(), await end()];
      const again = await store.webhooks.redeliver(id, first?.id ?? 0, 40, auditBy('tester'));
      t.like(again, { eventId: first?.eventId, payload: first?.payload, state: 'pending', at: 40, nextAt: 40 });
      t.is(await store.webhooks.redeliver(id + 1, first?.id ?? 0, 40, auditBy('tester')), undefined);
      const times = async () => (await store.webhooks.deliveries(id, { limit: 9 })).map(({ at }) => at);
      await store.webhooks.removeOld({ before: 20, most: 9 });
      t.deepEqual(await times(), [40, 30, 20]);
      await store.webhooks.removeOld({ before: 0, most: 1 });
      t.deepEqual(await times(), [40, 30]);
      t.true(await store.webhooks.remove(id, auditBy('tester')));
      t.false(await store.webhooks.remove(id, auditBy('tester')));
      t.deepEqual(await times(), []);
    },
  );

  storeTest('queues at most 100 events of devices for a webhook within an hour', async (t, { store }) => {
    const [devices, rollouts] = [await add(store, { events: ['device.failed'] }), await add(store, {})];
    const hourMs = 3_600_000;
    for (let count = 0; count < 101; count++)
      await store.audit.add(auditOf('device.failed', { count }, hourMs + count));
    const queued = async () =>
      (await store.webhooks.deliveries(devices.id, { limit: 999 })).map(({ payload }) => payload);
    t.is((await queued()).length, 100);
    t.like(JSON.parse((await queued())[0] ?? ''), { data: { count: 99, limitReached: true } });
    t.is((await queued()).filter((payload) => payload.includes('limitReached')).length, 1);
    await store.audit.add(auditOf('device.failed', { count: 200 }, 2 * hourMs + 1));
    t.is((await queued()).length, 102 - 1, 'the first two are older than an hour');
    t.deepEqual(
      await store.webhooks.deliveries(rollouts.id, { limit: 9 }),
      [],
      'off unless the webhook names the event',
    );
  });

  storeTest('limits the number of webhooks, and keeps their URLs out of dumps', async (t, { store }) => {
    const added = await add(store, {});
    t.is(await store.webhooks.add({ ...added, url: 'http://b/' }, 1, () => auditBy('tester')), undefined);
    t.deepEqual(await store.webhooks.find(added.id), added);
    t.deepEqual(await store.webhooks.list(), [added]);
    await store.audit.add(auditOf('rollout.halted'));
    for await (const line of store.dump()) t.notRegex(JSON.stringify(line), /hooks\.example\.com|whsec_/);
  });
}

async function add(store: Store, fields: Partial<WebhookRecord>): Promise<WebhookRecord> {
  const webhook = {
    url: 'https://hooks.example.com/secret',
    secret: 'whsec_AAAA',
    events: ['rollout.halted'],
    project: undefined,
    format: 'standard',
    allowPrivate: false,
    createdAt: 1,
  } as const;
  const added = await store.webhooks.add({ ...webhook, ...fields }, 9, () => auditBy('tester'));
  if (added === undefined) throw new Error('too many webhooks');
  return added;
}

function auditOf(action: string, detail: Readonly<Record<string, unknown>> = {}, at = 1): NewAuditEntry {
  return { at, actor: 'tester', action, project: 'door', detail };
}

async function fill(store: Store): Promise<void> {
  const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
  await store.catalog.saveProject(project(), auditBy('tester'));
  await store.catalog.publish(publication(first.manifest, '1.0'));
  await store.catalog.publish(publication(second.manifest, '2.0', { channel: undefined }));
}
