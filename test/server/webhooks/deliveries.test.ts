/** Delivery of queued events: waits, receivers that fail, and processes that end. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import type { WebhookFormat } from '../../../src/api/webhooks.ts';
import { openData } from '../../../src/server/compose.ts';
import { Outage } from '../../../src/server/services/outage.ts';
import { Deliveries } from '../../../src/server/services/webhooks/deliveries.ts';
import { isPublicAddress } from '../../../src/server/services/webhooks/public-address.ts';
import type { DeliveryRecord } from '../../../src/server/storage/records.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { type Receiver, startReceiver, typesIn } from './receiver.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Queue {
  readonly store: Store;
  readonly deliveries: Deliveries;
  readonly stopping: AbortController;
  /** Milliseconds since 1970. */
  now: number;
  /** Sends all events that are due, and waits for the receivers. */
  run(): Promise<void>;
  /** Queues an event for all webhooks. */
  queue(event?: string, detail?: object): Promise<void>;
  add(url: string, options?: { allowPrivate?: boolean; format?: WebhookFormat }): Promise<number>;
  logOf(webhook: number): Promise<readonly DeliveryRecord[]>;
}

async function openQueue(t: ExecutionContext, attemptMs?: number): Promise<Queue> {
  const { store } = await openData({ data: (await testFolder(t)).at('data') }, 'a test');
  t.teardown(() => store.close());
  const stopping = new AbortController();
  const deliveries = new Deliveries({
    store,
    log: silent,
    outage: new Outage(silent),
    now: () => queue.now,
    attemptMs,
  });
  const queue: Queue = {
    store,
    deliveries,
    stopping,
    now: 1_000_000,
    async run() {
      await deliveries.start(stopping.signal);
      await deliveries.idle();
    },
    async queue(action = 'rollout.halted', detail = {}) {
      const facts = { version: '2.0', channel: 'stable', reason: 'it <crashes> & burns', ...detail };
      await store.audit.add({ at: queue.now, actor: 'server', action, project: 'door', detail: facts });
    },
    async add(url, { allowPrivate = true, format = 'standard' } = {}) {
      const events = [
        'rollout.halted',
        'rollout.resumed',
        'release.yanked',
        'approval.requested',
        'approval.granted',
        'device.failed',
        'device.blocked',
      ] as const;
      const webhook = { url, secret: 'whsec_AAAA', events, format, allowPrivate, createdAt: 1 };
      return (await store.webhooks.add(webhook, 9, () => auditBy('tester')))?.id ?? 0;
    },
    logOf: (webhook) => store.webhooks.deliveries(webhook, { limit: 99 }),
  };
  return queue;
}

test('repeats a failed delivery with growing waits, keeps the order, and continues when the receiver recovers', async (t) => {
  const queue = await openQueue(t);
  const receiver = await startReceiver(t);
  const id = await queue.add(receiver.url);
  receiver.answer = { status: 500 };
  await queue.queue('rollout.halted');
  await queue.queue('rollout.resumed');
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 12; attempt++) {
    await queue.run();
    t.is(receiver.log.length, attempt);
    const nextAt = (await queue.store.webhooks.nextOf(id))?.nextAt ?? 0;
    waits.push(nextAt - queue.now);
    queue.now = nextAt - 1;
    await queue.run();
    t.is(receiver.log.length, attempt, 'nothing is sent before the wait has ended');
    queue.now = nextAt;
  }
  const seconds = waits.map((ms) => ms / 1000);
  t.deepEqual(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
  t.deepEqual([...new Set(typesIn(receiver.log))], ['rollout.halted'], 'the second event waits for the first');
  receiver.answer = { status: 200 };
  await queue.run();
  t.deepEqual(typesIn(receiver.log).slice(-2), ['rollout.halted', 'rollout.resumed']);
  const log = await queue.logOf(id);
  t.deepEqual(
    log.map(({ event, state, attempts }) => [event, state, attempts]),
    [
      ['rollout.resumed', 'delivered', 1],
      ['rollout.halted', 'delivered', 13],
    ],
  );
  t.is(new Set(receiver.log.slice(0, 13).map(({ headers }) => headers['webhook-id'])).size, 1);
});

