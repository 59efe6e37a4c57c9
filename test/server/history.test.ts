/** Removal of old check-ins, addresses, attempts and audit entries. */
import test, { type ExecutionContext } from 'ava';
import { makeParts, openData } from '../../src/server/compose.ts';
import { makeApi } from '../../src/server/http/api/app.ts';
import { isForgotten, withoutOldHistory } from '../../src/server/services/devices/device-history.ts';
import { cleanedAtOnce, HistoryCleaner } from '../../src/server/services/history.ts';
import type { ProjectView } from '../../src/server/services/releases/project-view.ts';
import { newRecord } from '../../src/server/storage/device-record.ts';
import type { Attempt, DeviceRecord, ProjectRecord, RolloutRecord } from '../../src/server/storage/records.ts';
import { serverCommands } from '../support/server-commands.ts';
import { testFolder } from '../support/test-folder.ts';
import { until } from '../support/until.ts';
import { auditBy } from './audit-by.ts';
import { browserAt } from './dashboard/browsing.ts';
import { startTestServer } from './running-server.ts';
import { saveDevice } from './save-device.ts';
import { rollout as newRollout } from './storage/contract-records.ts';

const dayMs = 24 * 60 * 60_000;
const now = 1_000 * dayMs;
const ends = { checkInsMs: now - 30 * dayMs, attemptsMs: now - 365 * dayMs };
const address = '198.51.100.77';

function daysAgo(days: number): number {
  return now - days * dayMs;
}

function attempt(releaseId: number, days: number, changes: Partial<Attempt> = {}): Attempt {
  const counts = { sends: 1, receipts: 1, interruptions: 0, dueMs: 1, sentMs: 1 };
  const from = { address, at: daysAgo(days), authenticated: false };
  const facts = { releaseId, version: `${releaseId}.0`, kind: 'sketch', state: 'failed' } as const;
  return { ...facts, ...counts, lastSentAt: daysAgo(days), from, ...changes };
}

function enrolled(attempts: readonly Attempt[], changes: Partial<DeviceRecord> = {}): DeviceRecord {
  return { ...newRecord('door', '02:00:00:00:00:01'), enrolled: true, attempts, ...changes };
}

function viewWith(rollouts: readonly Partial<RolloutRecord>[], served: readonly number[] = []) {
  const current = served.map((id) => ({ id }));
  const channels = new Map([['stable', { current, intermediateReleases: [], rollout: undefined }]]);
  const all = rollouts.map((changes) => ({ ...newRollout(2, 1), id: 7, revision: 1, isCounted: true, ...changes }));
  // The cleaner reads only the IDs of the releases.
  return { channels, rollouts: all } as unknown as ProjectView;
}

function kept(record: DeviceRecord, view = viewWith([])): readonly string[] {
  const { attempts } = withoutOldHistory(record, view, ends);
  return attempts.map(({ releaseId, from }) => `${releaseId}${from?.address === undefined ? '' : ' with address'}`);
}

test('removes addresses after 30 days, and attempts after a year', (t) => {
  const record = enrolled([attempt(4, 29), attempt(3, 31), attempt(2, 364), attempt(1, 366)]);
  t.deepEqual(kept(record), ['4 with address', '3', '2']);
  t.deepEqual(withoutOldHistory(record, viewWith([]), ends).attempts[1]?.from, {
    at: daysAgo(31),
    authenticated: false,
  });
  const recent = enrolled([attempt(4, 29)]);
  t.is(withoutOldHistory(recent, viewWith([]), ends), recent, 'there is nothing to write');
});

test('removes the address of the first report of the running build', (t) => {
  const running = { by: 'md5', version: '2.0', releaseId: 2, sinceMs: 5 } as const;
  const shown = (at: number | undefined, view = viewWith([])) => {
    const record = enrolled([], { running: { ...running, from: { address, at, authenticated: true } } });
    return withoutOldHistory(record, view, ends).running?.from?.address;
  };
  t.is(shown(daysAgo(29)), address);
  t.is(shown(daysAgo(31)), undefined);
  t.is(shown(undefined), undefined, 'the time is not known');
  t.is(shown(daysAgo(31), viewWith([{}])), address, 'the rollout counts unproven reports by address');
  t.is(shown(daysAgo(31), viewWith([{ state: 'complete' }])), undefined);
});

test('keeps all data of a rollout in progress', (t) => {
  const record = enrolled([attempt(3, 400, { kind: 'filesystem' }), attempt(2, 500), attempt(1, 600)]);
  t.deepEqual(kept(record), ['3', '2'], 'the latest failure of a kind is the status of the device');
  for (const state of ['active', 'paused', 'halted'] as const) {
    t.deepEqual(kept(record, viewWith([{ state }])), ['3', '2 with address'], state);
  }
  for (const state of ['complete', 'aborted', 'rolled-back'] as const) {
    t.deepEqual(kept(record, viewWith([{ state }])), ['3', '2'], state);
  }
  t.deepEqual(kept(enrolled(record.attempts, { channel: 'beta' }), viewWith([{}])), ['3', '2'], 'not a member');
});

