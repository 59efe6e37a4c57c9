import test from 'ava';
import { backupLines } from '../../../src/server/services/backup.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { type Dashboard, testDashboard } from './browsing.ts';

const page = '/projects/door/release?version=2.0';
const promote = '/projects/door/releases/promote';
const notes = '/projects/door/releases/notes';

async function publish({ parts }: Dashboard, version: string, seed: number, sizeBytes = 16_384) {
  const { manifest } = await testBuild({ version, project: 'door', seed, sizeBytes });
  await parts.store.catalog.publish({
    release: { project: 'door', version, kind: 'sketch', board: '', purpose: 'serve', publishedAt: 1, manifest },
    channel: undefined,
    isTrusted: true,
    project: undefined,
    audit: () => [auditBy('test')],
  });
  await parts.catalog.update();
}

async function logIn({ tokenOf, browser }: Dashboard, role: 'operate' | 'publish' | 'read') {
  const { id, token } = await tokenOf(role);
  const user = browser();
  await user.post('/login', { token });
  return { id, user };
}

test('compares a release with the previous one, and promotes it with its form', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  await publish(dashboard, '1.0', 1);
  await publish(dashboard, '2.0', 2, 20_480);
  const { id, user } = await logIn(dashboard, 'operate');
  t.regex((await user.get('/projects/door/releases')).text, /href="\/projects\/door\/release\?version=2\.0"/);
  const { text } = await user.get(page);
  t.regex(text, /Compared with <a href="\/projects\/door\/release\?version=1\.0">1\.0<\/a>/);
  t.regex(text, /<th scope="row">Image<\/th><td>16[^<]*<\/td><td><strong>20[^<]* \(changed\)<\/strong>/);
  t.regex(text, /<th scope="row">Core<\/th><td>([^<]+)<\/td><td>\1<\/td>/);
  t.notRegex((await user.get('/projects/door/release?version=1.0')).text, /Compared with/);
  const response = await user.send(page, promote, { channel: 'stable' });
  t.is(response.status, 303);
  t.like((await parts.store.catalog.currentReleases('door'))[0], { channel: 'stable', release: { version: '2.0' } });
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'release.promoted' });
  const after = (await user.get(response.headers.get('location') ?? '')).text;
  t.regex(after, /role="status">Promoted\./);
  t.regex(after, /✓ stable/);
});

test('explains on the page of the release why it was not promoted', async (t) => {
  const dashboard = await testDashboard(t);
  await publish(dashboard, '2.0', 2);
  const publisher = await logIn(dashboard, 'publish');
  const refused = await publisher.user.send(page, promote, { channel: 'stable' });
  t.is(refused.status, 403);
  t.regex(refused.text, /may not promote releases to stable/);
  t.regex(refused.text, /<details id="promote" open="">/, 'keeps the form open');
  const { user } = await logIn(dashboard, 'operate');
  const long = await user.send(page, promote, { channel: 'x'.repeat(500) });
  t.is(long.status, 422);
  t.regex(long.text, /Channel: must be 1 to 64 letters|channel: must be 1 to 64 letters/);
  t.regex(long.text, /<title>Not changed: door 2\.0 /);
  t.is((await user.get('/projects/door/release?version=9.9')).status, 404);
  t.is((await user.get('/projects/door/release?version=..')).status, 404);
});

test('saves notes once, shows them without HTML, and includes them in a backup', async (t) => {
  const dashboard = await testDashboard(t);
  const { parts } = dashboard;
  await publish(dashboard, '2.0', 2);
  const { id, user } = await logIn(dashboard, 'operate');
  const other = await logIn(dashboard, 'publish');
  const form = /name="form" value="([^"]+)"/.exec((await other.user.get(page)).text)?.[1] ?? '';
  const text = '# Faster\r\n\r\nOpens <script>alert(1)</script> [docs](https://example.com/)';
  t.is((await user.send(page, notes, { notes: text })).status, 303);
  t.like((await parts.store.audit.list({ limit: 1 }))[0], { actor: id, action: 'release.notes-changed' });
  const shown = (await user.get(page)).text;
  t.regex(
    shown,
    /<h3>Faster<\/h3>\n<p>Opens &lt;script&gt;alert\(1\)&lt;\/script&gt; <a href="https:\/\/example\.com\/"/,
  );
  // The other person has opened the page before.
  const late = await other.user.post(notes, { form, version: '2.0', before: '', notes: 'Slower\r\nagain' });
  t.is(late.status, 409);
  t.regex(late.text, /The notes of 2\.0 were changed by another person\./);
  t.regex(late.text, /<textarea[^>]*>Slower\nagain<\/textarea>/, 'keeps the text of the form');
  t.regex(late.text, /<h3>Faster<\/h3>/, 'shows the current notes');
  const long = await user.send(page, notes, { notes: 'é'.repeat(16_385) });
  t.regex(long.text, /must have at most 16384 characters/);
  t.is((await user.post(notes, { form: 'x', notes: 'y'.repeat(200_000) })).status, 413);
  const lines = [];
  for await (const line of backupLines(parts)) lines.push(line);
  t.true(lines.some((line) => line.includes('"table":"release_notes"') && line.includes('# Faster')));
  const reader = await logIn(dashboard, 'read');
  t.notRegex((await reader.user.get(page)).text, /<form[^>]*releases/);
});