test('gives an event up after three days, and then sends the later events', async (t) => {
  const queue = await openQueue(t);
  const receiver = await startReceiver(t);
  const id = await queue.add(receiver.url);
  receiver.answer = { status: 410 };
  await queue.queue('rollout.halted');
  queue.now += 3 * dayMs - 1;
  await queue.run();
  await queue.queue('rollout.resumed');
  t.is((await queue.store.webhooks.nextOf(id))?.event, 'rollout.halted');
  queue.now += dayMs;
  await queue.run();
  t.deepEqual(typesIn(receiver.log), ['rollout.halted', 'rollout.halted', 'rollout.resumed']);
  t.deepEqual(
    (await queue.logOf(id)).map(({ event, state, error }) => [event, state, error]),
    [
      ['rollout.resumed', 'pending', 'HTTP status 410'],
      ['rollout.halted', 'failed', 'HTTP status 410'],
    ],
  );
});

test('a receiver that does not respond does not delay other receivers', async (t) => {
  const queue = await openQueue(t);
  const [hanging, working] = [await startReceiver(t), await startReceiver(t)];
  const ids = [await queue.add(hanging.url), await queue.add(working.url)];
  hanging.answer = 'hang';
  for (let count = 0; count < 3; count++) await queue.queue();
  await queue.deliveries.start(queue.stopping.signal);
  await hanging.received(1);
  await working.received(3);
  await queue.deliveries.start(queue.stopping.signal);
  t.is(hanging.log.length, 1, 'one request at a time');
  queue.stopping.abort();
  await queue.deliveries.idle();
  t.deepEqual(
    (await queue.logOf(ids[0] ?? 0)).map(({ state, attempts }) => [state, attempts]),
    Array(3).fill(['pending', 0]),
    'an attempt that the server itself ended is repeated by the next process',
  );
});

test('ends an attempt at the time limit', async (t) => {
  const queue = await openQueue(t, 1);
  const receiver = await startReceiver(t);
  receiver.answer = 'hang';
  const id = await queue.add(receiver.url);
  await queue.queue();
  await queue.run();
  t.like((await queue.logOf(id))[0], { state: 'pending', attempts: 1, error: 'no response within 0.001 seconds' });
});

test('reads at most 64 KB of a response, and one more read of the socket', async (t) => {
  const queue = await openQueue(t);
  const receiver = await startReceiver(t);
  receiver.answer = 'endless';
  const requests: ClientRequest[] = [];
  const note = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    if (receiver.url.includes(request.getHeader('host') as string)) requests.push(request);
  };
  subscribe('http.client.request.start', note);
  t.teardown(() => unsubscribe('http.client.request.start', note));
  const id = await queue.add(receiver.url);
  await queue.queue();
  await queue.run();
  t.like((await queue.logOf(id))[0], { state: 'delivered', status: 200 });
  const [socket] = requests.map((request) => request.socket);
  t.true(socket?.destroyed);
  const read = socket?.bytesRead ?? 0;
  // The stream reads ahead by its buffer of 16 KB, and each read of a socket returns at most 64 KB.
  t.true(read > 64 * 1024 && read <= 3 * 64 * 1024, String(read));
});

