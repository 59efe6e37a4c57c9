/** Rollouts on the dashboard, in a browser without JavaScript. */
import test, { type ExecutionContext } from 'ava';
import type { Role } from '../../../src/api/release.ts';
import type { RolloutInfo } from '../../../src/api/rollout-info.ts';
import { makeApi } from '../../../src/server/http/api/app.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { startTestServer } from '../running-server.ts';
import { browserAt } from './browsing.ts';

const signer = testSigner();
const [old, young] = await Promise.all([
  testBuild({ version: '1.0', project: 'door', signer, seed: 1, sizeBytes: 8192 }),
  testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 8192 }),
]);

const macOf = (index: number) => `02:00:00:00:00:0${index}`;

/** Rollout of version 2.0 whose first stage is the canary `front-door`. */
async function rolledOut(t: ExecutionContext) {
  const server = await startTestServer(t);
  await server.publish(old);
  await server.publish(young, { draft: true });
  for (const index of [1, 2, 3]) {
    const name = index === 1 ? 'front-door' : `door-${index}`;
    await server.api('PUT', `/projects/door/devices/${macOf(index)}`, { enrolled: true, name });
  }
  const stages = [{ canaries: ['front-door'] }, { share: 100 }];
  const request = { version: '2.0', stages, gate: { soakMs: 0 }, halt: { failures: 1 } };
  const { id } = (await server.api('POST', '/projects/door/rollouts', request)).body as unknown as RolloutInfo;
  const app = makeApi(server.parts);
  const browserOf = async (role: Role) => {
    const { body } = await server.api('POST', '/tokens', { roles: [role], name: `somebody who may ${role}` });
    const browser = browserAt(app);
    t.is((await browser.post('/login', { token: String(body['token']) })).status, 303);
    return browser;
  };
  const checkIn = (index: number, runs = old) =>
    requestAsDevice(server.port, '/update/door', { mac: macOf(index), sketchMd5: sketchMd5Of(runs.manifest) });
  const state = async () => (await server.api('GET', `/projects/door/rollouts/${id}`)).body['state'];
  return { server, browserOf, checkIn, state, page: `/projects/door/rollouts/${id}` };
}

test('lists a rollout, and shows its stages, progress, gate and halt rules on the rollout page', async (t) => {
  const { server, browserOf, checkIn, page } = await rolledOut(t);
  const reader = await browserOf('read');
  const list = (await reader.get('/projects/door/rollouts')).text;
  t.true(list.includes(`href="${page}"`));
  t.regex(list, /2\.0 on stable/);

  await checkIn(1);
  await server.parts.rollouts.maintain();
  const { text } = await reader.get(page);
  t.regex(text, /1 of 2 stages open; waiting for 1 of 1 device to run 2\.0 \(0 so far\)/);
  t.regex(text, /Stage 1<\/strong> front-door/);
  t.regex(text, /1 updating/);
  t.regex(text, /2 pending/);
  t.regex(
    text,
    /The next stage opens when 90% of devices in the open stages run the release\. Devices that cannot take the release, and devices that run it without having downloaded it from this server, do not count\./,
  );
  t.regex(
    text,
    /The rollout halts when 1 device has failed, when 10% of at least 10 finished attempts have failed, or when/,
  );
  t.regex(
    text,
    /0 of <a[^>]*>3 devices<\/a> authenticate\. Anyone who knows the MAC of <a[^>]*>a device without credentials<\/a> can send/,
  );
  t.notRegex(text, /Reports without credentials/);
  t.regex(text, /<svg[^>]*role="img"/);
  t.notRegex(text, /<form[^>]*rollouts/, 'who may only read has no buttons');
  t.is((await reader.get('/projects/door/rollouts/77')).status, 404);
  t.is((await reader.get('/projects/door/rollouts/x')).status, 404);
});

test('changes a rollout when a publisher uses its buttons, and rejects a request from a reader', async (t) => {
  const { browserOf, state, page } = await rolledOut(t);
  const reader = await browserOf('read');
  t.is((await reader.post(`${page}/pause`, { form: 'made up' })).status, 403);
  t.is(await state(), 'active');

  const publisher = await browserOf('operate');
  t.is((await publisher.post(`${page}/pause`, {})).status, 403, 'a form of another page');
  for (const [action, after] of [
    ['pause', 'paused'],
    ['resume', 'active'],
    ['advance', 'active'],
    ['abort', 'aborted'],
  ] as const) {
    t.is((await publisher.send(page, `${page}/${action}`, { reason: 'to see' })).status, 303, action);
    t.is(await state(), after);
  }
  const { text } = await publisher.get(page);
  t.regex(text, /No further devices are updated\. Devices already updated keep this version\. Reason: to see/);
  t.regex(text, /3 not updated/);
  t.notRegex(text, new RegExp(`action="${page}/(pause|resume|advance|abort)"`));
  t.true(text.includes(`action="${page}/rollback"`));
});

test('shows why a rollout halted, and resumes the rollout only when its failures are accepted', async (t) => {
  const { browserOf, checkIn, state, page } = await rolledOut(t);
  for (let checkIns = 0; checkIns < 4; checkIns++) await checkIn(1);
  t.is(await state(), 'halted');
  const publisher = await browserOf('operate');
  const { text } = await publisher.get(page);
  t.regex(text, /No further devices are updated\. Reason: 1 device failed to update to 2\.0 \(limit: 1\)/);
  t.regex(text, /1 failed/);
  const refused = await publisher.send(page, `${page}/resume`);
  t.is(refused.status, 409);
  t.regex(refused.text, /Check the failed devices/);
  t.is((await publisher.send(page, `${page}/resume`, { acceptFailures: 'yes' })).status, 303);
  t.is(await state(), 'active');
});

