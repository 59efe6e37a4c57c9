/** Changes to devices on the dashboard, in a browser without JavaScript. */
import test from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt, DeviceRecord } from '../../../src/server/storage/records.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { saveDevice } from '../save-device.ts';
import { type Dashboard, testDashboard } from './browsing.ts';

const list = '/projects/door/devices';
const macOf = (index: number) => `18:FE:34:00:00:${index.toString(16).padStart(2, '0').toUpperCase()}`;

const failed: Attempt = {
  ...{ releaseId: 7, version: '2.0', kind: 'sketch', state: 'failed', failure: 'not-installed' },
  ...{ sends: 3, receipts: 3, interruptions: 0, lastSentAt: 1, dueMs: 1, sentMs: 1 },
};

async function addDevices({ parts }: Dashboard, count: number, more: (index: number) => Partial<DeviceRecord>) {
  for (let index = 0; index < count; index++) {
    await saveDevice(parts, { ...newRecord('door', macOf(index)), enrolled: true, ...more(index) });
  }
}

async function logInAs(dashboard: Dashboard) {
  const { id, token } = await dashboard.tokenOf('operate');
  const user = dashboard.browser();
  await user.post('/login', { token });
  return { id, user };
}

const fieldIn = (name: string, text: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(text)?.[1] ?? '';
const formIn = (text: string) => fieldIn('form', text);
const devicesIn = (text: string) => fieldIn('devices', text);

test('changes all devices that match a filter, only after a page has shown their number', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  await addDevices(dashboard, 12, (index) => ({ name: index < 5 ? `hall ${index}` : `attic ${index}` }));
  const { id, user } = await logInAs(dashboard);
  const asked = { scope: 'all', action: 'group', value: 'upstairs' };
  const { text } = await user.send(`${list}?q=attic`, `${list}/bulk`, asked);
  t.regex(text, /<title>Set the group of 7 devices to upstairs\? · ota-hooks<\/title>/);
  t.is((await parts.records.find('door', macOf(5)))?.group, undefined, 'nothing is changed before the confirmation');

  const form = { form: formIn(text), 'view-q': 'attic', ...asked };
  // One device leaves the list, and another one takes its place.
  await saveDevice(parts, { ...newRecord('door', macOf(4)), name: 'attic 4' });
  await saveDevice(parts, { ...newRecord('door', macOf(5)), name: 'hall 5' });
  const wrong = await user.post(`${list}/bulk/confirm`, { ...form, devices: devicesIn(text) });
  t.regex(wrong.text, /no longer the same devices[\s\S]*: 7 devices<\/button>/);
  t.is((await parts.records.find('door', macOf(4)))?.group, undefined);

  const { status, headers } = await user.post(`${list}/bulk/confirm`, { ...form, devices: devicesIn(wrong.text) });
  t.is(status, 303);
  t.regex((await user.get(headers.get('location') ?? '')).text, /<title>7 devices changed · Devices of door/);
  const groups = await Promise.all(
    [5, 4, 11].map(async (index) => (await parts.records.find('door', macOf(index)))?.group),
  );
  t.deepEqual(groups, [undefined, 'upstairs', 'upstairs']);
  const entries = await parts.store.audit.list({ limit: 100, actors: [id], action: 'device.edited' });
  t.is(entries.length, 7);
});

test('changes the selected devices: enrolls, labels and removes them', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  await addDevices(dashboard, 4, (index) => ({ enrolled: false, labels: index === 1 ? ['old'] : undefined }));
  const { id, user } = await logInAs(dashboard);
  const act = async (action: string, value = '') => {
    const selected = { [`mac-${macOf(1)}`]: 'yes', [`mac-${macOf(2)}`]: 'yes', 'mac-18:FE:34:FF:FF:FF': 'yes' };
    const fields = { scope: 'selected', action, value, ...selected };
    const { text } = await user.send(list, `${list}/bulk`, fields);
    t.regex(text, /: 2 devices<\/button>/, action);
    return user.post(`${list}/bulk/confirm`, { form: formIn(text), devices: devicesIn(text), ...fields });
  };
  for (const [action, value] of [
    ['enroll'],
    ['add-label', 'indoor'],
    ['remove-label', 'old'],
    ['board', 'd1_mini'],
  ] as const) {
    t.is((await act(action, value)).status, 303, action);
  }
  t.like(await parts.records.find('door', macOf(1)), { enrolled: true, labels: ['indoor'], board: 'd1_mini' });
  t.like(await parts.records.find('door', macOf(2)), { enrolled: true, labels: ['indoor'] });
  t.like(await parts.records.find('door', macOf(3)), { enrolled: false });
  t.is((await user.send(list, `${list}/bulk`, { scope: 'selected', action: 'retry' })).status, 422, 'nothing selected');
  const wrong = (action: string, value: string) => user.send(list, `${list}/bulk`, { scope: 'all', action, value });
  t.is((await wrong('add-label', 'no spaces')).status, 422);
  t.is((await wrong('pin', '9.9')).status, 404, 'there is no such release');
  t.is((await act('remove')).status, 303);
  t.deepEqual(await parts.records.macs('door'), [macOf(0), macOf(3)]);
  const removed = await parts.store.audit.list({ limit: 10, action: 'device.removed' });
  t.deepEqual(
    removed.map(({ actor }) => actor),
    [id, id],
  );
});

