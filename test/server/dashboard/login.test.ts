import test from 'ava';
import { Sessions } from '../../../src/server/http/dashboard/sessions.ts';
import { auditBy } from '../audit-by.ts';
import { testDashboard } from './browsing.ts';

const pages = ['/', '/projects/door', '/projects/door/devices', '/projects/door/releases', '/projects/nothing'];

test('redirects to the login page, and returns to the requested page after login', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { token } = await tokenOf('read');
  for (const page of pages) {
    const { status, headers } = await browser().get(page);
    t.is(status, 303, page);
    t.is(headers.get('location'), `/login?next=${encodeURIComponent(page)}`);
  }
  const user = browser();
  const login = await user.get('/login?next=%2Fprojects%2Fdoor%2Fdevices%3Fstate%3Dfailed');
  t.is(login.status, 200);
  const response = await user.send('/login?next=%2Fprojects%2Fdoor%2Fdevices%3Fstate%3Dfailed', '/login', { token });
  t.is(response.headers.get('location'), '/projects/door/devices?state=failed');
  t.is((await user.get('/projects/door/devices')).status, 200);
  t.is((await user.get('/login')).headers.get('location'), '/');
});

test('ignores an unsafe next URL after login', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { token } = await tokenOf('read');
  for (const next of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/projects/\\x',
    'javascript:alert(1)',
    '/logout',
  ]) {
    t.is((await browser().post('/login', { token, next })).headers.get('location'), '/', next);
  }
});

test('sets an HttpOnly, SameSite session cookie that does not reveal the token', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { token, id } = await tokenOf('admin');
  const cookies = new Set<string>();
  for (let time = 0; time < 2; time++) {
    const { headers } = await browser().post('/login', { token: `  ${token}\n` });
    const cookie = headers.get('set-cookie') ?? '';
    t.regex(cookie, /^ota=[\w-]{43};/);
    for (const word of ['HttpOnly', 'SameSite=Strict', 'Path=/']) t.true(cookie.includes(word), word);
    t.false(cookie.includes('Secure'), 'over plain HTTP the browser would drop it');
    t.false(cookie.includes(id) || cookie.includes(token.slice(-43)));
    cookies.add(cookie);
  }
  t.is(cookies.size, 2);
});

test('limits login attempts with invalid tokens, and still accepts a valid token', async (t) => {
  const { browser, tokenOf } = await testDashboard(t);
  const { token } = await tokenOf('read');
  const statuses = new Set<number>();
  for (let count = 0; count < 150; count++) {
    const { status, headers, text } = await browser().post('/login', { token: `ota_000000000000_${'x'.repeat(43)}` });
    statuses.add(status);
    t.is(headers.get('set-cookie'), null);
    t.regex(text, /role="alert"/);
  }
  t.deepEqual([...statuses], [401, 429]);
  t.is((await browser().post('/login', { token })).status, 303);
});

test('ends a session on logout and when its token is revoked', async (t) => {
  const { browserOf, browser, tokenOf, parts } = await testDashboard(t);
  const first = await browserOf('read');
  const { cookie } = first;
  t.is((await first.post('/logout', {})).headers.get('location'), '/login');
  t.is((await first.get('/')).status, 200, 'a form without the word of its session logs nobody out');
  t.is((await first.send('/', '/logout')).headers.get('location'), '/login');
  t.is(first.cookie, undefined);
  t.is((await first.get('/')).status, 303);
  t.truthy(cookie);

  const second = browser();
  await tokenOf('admin');
  const { token, id } = await tokenOf('admin');
  await second.post('/login', { token });
  t.is((await second.get('/')).status, 200);
  await parts.store.tokens.revoke(id, auditBy('test'));
  t.is((await second.get('/')).status, 303);
});

test('expires sessions after 12 hours, and keeps only the newest 1,000 sessions of a token', async (t) => {
  const { parts } = await testDashboard(t);
  let now = 0;
  const sessions = new Sessions(parts.store.sessions, () => now);
  const first = await sessions.open('a');
  t.is((await sessions.find(first))?.token, 'a');
  t.is(await sessions.find('x'), undefined);
  now += 12 * 3_600_000 - 1;
  t.truthy(await sessions.find(first));
  now += 1;
  t.is(await sessions.find(first), undefined);
  const second = await sessions.open('b');
  const third = await sessions.open('c');
  now += 1;
  const others: string[] = [];
  for (let count = 0; count < 1000; count++) others.push(await sessions.open('c'));
  t.is(await sessions.find(third), undefined);
  t.is((await sessions.find(second))?.token, 'b');
  for (const id of others) t.truthy(await sessions.find(id));
});