test('keeps the attempts from which the retry policy decides', (t) => {
  const old = [attempt(9, 1), attempt(2, 400), attempt(1, 500)];
  t.deepEqual(kept(enrolled(old)), ['9 with address']);
  t.deepEqual(kept(enrolled(old), viewWith([], [1])), ['9 with address', '1'], 'a channel serves the release');
  for (const state of ['sent', 'received', 'interrupted'] as const) {
    t.deepEqual(kept(enrolled([attempt(9, 1), attempt(2, 400, { state })])), ['9 with address', '2'], state);
  }
  const running = { by: 'md5', version: '2.0', releaseId: 2, sinceMs: 5 } as const;
  const ran = [attempt(9, 1), attempt(2, 400, { state: 'running' }), attempt(1, 500, { state: 'running' })];
  t.deepEqual(kept(enrolled(ran, { running })), ['9 with address', '2'], 'the device runs the release');
});

test('forgets devices that only old requests made known, unless a person changed their settings', (t) => {
  const seen = (days: number, record: Partial<DeviceRecord> = {}) =>
    isForgotten({ record: { ...newRecord('door', '02:00:00:00:00:01'), ...record }, lastSeenAt: daysAgo(days) }, ends);
  t.true(seen(31));
  t.false(seen(29));
  t.false(seen(31, { attempts: [attempt(1, 364)] }));
  t.true(seen(400, { attempts: [attempt(1, 366)] }));
  for (const set of [{ enrolled: true }, { name: 'hall' }, { group: 'hall' }, { pin: '1.0' }, { channel: 'beta' }]) {
    t.false(seen(31, set), JSON.stringify(set));
  }
  const unseen = newRecord('door', '02:00:00:00:00:01');
  t.false(isForgotten({ record: unseen }, ends), 'never seen');
  t.true(
    isForgotten({ record: { ...unseen, firstSeenAt: daysAgo(31) } }, ends),
    'its last check-in was removed before',
  );
});

function macOf(index: number): string {
  return `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`.toUpperCase();
}

const settings = { access: 'open', keys: [], aliases: [], confirmWithinMs: dayMs, mostSends: 3 } as const;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Parts of a server without maintenance, with devices that sent an update check at this time, and a cleaner whose work is counted. */
async function cleanedParts(t: ExecutionContext, devices: number, seenAt: number) {
  const data = await openData({ data: (await testFolder(t)).at('data') }, 'a test');
  t.teardown(() => data.store.close());
  const parts = await makeParts(data, { log: silent }, new AbortController().signal);
  t.teardown(() => parts.verifier.close());
  const { store, records } = parts;
  const saveProject = async (history?: ProjectRecord['history']) => {
    await store.catalog.saveProject({ ...settings, name: 'door', createdAt: 1, history }, auditBy('tester'));
    await parts.catalog.update();
  };
  await saveProject();
  for (let index = 0; index < devices; index++) {
    const attempts = [attempt(1, 0, { lastSentAt: seenAt })];
    await saveDevice(parts, { ...newRecord('door', macOf(index)), enrolled: true, attempts });
  }
  const touches = Array.from({ length: devices }, (_, index) => ({ project: 'door', mac: macOf(index), at: seenAt }));
  await store.devices.touch(touches.map((touch) => ({ ...touch, report: { version: '1.0' } })));
  const counts = { reads: 0, read: 0, changed: 0 };
  const cleaner = new HistoryCleaner({
    ...parts,
    records: {
      async list(...args) {
        const found = await records.list(...args);
        counts.reads++;
        counts.read += found.length;
        return found;
      },
      change(...args) {
        counts.changed++;
        return records.change(...args);
      },
      remove: (...args) => records.remove(...args),
    },
  });
  return { parts, saveProject, cleaner, counts };
}

test('cleans a batch of devices at each step, and starts once a day', async (t) => {
  const devices = 2 * cleanedAtOnce + 1;
  const { parts, cleaner, counts } = await cleanedParts(t, devices, daysAgo(31));
  const steps: object[] = [];
  for (let step = 0; step < 4; step++) {
    await cleaner.step(now + step);
    steps.push({ ...counts });
  }
  const [one, two] = [cleanedAtOnce, 2 * cleanedAtOnce];
  t.deepEqual(steps, [
    { reads: 1, read: one, changed: one },
    { reads: 2, read: two, changed: two },
    { reads: 3, read: devices, changed: devices },
    { reads: 3, read: devices, changed: devices },
  ]);
  for (const { record, lastSeenAt, report } of await parts.store.devices.list('door', { limit: 999 })) {
    t.deepEqual([lastSeenAt, report, record.attempts[0]?.from?.address], [undefined, undefined, undefined], record.mac);
  }
  await cleaner.step(now + dayMs);
  t.is(counts.reads, 3, 'a day after the end of the pass');
  await cleaner.step(now + dayMs + 10);
  t.deepEqual(counts, { reads: 4, read: devices + one, changed: devices });
});