const outages: Readonly<Record<string, Receiver['answer']>> = {
  'responds with 500': { status: 500 },
  redirects: { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
  'does not respond': 'hang',
};

for (const [what, answer] of Object.entries(outages)) {
  test(`delivers the events in order to a receiver that ${what} for a day`, async (t) => {
    const queue = await openQueue(t, answer === 'hang' ? 1 : undefined);
    const receiver = await startReceiver(t);
    receiver.answer = answer;
    const id = await queue.add(receiver.url);
    const start = queue.now;
    await queue.queue('rollout.halted');
    let attempts = 0;
    while (queue.now < start + dayMs) {
      await queue.run();
      attempts++;
      if (attempts === 3) await queue.queue('rollout.resumed');
      queue.now = (await queue.store.webhooks.nextOf(id))?.nextAt ?? Number.POSITIVE_INFINITY;
    }
    // Waits of 5 s, 10 s and so on until 2,560 s, and then of an hour each.
    t.is(attempts, 10 + 23);
    t.deepEqual([...(await queue.store.webhooks.pending())], [[id, { events: 2, since: start }]]);
    receiver.answer = { status: 204 };
    // Another process leads, with the usual time limit.
    const next = new Deliveries({ store: queue.store, log: silent, outage: new Outage(silent), now: () => queue.now });
    await next.start(queue.stopping.signal);
    await next.idle();
    t.deepEqual(typesIn(receiver.log).slice(-2), ['rollout.halted', 'rollout.resumed']);
    const states = (await queue.logOf(id)).map(({ event, state }) => [event, state]);
    t.deepEqual(states, [
      ['rollout.resumed', 'delivered'],
      ['rollout.halted', 'delivered'],
    ]);
    t.deepEqual([...(await queue.store.webhooks.pending())], []);
  });
}

test('follows no redirects', async (t) => {
  const queue = await openQueue(t);
  const [receiver, target] = [await startReceiver(t), await startReceiver(t)];
  receiver.answer = { status: 307, headers: { location: target.url } };
  const id = await queue.add(receiver.url);
  await queue.queue();
  await queue.run();
  t.is(receiver.log.length, 1);
  t.deepEqual(target.log, []);
  t.like((await queue.logOf(id))[0], { state: 'pending', error: 'HTTP status 307: redirects are not followed' });
});

test('checks the address again for each delivery, and connects to the checked address', async (t) => {
  const queue = await openQueue(t);
  const receiver = await startReceiver(t);
  const { port } = new URL(receiver.url);
  const refused = await queue.add(`http://localhost:${port}/refused`, { allowPrivate: false });
  const permitted = await queue.add(`http://localhost:${port}/permitted`);
  await queue.queue();
  await queue.run();
  t.deepEqual(
    receiver.log.map(({ path }) => path),
    ['/permitted'],
  );
  t.is(receiver.log[0]?.headers.host, `localhost:${port}`);
  t.regex((await queue.logOf(refused))[0]?.error ?? '', /^localhost \(.*\) is not a public address; --allow-private/);
  t.is((await queue.logOf(permitted))[0]?.state, 'delivered');
});

test('recognizes addresses that are not public, in each notation', (t) => {
  const addresses = [
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
  ];
  const others = [
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    'fc00::1',
  ];
  const embedded = ['fd12::1', 'fe80::1', 'ff02::1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1'];
  for (const address of [...addresses, ...others, ...embedded]) t.false(isPublicAddress(address), address);
  for (const address of [
    '1.1.1.1',
    '172.32.0.1',
    '192.167.255.255',
    '2606:4700::1111',
    '2a00:1450::1',
    '::ffff:1.1.1.1',
  ]) {
    t.true(isPublicAddress(address), address);
  }
});

const formats: readonly (readonly [WebhookFormat, (receiver: Receiver) => unknown, unknown])[] = [
  [
    'ntfy',
    ({ log }) => [log[0]?.body, log[0]?.headers['title'], log[0]?.headers['priority']],
    ['Rollout of door 2.0 on stable HALTED: it <crashes> & burns', 'ota-hooks: rollout.halted', 'high'],
  ],
  [
    'slack',
    ({ log }) => JSON.parse(log[0]?.body ?? ''),
    { text: 'Rollout of door 2.0 on stable HALTED: it &lt;crashes&gt; &amp; burns' },
  ],
  [
    'discord',
    ({ log }) => JSON.parse(log[0]?.body ?? ''),
    { content: 'Rollout of door 2.0 on stable HALTED: it <crashes> & burns', allowed_mentions: { parse: [] } },
  ],
];

for (const [format, shown, expected] of formats) {
  test(`sends messages that ${format} accepts`, async (t) => {
    const queue = await openQueue(t);
    const receiver = await startReceiver(t);
    await queue.add(receiver.url, { format });
    await queue.queue();
    await queue.run();
    t.deepEqual(shown(receiver), expected);
    t.truthy(receiver.log[0]?.headers['webhook-signature']);
    await queue.queue('release.yanked', { version: undefined, releases: [{ version: '1.0' }, { version: '1.0' }] });
    await queue.run();
    t.regex(receiver.log[1]?.body ?? '', /door 1\.0 \(2 images\) on stable yanked/);
    await queue.queue('device.failed', { mac: '02:00:00:00:00:01', kind: 'sketch', how: 'not-confirmed' });
    await queue.queue('device.blocked', {
      mac: '02:00:00:00:00:01',
      kind: 'sketch',
      rules: ['no-space', 'flash-mode'],
    });
    await queue.run();
    t.regex(receiver.log[2]?.body ?? '', /door: 02:00:00:00:00:01 FAILED to install 2\.0 \(not-confirmed\)/);
    t.regex(receiver.log[3]?.body ?? '', /02:00:00:00:00:01 is blocked from installing 2\.0 \(no-space, flash-mode\)/);
    await queue.queue('approval.requested', { change: 'rollout', reason: undefined });
    await queue.queue('approval.granted', { change: 'promotion', reason: undefined });
    await queue.run();
    t.regex(receiver.log[4]?.body ?? '', /Rollout of door 2\.0 on stable waits for approval/);
    t.regex(receiver.log[5]?.body ?? '', /Promotion of door 2\.0 on stable approved/);
  });
}