test('adds no label to a device that has 16 labels already', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const labels = Array.from({ length: 16 }, (_, index) => `set-${index + 10}`);
  await addDevices(dashboard, 2, (index) => ({ labels: index === 0 ? labels : undefined }));
  const { user } = await logInAs(dashboard);
  const fields = { scope: 'all', action: 'add-label', value: 'indoor' };
  const { text } = await user.send(list, `${list}/bulk`, fields);
  const done = await user.post(`${list}/bulk/confirm`, { form: formIn(text), devices: devicesIn(text), ...fields });
  t.regex(done.headers.get('location') ?? '', /devices=1$/);
  t.deepEqual((await parts.records.find('door', macOf(0)))?.labels, labels);
});

test('shows what preflight decides for each device before a version is pinned', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  const { manifest } = await testBuild({ version: '1.0', project: 'door', board: 'd1_mini', compression: 'none' });
  const release = { project: 'door', version: '1.0', kind: 'sketch', board: 'd1_mini', purpose: 'serve' } as const;
  await parts.store.catalog.publish({
    release: { ...release, publishedAt: 1, manifest },
    ...{ channel: undefined, isTrusted: true, project: undefined, audit: () => [auditBy('test')] },
  });
  await parts.catalog.update();
  await addDevices(dashboard, 6, (index) => ({ board: index < 2 ? 'd1_mini' : 'esp01' }));
  const { user } = await logInAs(dashboard);
  const { text } = await user.send(list, `${list}/bulk`, { scope: 'all', action: 'pin', value: '1.0' });
  t.regex(text, /Pin 6 devices to 1\.0\?/);
  const rows = [...text.matchAll(/<th scope="row">([^<]*)<\/th><td[^>]*>(\d+)<\/td>/g)].map(([, what, count]) => [
    what,
    count,
  ]);
  t.is(
    rows.reduce((sum, [, count]) => sum + Number(count), 0),
    6,
    JSON.stringify(rows),
  );
  t.true(
    rows.some(([, count]) => count === '4'),
    'the devices with another board are counted apart',
  );
  t.is((await parts.records.find('door', macOf(0)))?.pin, undefined);
});

test('retries 100 devices outside of a rollout, and further ones only if few of these fail again', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  await addDevices(dashboard, 130, () => ({ attempts: [failed] }));
  const { user } = await logInAs(dashboard);
  const retryAll = async () => {
    const fields = { scope: 'all', action: 'retry' };
    const { text } = await user.send(list, `${list}/bulk`, fields);
    return user.post(`${list}/bulk/confirm`, { form: formIn(text), devices: devicesIn(text), ...fields });
  };
  const waiting = async () => {
    const found = await parts.records.list('door', { limit: 1000 });
    return found.filter(({ record }) => record.attempts.some(({ state }) => state === 'failed')).length;
  };
  const first = await retryAll();
  t.regex(first.headers.get('location') ?? '', /devices=100&waiting=30$/);
  t.is(await waiting(), 30);
  // The retried devices finish: most of them are up to date, but some fail again.
  const decided = { sketch: { action: 'up-to-date', code: 'up-to-date', text: 'Runs 2.0.', at: 1 } } as const;
  for (let index = 0; index < 100; index++) {
    const result = index < 9 ? { attempts: [failed] } : {};
    await saveDevice(parts, { ...newRecord('door', macOf(index)), enrolled: true, decisions: decided, ...result });
  }
  t.regex((await retryAll()).headers.get('location') ?? '', /devices=39$/);
  t.is(await waiting(), 0);
  for (let index = 0; index < 40; index++) {
    await saveDevice(parts, { ...newRecord('door', macOf(index + 90)), enrolled: true, attempts: [failed] });
  }
  const refused = await retryAll();
  t.is(refused.status, 409);
  t.regex(refused.text, /of the \d+ devices that were retried last have failed again/);
  t.is(await waiting(), 40);
});

