import test from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

test('a second person approves a promotion and a rollout in the browser', async (t) => {
  const { parts, browser, browserOf, tokenOf } = await testDashboard(t);
  const { store, catalog } = parts;
  for (const [index, version] of ['1.0', '2.0'].entries()) {
    const { manifest } = await testBuild({ version, project: 'door', seed: index + 1 });
    await store.catalog.publish({
      release: { project: 'door', version, kind: 'sketch', board: '', purpose: 'serve', publishedAt: 1, manifest },
      ...{ channel: undefined, isTrusted: true, project: undefined, audit: () => [auditBy('test')] },
    });
  }
  await catalog.update();
  await saveDevice(parts, { ...newRecord('door', '18:FE:34:00:00:01'), enrolled: true });
  const admin = await browserOf('admin');
  const settings = '/projects/door/settings';
  const fields = { access: 'open', confirmWithin: '60', mostSends: '3', stalledAfter: '24', approval: 'yes' };
  t.is((await admin.send(settings, settings, fields)).status, 303);

  const [one, two] = [await tokenOf('operate'), await tokenOf('operate')];
  const [first, second] = [browser(), browser()];
  await first.post('/login', { token: one.token });
  await second.post('/login', { token: two.token });
  const release = '/projects/door/release?version=1.0';
  t.regex((await first.get(release)).text, /Devices that would get it: stable 1\./);
  const promoted = await first.send(release, '/projects/door/releases/promote', { channel: 'stable' });
  t.is(promoted.headers.get('location'), '/projects/door/approvals?done=requested');
  t.deepEqual(await store.catalog.currentReleases('door'), []);
  const own = (await first.get('/projects/door/approvals?done=requested')).text;
  t.regex(own, /Approval requested\. Another person must approve the change/);
  t.regex(own, /another person must approve it/);
  t.notRegex(own, /\/approve"/);
  const id = catalog.view('door')?.project.approvals?.[0]?.id ?? '';
  const form = /name="form" value="([^"]+)"/.exec(own)?.[1] ?? '';
  t.is((await first.post(`/projects/door/approvals/${id}/approve`, { form })).status, 403);
  t.regex((await second.get('/')).text, /href="\/projects\/door\/approvals">1 change waiting for approval/);
  const approve = (each: string) => second.send('/projects/door/approvals', `/projects/door/approvals/${each}/approve`);
  t.is((await approve(id)).status, 303);
  t.like((await store.catalog.currentReleases('door'))[0], { channel: 'stable', release: { version: '1.0' } });
  const promotion = (await store.audit.list({ limit: 1, action: 'release.promoted' }))[0];
  t.like(promotion, { actor: one.id, detail: { approvedBy: two.id } });

  const wizard = '/projects/door/rollouts/new?check=yes&version=2.0&channel=stable&stages=100';
  t.regex((await first.get(wizard)).text, />Request approval</);
  const started = await first.send(wizard, '/projects/door/rollouts');
  t.is(started.headers.get('location'), '/projects/door/approvals?done=requested');
  const next = catalog.view('door')?.project.approvals?.[0]?.id ?? '';
  t.is((await approve(next)).headers.get('location'), '/projects/door/rollouts/1');
  const page = (await second.get('/projects/door/rollouts/1')).text;
  t.regex(page, /started.*somebody who may operate.*approved.*somebody who may operate/s);
  t.like((await store.audit.list({ limit: 1, action: 'rollout.started' }))[0], {
    ...{ actor: one.id, detail: { approvedBy: two.id } },
  });

  // A rollout is in progress on the channel now.
  const late = await first.send(release, '/projects/door/releases/promote', { channel: 'stable' });
  t.is(late.status, 409);
  t.regex(late.text, /rollout of 2\.0 is active/);
});
