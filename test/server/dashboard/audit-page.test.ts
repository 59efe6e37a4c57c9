/** The audit log on the dashboard, and as JSON lines for other systems. */
import test from 'ava';
import type { AuditInfo } from '../../../src/api/admin-info.ts';
import { apiRoot } from '../../../src/api/release.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { signingLogEntries } from '../../support/signing-log-entries.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

const minuteMs = 60_000;

async function auditedDashboard(t: Parameters<typeof testDashboard>[0]) {
  const dashboard = await testDashboard(t);
  const { parts, tokenOf } = dashboard;
  const { id, token } = await tokenOf('admin');
  const now = Date.now();
  const add = (at: number, action: string, project: string, detail: object = {}) =>
    parts.store.audit.add({ at, actor: id, action, project, detail: { ...detail } });
  await add(now - 3 * minuteMs, 'device.retried', 'door', { mac: '18:FE:34:00:00:01' });
  await add(now - 2 * minuteMs, 'rollout.aborted', 'door', { version: '2.0', reason: 'it <b>smokes</b>' });
  await add(now - minuteMs, 'device.removed', 'window', { mac: '18:FE:34:00:00:02' });
  return { ...dashboard, id, token, add, now };
}

const actionsIn = (text: string) => [...text.matchAll(/data-label="Action">([^<]+)</g)].map(([, action]) => action);

test('filters the audit log by who, action, project and date, with a link to older entries', async (t) => {
  const { parts, browserOf, add, id } = await auditedDashboard(t);
  const user = await browserOf('admin');
  const listed = async (query: string) => actionsIn((await user.get(`/audit?${query}`)).text);
  t.deepEqual(await listed(`who=${id}`), ['device.removed', 'rollout.aborted', 'device.retried']);
  t.deepEqual(await listed(`who=${id}&action=device`), ['device.removed', 'device.retried']);
  t.deepEqual(await listed('action=rollout.aborted'), ['rollout.aborted']);
  t.deepEqual(
    await listed('who=MAY+ADMIN&project=window&action=device'),
    ['device.removed'],
    'by the name of the token',
  );
  t.deepEqual(await listed('who=nobody'), []);
  t.deepEqual(await listed('action=device&since=2999-01-01'), []);
  const { text } = await user.get('/audit?action=rollout');
  t.regex(text, /somebody who may admin <code>/);
  t.regex(text, /reason: it &lt;b&gt;smokes&lt;\/b&gt;/);

  for (let count = 0; count < 120; count++) await add(1, 'device.edited', 'door', { count });
  const first = (await user.get('/audit?action=device.edited')).text;
  t.is(actionsIn(first).length, 100);
  const older = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
  t.is(actionsIn((await user.get(older)).text).length, 20);

  await saveDevice(parts, { ...newRecord('door', '18:FE:34:00:00:01'), enrolled: true });
  t.regex((await user.get('/')).text, /href="\/audit"/);
});

test('shows the numbers and files of recorded signatures', async (t) => {
  const { browserOf, add, now } = await auditedDashboard(t);
  const entries = signingLogEntries({ count: 2 });
  await add(now, 'signatures.recorded', 'door', { log: entries[0]?.log, entries });
  const { text } = await (await browserOf('admin')).get('/audit');
  t.regex(text, /entries: 1 door\.bin\.signed by ada@desk, 2 door\.bin\.signed by ada@desk/);
  t.notRegex(text, /previous/);
});

test('shows the audit log only to admins of all projects', async (t) => {
  const { browserOf, browser } = await auditedDashboard(t);
  for (const user of [await browserOf('read'), await browserOf('operate'), await browserOf('admin', 'door')]) {
    const { status, text } = await user.get('/audit');
    t.is(status, 403);
    t.notRegex(text, /smokes/);
    t.notRegex((await user.get('/')).text, /href="\/audit"/);
  }
  const { status, headers } = await browser().get('/audit?who=x');
  t.is(status, 303);
  t.is(headers.get('location'), '/login?next=%2Faudit%3Fwho%3Dx');
});

test('returns the audit log as JSON lines after a cursor, without entries that may still be reordered', async (t) => {
  const { app, token, add, now, id } = await auditedDashboard(t);
  const read = async (query: string, as = token) => {
    const response = await app.request(`${apiRoot}/audit/lines?${query}`, {
      headers: { authorization: `Bearer ${as}` },
    });
    const text = await response.text();
    return {
      response,
      lines: response.ok
        ? text
            .split('\n')
            .filter(Boolean)
            .map((line): AuditInfo => JSON.parse(line))
        : [],
    };
  };
  await add(now + minuteMs, 'device.edited', 'door');
  // Its time is earlier than that of the entry before. If a reader received it first, the reader would never receive the entry before.
  await add(now - minuteMs, 'device.enrolled', 'door');
  const { response, lines } = await read(`actor=${id}`);
  t.is(response.headers.get('content-type'), 'application/x-ndjson');
  t.deepEqual(
    lines.map(({ action }) => action),
    ['device.retried', 'rollout.aborted', 'device.removed'],
  );
  t.like(lines[1], { actor: id, actorName: 'somebody who may admin', project: 'door', detail: { version: '2.0' } });
  const seen: number[] = [];
  for (let after = 0; ; ) {
    const [next] = (await read(`after=${after}&limit=1&actor=${id}`)).lines;
    if (next === undefined) break;
    seen.push(next.id);
    after = next.id;
  }
  t.deepEqual(
    seen,
    lines.map(({ id: each }) => each),
  );
  const since = new Date(now - 2.5 * minuteMs).toISOString();
  t.is((await read(`actor=${id}&since=${since}&action=device`)).lines.length, 1);
  for (const wrong of ['after=x', 'limit=0', 'since=yesterday', 'action=%2A', 'project=A%20B', 'more=1']) {
    t.is((await read(wrong)).response.status, 422, wrong);
  }
  t.is((await read('', 'ota_wrong')).response.status, 401);
});
