import test from 'ava';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { Attempt } from '../../../src/server/storage/records.ts';
import { auditBy } from '../audit-by.ts';
import { sketchMd5Of, testBuild } from '../builds.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

const mac = '18:FE:34:00:00:01';
const failed: Attempt = {
  releaseId: 1,
  version: '1.0',
  kind: 'sketch',
  state: 'failed',
  failure: 'not-confirmed',
  sends: 1,
  receipts: 1,
  interruptions: 0,
  lastSentAt: 1,
  dueMs: 1,
  sentMs: 1,
};

test('forbids content from other origins on every dashboard page', async (t) => {
  const { browserOf, browser } = await testDashboard(t);
  const user = await browserOf('read');
  const responses = [await browser().get('/login'), await browser().get('/'), await user.get('/projects/nothing')];
  for (const page of ['/', '/projects/door/devices', '/projects/door/releases', '/projects/door/x']) {
    responses.push(await user.get(page));
  }
  for (const { headers, text } of responses) {
    t.is(
      headers.get('content-security-policy'),
      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    t.is(headers.get('x-content-type-options'), 'nosniff');
    t.is(headers.get('referrer-policy'), 'same-origin');
    t.is(headers.get('x-frame-options'), 'DENY');
    t.is(headers.get('cache-control'), 'no-store');
    const withoutSnippets = text.replace(/<pre[^>]*>[^<]*<code>[^<]*<\/code>\s*<\/pre>/g, '');
    t.notRegex(withoutSnippets, / style=|<style|<script>|javascript:| on\w+=|https?:\/\//);
  }
});

test('serves page assets with immutable caching', async (t) => {
  const { browser } = await testDashboard(t);
  const user = browser();
  const { text } = await user.get('/login');
  const paths = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
  t.is(paths.length, 2);
  for (const path of paths) {
    const { status, headers } = await user.get(path);
    t.is(status, 200);
    t.regex(headers.get('cache-control') ?? '', /immutable/);
  }
  t.is((await user.get('/assets/000000000000/style.css')).status, 404);
});

test('hides the retry button from a reader, and rejects the retry request', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  await saveDevice(parts, { ...newRecord('door', mac), attempts: [failed] });
  const retry = `/projects/door/devices/${encodeURIComponent(mac)}/retry`;
  const reader = await browserOf('read');
  const { text } = await reader.get(`/projects/door/devices/${mac}`);
  t.notRegex(text, /retry/);
  const form = /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '';
  t.is((await reader.post(retry, { form })).status, 403);
  t.is((await parts.records.find('door', mac))?.attempts[0]?.state, 'failed');
});

test('clears a failure when the retry button is used, and records the actor in the audit log', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  await saveDevice(parts, { ...newRecord('door', mac), attempts: [failed] });
  const page = `/projects/door/devices/${mac}`;
  const { id, token } = await tokenOf('operate');
  const publisher = browser();
  await publisher.post('/login', { token });
  const response = await publisher.send(page, `/projects/door/devices/${encodeURIComponent(mac)}/retry`);
  t.is(response.status, 303);
  t.deepEqual((await parts.records.find('door', mac))?.attempts, []);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'device.retried', detail: { mac } });
  t.true((await publisher.get(page)).text.includes(id));
});

test('rejects a form from a different origin or session, and a form without its token', async (t) => {
  const { parts, browserOf } = await testDashboard(t);
  await saveDevice(parts, { ...newRecord('door', mac), attempts: [failed] });
  const action = `/projects/door/devices/${encodeURIComponent(mac)}/retry`;
  const [mine, other] = [await browserOf('admin'), await browserOf('admin')];
  const wordOf = (text: string) => /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '';
  const form = wordOf((await mine.get('/')).text);
  const theirs = wordOf((await other.get('/')).text);
  t.not(form, theirs);
  t.is((await mine.post(action, {})).status, 403);
  t.is((await mine.post(action, { form: theirs })).status, 403);
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    {},
  ]) {
    t.is((await mine.post(action, { form }, headers)).status, 403, JSON.stringify(headers));
  }
  t.is((await parts.records.find('door', mac))?.attempts[0]?.state, 'failed');
  t.is((await mine.post(action, { form, more: 'x'.repeat(20_000) })).status, 413);
  t.is((await mine.post(action, { form }, { origin: 'http://localhost' })).status, 303);
});

test('rejects a login from a different origin', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { token } = await tokenOf('admin');
  const { status, headers } = await browser().post('/login', { token }, { origin: 'https://evil.example' });
  t.is(status, 403);
  t.is(headers.get('set-cookie'), null);
});

test('shows only the project of the token, and returns the same 404 for other and unknown projects', async (t) => {
  const { browserOf, parts } = await testDashboard(t);
  await saveDevice(parts, { ...newRecord('door', mac), enrolled: true });
  const user = await browserOf('admin', 'window');
  const overview = (await user.get('/')).text;
  t.regex(overview, /window/);
  t.notRegex(overview, /door/);
  t.is((await user.get('/projects/window/devices')).status, 200);
  const same = (text: string) => text.replaceAll('nothing', 'door');
  for (const rest of ['', '/devices', `/devices/${mac}`, '/releases']) {
    const [theirs, none] = [await user.get(`/projects/door${rest}`), await user.get(`/projects/nothing${rest}`)];
    t.is(theirs.status, 404, rest);
    t.is(same(none.text), same(theirs.text));
  }
  const form = /name="form" value="([^"]+)"/.exec(overview)?.[1] ?? '';
  t.is((await user.post('/projects/door/releases/yank', { form, version: '1.0' })).status, 404);
  t.is((await user.get('/events?project=door')).status, 404);
});

test('yanks a release when its yank button is used, and records the reason and the actor', async (t) => {
  const { parts, browser, tokenOf } = await testDashboard(t);
  const { manifest } = await testBuild({ version: '1.0', project: 'door' });
  const allowedRules = [{ rule: 'no-ota', reason: 'the <last> update' }];
  const release = {
    project: 'door',
    version: '1.0',
    kind: 'sketch',
    board: '',
    purpose: 'serve',
    publishedAt: 1,
    manifest: { ...manifest, allowedRules },
  } as const;
  await parts.store.catalog.publish({
    release,
    channel: 'stable',
    isTrusted: true,
    project: undefined,
    audit: () => [auditBy('test')],
  });
  await parts.catalog.update();
  const { id, token } = await tokenOf('operate');
  const publisher = browser();
  await publisher.post('/login', { token });
  const { text } = await publisher.get('/projects/door/releases');
  t.regex(text, /✓ stable/);
  t.regex(text, /Signing key<\/dt><dd>unsigned/);
  t.notRegex(text, /Verifies update signatures/, 'leaves out a fact without a value');
  for (const { file } of manifest.artifacts) t.true(text.includes(file));
  t.regex(text, /Rules that the project allows<\/h3>.*<code>no-ota<\/code>: the &lt;last&gt; update/s);
  const reason = 'it <b>smokes</b>';
  const response = await publisher.send('/projects/door/releases', '/projects/door/releases/yank', { reason });
  t.is(response.status, 303);
  t.is(parts.catalog.view('door')?.channels.get('stable'), undefined);
  t.is((await parts.store.catalog.recognize('door', sketchMd5Of(manifest)))[0]?.release.yanked, reason);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'release.yanked' });
  const after = (await publisher.get('/projects/door/releases')).text;
  t.regex(after, /it &lt;b&gt;smokes&lt;\/b&gt;/);
  t.notRegex(after, /action="[^"]*yank"/);
});