test('shows devices that run the release without having downloaded it, and the source of their reports', async (t) => {
  const { browserOf, checkIn, page } = await rolledOut(t);
  await checkIn(1, young);
  const reader = await browserOf('read');
  const { text } = await reader.get(page);
  t.regex(text, /1 running it, not downloaded here/);
  t.regex(text, /waiting for a device in the open stages to download 2\.0 \(1 run it, not downloaded here\)/);
  t.regex(text, /Reports without credentials.*?>1<\/a>, all from 127\.0\.0\.1/s);
  t.regex((await reader.get(`/projects/door/devices/${macOf(1)}`)).text, /running it, not downloaded here/);
});

test('links every count of a rollout to the devices that it counts, with their reasons', async (t) => {
  const { server, browserOf, checkIn, page } = await rolledOut(t);
  await checkIn(1);
  const reader = await browserOf('read');
  const linksOf = (text: string) =>
    [...text.matchAll(/href="(\/projects\/door\/devices\?rollout=[^"]+)"[^>]*>([^<]+)</g)].map(
      ([, path = '', label = '']) => [path.replaceAll('&amp;', '&'), label] as const,
    );
  const { text } = await reader.get(page);
  const links = linksOf(text);
  t.deepEqual(
    links.map(([, label]) => label),
    [
      '1 updating',
      '2 pending',
      'Devices in the open stages that are not updated',
      '1 device',
      '1 updating',
      '2 devices',
      '2 pending',
      '3 devices',
      'a device without credentials',
    ],
  );
  for (const [path, label] of links) {
    const listed = (await reader.get(path)).text;
    const count = Number.parseInt(label, 10) || (label.startsWith('a device') ? 3 : 1);
    t.is([...listed.matchAll(/<th scope="row">/g)].length, count, path);
    t.regex(listed, new RegExp(`Rollout of 2\\.0 on stable</a>: .*${count} devices?</p>`));
  }
  const pending = (await reader.get('/projects/door/devices?rollout=1&stage=2&progress=pending')).text;
  t.regex(pending, /pending<\/span> <span class="quiet">stage 2<\/span><span class="reason">Stage 2 is not open yet\./);
  const narrowed = await reader.get('/projects/door/devices?rollout=1&progress=pending&q=door-3');
  t.is([...narrowed.text.matchAll(/<th scope="row">/g)].length, 1);
  t.regex(narrowed.text, /<input type="hidden" name="rollout" value="1"/);
  t.regex(narrowed.text, /<input type="hidden" name="progress" value="pending"/);
  t.true(linksOf((await reader.get('/projects/door/rollouts')).text).some(([, label]) => label === '2 pending'));

  await server.api('POST', '/projects/door/rollouts/1/abort', {});
  t.true(linksOf((await reader.get(page)).text).some(([, label]) => label === '2 not updated'));
  t.regex((await reader.get(links[0]?.[0] ?? '')).text, /The rollout has ended/);
  t.is((await reader.get('/projects/door/devices?rollout=x&stage=y')).status, 200);
});

test('marks a halted rollout in the page title and the tabs, and explains it on the overview', async (t) => {
  const { server, browserOf, checkIn, state, page } = await rolledOut(t);
  const reader = await browserOf('read');
  const overview = async () => (await reader.get('/')).text;
  t.regex(await overview(), /<title>Projects · ota-hooks<\/title>/);
  t.notRegex(await overview(), /class="problem"/);
  for (let checkIns = 0; checkIns < 4; checkIns++) await checkIn(1);
  t.is(await state(), 'halted');
  t.regex(await overview(), /<title>\(!\) 1 rollout halted · Projects · ota-hooks<\/title>/);
  t.regex(
    await overview(),
    new RegExp(`<a href="${page}">Rollout of door 2\\.0 on stable</a> <strong>halted</strong>: 1 device failed`),
  );
  const devices = (await reader.get('/projects/door/devices')).text;
  t.regex(devices, /<title>\(!\) 1 rollout halted · /);
  t.regex(devices, /Rollouts<span class="mark" title="1 rollout halted">/);
  const { body } = await server.api('POST', '/tokens', { roles: ['read'], project: 'window' });
  const stranger = browserAt(makeApi(server.parts));
  await stranger.post('/login', { token: String(body['token']) });
  t.notRegex((await stranger.get('/')).text, /door|halted/, 'a token for another project');
  await server.api('POST', '/projects/door/rollouts/1/abort', {});
  t.notRegex(await overview(), /class="problem"|\(!\)/);
});

test('shows a stalled rollout with its cause on the overview, the list and the rollout page', async (t) => {
  const { server, browserOf, page } = await rolledOut(t);
  const { store, clock, rollouts } = server.parts;
  await rollouts.maintain();
  while ((await store.rollouts.find('door', 1))?.progress === undefined) await rollouts.maintain();
  await store.advanceServedMs(2 * 86_400_000);
  await clock.update();
  await rollouts.maintain();
  const reader = await browserOf('read');
  const cause = 'waiting for 1 of 1 device to run 2\\.0 \\(0 so far\\); 1 pending, which never checked in';
  t.regex((await reader.get('/')).text, new RegExp(`<strong>stalled</strong>: ${cause}<`));
  t.regex((await reader.get('/')).text, /<title>\(!\) 1 rollout stalled · /);
  for (const path of [page, '/projects/door/rollouts']) {
    t.regex((await reader.get(path)).text, new RegExp(`<strong>Stalled</strong> since .*${cause}\\.<`), path);
  }
});
