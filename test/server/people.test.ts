/** People whom a reverse proxy logs in. */
import test from 'ava';
import { startTestServer, type TestServer } from './running-server.ts';

const proxied = { trustedProxies: ['127.0.0.1'], authHeader: 'X-Forwarded-User' };
const page = '/projects/door/settings';

async function openPage({ url }: TestServer, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, { headers, redirect: 'manual' });
  const text = await response.text();
  return {
    status: response.status,
    location: response.headers.get('location'),
    cookie: response.headers.get('set-cookie')?.split(';')[0],
    form: /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '',
    before: /name="before" value="([^"]+)"/.exec(text)?.[1] ?? '',
    text,
  };
}

async function giveAccess({ api }: TestServer, person: string, role: string): Promise<void> {
  const { status, body } = await api('POST', '/tokens', { roles: [role], person });
  if (status !== 201 || body['token'] !== undefined) throw new Error(JSON.stringify(body));
}

test('logs in a person whom a trusted proxy names, and names the person in the audit log', async (t) => {
  const server = await startTestServer(t, proxied);
  await server.api('PUT', '/projects/door', {});
  await giveAccess(server, 'zoë@example.com', 'admin');
  const headers = { 'x-forwarded-user': Buffer.from('zoë@example.com').toString('latin1') };
  const opened = await openPage(server, page, headers);
  t.is(opened.status, 200);
  t.regex(opened.text, /zoë@example\.com/);
  t.notRegex(opened.text, /action="\/logout"/);
  const cookie = opened.cookie ?? '';
  const { form, before } = opened;
  const post = (more: Record<string, string>) =>
    fetch(server.url + page, {
      method: 'POST',
      body: new URLSearchParams({ form, before, mostSends: '7' }),
      headers: { origin: server.url, cookie, ...more },
      redirect: 'manual',
    });
  t.is((await post({})).status, 401, 'the cookie alone is no login');
  const unsent = await post({ ...headers, cookie: '' });
  t.is(unsent.status, 401, 'a form needs the session of its page');
  t.regex(await unsent.text(), /Send the form again\?/);
  t.is(server.parts.catalog.view('door')?.project.mostSends, 3);
  t.is((await post(headers)).headers.get('location'), `${page}?done=saved`);
  await server.readChanges();
  t.is(server.parts.catalog.view('door')?.project.mostSends, 7);
  const { body } = await server.api('GET', '/audit?limit=1&actor=person:zo%C3%AB@example.com');
  const [entry] = body['entries'] as readonly object[];
  t.like(entry, { action: 'project.changed', actor: 'person:zoë@example.com', actorName: 'zoë@example.com' });
  const audit = await openPage(server, '/audit?who=zo%C3%AB', { ...headers, cookie });
  t.regex(audit.text, /project\.changed/);
  t.is((await server.api('DELETE', '/tokens/person:zo%C3%AB@example.com')).status, 200);
  t.is((await openPage(server, page, { ...headers, cookie })).status, 303, 'access ends at once');
  const { body: later } = await server.api('GET', '/audit?limit=1&actor=person:zo%C3%AB@example.com');
  t.like((later['entries'] as readonly object[])[0], { actorName: 'zoë@example.com' }, 'the name remains');
});

test('gives a person only the role that an admin has given', async (t) => {
  const server = await startTestServer(t, proxied);
  await server.api('PUT', '/projects/door', {});
  await giveAccess(server, 'alice', 'read');
  const alice = await openPage(server, page, { 'x-forwarded-user': 'alice', 'x-forwarded-role': 'admin' });
  t.is(alice.status, 200);
  t.is(alice.before, '', 'no form');
  t.is((await openPage(server, '/tokens', { 'x-forwarded-user': 'alice' })).status, 403);
  for (const name of ['mallory', 'Alice', 'alice, alice', 'person:alice', '', 'server', 'x'.repeat(500)]) {
    t.is(
      (await openPage(server, page, { 'x-forwarded-user': name })).location,
      `/login?next=${encodeURIComponent(page)}`,
    );
  }
  const login = await openPage(server, '/login', { 'x-forwarded-user': '<b>mallory' });
  t.regex(login.text, /&lt;b&gt;mallory has no access to this server yet/);
  t.is((await server.api('POST', '/tokens', { roles: ['admin'], person: 'alice' })).status, 409);
  t.is((await server.api('POST', '/tokens', { roles: ['admin'], person: 'a,b' })).status, 422);
  // The API accepts tokens only: a browser would send the login of the proxy with requests of other sites as well.
  const api = await fetch(`${server.url}/api/v1/projects`, { headers: { 'x-forwarded-user': 'alice' } });
  t.is(api.status, 401);
});

test('ignores the header of clients that are not the proxy, and without --auth-header', async (t) => {
  for (const options of [{ ...proxied, trustedProxies: ['192.0.2.1'] }, { trustedProxies: ['127.0.0.1'] }]) {
    const server = await startTestServer(t, options);
    await giveAccess(server, 'alice', 'admin');
    const headers = { 'x-forwarded-user': 'alice', 'x-forwarded-for': '192.0.2.1' };
    t.is((await openPage(server, '/', headers)).location, '/login?next=%2F');
  }
});

test('counts only tokens as the last admin', async (t) => {
  const server = await startTestServer(t, proxied);
  await giveAccess(server, 'alice', 'admin');
  const [own] = server.token.split('_').slice(1);
  t.is((await server.api('DELETE', `/tokens/${own}`)).status, 409);
});

test('names the forwarded host of the proxy in the first steps', async (t) => {
  const server = await startTestServer(t, proxied);
  await giveAccess(server, 'alice', 'admin');
  const headers = { 'x-forwarded-user': 'alice', 'x-forwarded-proto': 'https' };
  const forwarded = await openPage(server, '/', { ...headers, 'x-forwarded-host': 'ota.example.com' });
  t.regex(forwarded.text, /publish --to https:\/\/ota\.example\.com</);
  t.regex(forwarded.text, /&quot;ota\.example\.com&quot;, 443, /);
  const direct = await startTestServer(t);
  const { token } = direct;
  const body = new URLSearchParams({ token });
  const login = await fetch(`${direct.url}/login`, {
    ...{ method: 'POST', body, redirect: 'manual' as const },
    headers: { origin: direct.url },
  });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const other = await openPage(direct, '/', { cookie, 'x-forwarded-host': 'ota.example.com' });
  t.notRegex(other.text, /ota\.example\.com/);
});