test('edits and removes a device on its page, and writes who did it to the audit log', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  // The release of the pin was yanked.
  await addDevices(dashboard, 1, () => ({ name: 'hall', pin: '1.0', allow: ['fs-moved'] }));
  const { id, user } = await logInAs(dashboard);
  const page = `${list}/${encodeURIComponent(macOf(0))}`;
  const fields = {
    name: 'front door',
    group: 'hall',
    labels: 'indoor, battery',
    board: 'd1_mini',
    channel: '',
    pin: '1.0',
  };
  const saved = await user.send(page, `${page}/save`, fields);
  t.is(saved.status, 303, saved.text);
  t.like(await parts.records.find('door', macOf(0)), {
    ...{ name: 'front door', group: 'hall', labels: ['battery', 'indoor'], board: 'd1_mini', enrolled: true },
    ...{ channel: undefined, allow: ['fs-moved'], pin: '1.0' },
  });
  const { text } = await user.get(saved.headers.get('location') ?? '');
  t.regex(text, /<title>Settings saved · front door: unknown · ota-hooks<\/title>/);
  t.regex(text, /Timeline[\s\S]*device\.edited by somebody who may operate <code>/);
  t.is((await user.send(page, `${page}/save`, { ...fields, name: 'x'.repeat(500) })).status, 422);
  t.is((await user.send(page, `${page}/save`, { ...fields, pin: '9.9' })).status, 404);
  t.is((await parts.records.find('door', macOf(0)))?.name, 'front door');
  t.is((await user.send(page, `${page}/remove`)).status, 303);
  t.is(await parts.records.find('door', macOf(0)), undefined);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'device.removed' });
});

test('keeps the settings that another person changes while a device is edited', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  await addDevices(dashboard, 1, () => ({ name: 'hall', labels: ['a', 'b'], enrolled: true }));
  const { user } = await logInAs(dashboard);
  const mac = macOf(0);
  const page = `${list}/${encodeURIComponent(mac)}`;
  const { text } = await user.get(page);
  const shown = {
    form: formIn(text),
    before: /name="before" value="([^"]*)"/.exec(text)?.[1]?.replaceAll('&quot;', '"'),
  };
  const fields = { ...shown, before: shown.before ?? '', name: 'hall', labels: 'a b', enrolled: 'yes' };
  const save = (changed: Readonly<Record<string, string>>) => user.post(`${page}/save`, { ...fields, ...changed });
  const change = (as: object) => parts.records.change('door', mac, (record) => record && { ...record, ...as });
  await change({ pin: '1.0', group: 'attic', enrolled: false });
  t.is((await save({ name: 'front door' })).status, 303);
  t.like(await parts.records.find('door', mac), { name: 'front door', pin: '1.0', group: 'attic', enrolled: false });
  const conflict = await save({ name: 'back door', group: 'cellar' });
  t.is(conflict.status, 409);
  t.regex(conflict.text, /The field name was changed by another person and is front door now/);
  t.like(await parts.records.find('door', mac), { name: 'front door', group: 'attic' });
  t.is((await save({ group: 'attic' })).status, 303, 'both made the same change');
  t.is((await save({ before: '{}' })).status, 422);
});

test('rejects changes to devices from a reader, from a different session, and from a different site', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts, browserOf } = dashboard;
  await addDevices(dashboard, 1, () => ({ name: 'hall', attempts: [failed] }));
  const before = await parts.records.find('door', macOf(0));
  const reader = await browserOf('read');
  const other = await browserOf('operate');
  const { user } = await logInAs(dashboard);
  const page = `${list}/${encodeURIComponent(macOf(0))}`;
  const readersForm = formIn((await reader.get(list)).text);
  t.notRegex((await reader.get(list)).text, /type="checkbox" name="mac-|\/bulk"/);
  t.notRegex((await reader.get(page)).text, /\/save"|\/remove"/);
  const ownForm = formIn((await user.get(list)).text);
  const fields = { scope: 'all', action: 'remove', devices: '1', name: 'changed' };
  for (const path of [`${list}/bulk`, `${list}/bulk/confirm`, `${page}/save`, `${page}/remove`, `${page}/retry`]) {
    t.is((await reader.post(path, { form: readersForm, ...fields })).status, 403, `${path} as a reader`);
    t.is((await other.post(path, { form: ownForm, ...fields })).status, 403, `${path} with a form of another session`);
    const foreign = { origin: 'https://evil.example' };
    t.is((await user.post(path, { form: ownForm, ...fields }, foreign)).status, 403, `${path} from another site`);
  }
  t.deepEqual(await parts.records.find('door', macOf(0)), before);
});