test('changes nothing before the limits of the project', async (t) => {
  const { parts, saveProject, cleaner, counts } = await cleanedParts(t, 1, daysAgo(20));
  const lastSeenAt = async () => (await parts.store.devices.get('door', macOf(0)))?.lastSeenAt;
  await cleaner.step(now);
  t.is(counts.changed, 0);
  t.is(await lastSeenAt(), daysAgo(20));
  await saveProject({ checkInDays: undefined, attemptDays: 365, auditDays: undefined });
  await cleaner.step(now + 100 * dayMs);
  t.is(await lastSeenAt(), daysAgo(20), 'kept for ever');
  await saveProject({ checkInDays: 19, attemptDays: 365, auditDays: undefined });
  await cleaner.step(now + 201 * dayMs);
  t.is(counts.changed, 1);
  t.is(await lastSeenAt(), undefined);
});

test('the limits of a project are settings, which are checked', async (t) => {
  const server = await startTestServer(t);
  const set = async (history: object) => {
    const { status, body } = await server.api('PUT', '/projects/door', { history });
    return status === 200 ? body['history'] : status;
  };
  t.deepEqual(await set({}), { checkInDays: 30, attemptDays: 365, auditDays: null });
  t.deepEqual(await set({ checkInDays: null, auditDays: 9 }), { checkInDays: null, attemptDays: 365, auditDays: 9 });
  t.deepEqual(await set({ attemptDays: 2 }), { checkInDays: null, attemptDays: 2, auditDays: 9 });
  for (const history of [{ checkInDays: 0 }, { attemptDays: 1.5 }, { auditDays: 40_000 }, { webhooks: 1 }]) {
    t.is(await set(history), 422, JSON.stringify(history));
  }
});

test('removes the addresses of the audit log after 30 days, and entries only after the limit of their project', async (t) => {
  const { parts, saveProject, cleaner } = await cleanedParts(t, 0, now);
  const { store } = parts;
  const refused = { actor: 'server', action: 'access.refused', project: undefined, detail: { address, tokens: 3 } };
  const entry = { actor: 'tester', action: 'release.yanked', project: 'door', detail: {} };
  await store.audit.clean(
    [],
    (await store.audit.after(0, 99)).map(({ id }) => id),
  );
  for (const days of [400, 29]) {
    for (const each of [refused, entry]) await store.audit.add({ ...each, at: daysAgo(days) });
  }
  const entries = async () =>
    (await store.audit.list({ limit: 99 })).flatMap(({ action, at, detail }) =>
      action === 'test' ? [] : [`${action} ${(now - at) / dayMs} ${detail['address'] ?? ''}`.trim()],
    );
  await cleaner.step(now);
  const withoutOne = ['release.yanked 29', `access.refused 29 ${address}`, 'release.yanked 400', 'access.refused 400'];
  t.deepEqual(await entries(), withoutOne);
  await saveProject({ checkInDays: 30, attemptDays: 365, auditDays: 100 });
  await cleaner.step(now + 2 * dayMs);
  t.deepEqual(await entries(), ['release.yanked 29', 'access.refused 29', 'access.refused 400']);
});

test('the server removes old history while it runs', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.api('PUT', '/projects/door', {})).status, 200);
  await saveDevice(server.parts, { ...newRecord('door', macOf(1)), enrolled: true });
  const touch = { project: 'door', mac: macOf(1), at: Date.now() - 31 * dayMs, report: { version: '1.0' } };
  await server.parts.store.devices.touch([touch]);
  const next = await server.restart();
  await until(async () => (await next.parts.store.devices.get('door', macOf(1)))?.report === undefined);
  t.is((await next.parts.store.devices.get('door', macOf(1)))?.lastSeenAt, undefined);
  const { run } = serverCommands(next, next.folder);
  t.regex((await run('devices', 'list', 'door')).stdout, / never\n$/);
  const shown = await run('devices', 'show', 'door', macOf(1));
  t.regex(shown.stdout, /^last seen +never$/m);
});

test('a device whose last check-in was removed was last seen long ago, and not never', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.api('PUT', '/projects/door', {})).status, 200);
  const record = { ...newRecord('door', macOf(1)), enrolled: true, firstSeenAt: Date.now() - 40 * dayMs };
  await saveDevice(server.parts, record);
  await server.parts.store.devices.touch([{ project: 'door', mac: macOf(1), at: record.firstSeenAt, report: {} }]);
  const next = await server.restart();
  await until(async () => (await next.parts.store.devices.get('door', macOf(1)))?.report === undefined);
  const { run } = serverCommands(next, next.folder);
  t.regex((await run('devices', 'list', 'door')).stdout, / long ago\n$/);
  t.regex((await run('devices', 'show', 'door', macOf(1))).stdout, /^last seen +long ago$/m);
  const browser = browserAt(makeApi(next.parts));
  t.is((await browser.post('/login', { token: server.token })).status, 303);
  for (const path of ['/projects/door/devices', `/projects/door/devices/${encodeURIComponent(macOf(1))}`]) {
    const { text } = await browser.get(path);
    t.regex(text, />long ago</);
    t.notRegex(text, />never</);
  }
});
