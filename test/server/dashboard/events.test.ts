import test from 'ava';
import { newRecord } from '../../../src/server/store/device-record.ts';
import { startTestServer, type TestServer } from '../running-server.ts';
import { testDashboard } from './browsing.ts';

/** A stream of events, as somebody who is logged in follows it. */
async function follow(server: TestServer, query = '') {
  const body = new URLSearchParams({ token: server.token });
  const login = await fetch(`${server.url}/login`, {
    method: 'POST',
    body,
    redirect: 'manual',
    headers: { origin: server.url },
  });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const response = await fetch(`${server.url}/events${query}`, { headers: { cookie } });
  if (response.body === null) throw new Error('no stream');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    cookie,
    status: response.status,
    /** What came so far, when it is at least so many changes. */
    async changes(count: number): Promise<number> {
      const counted = () => text.split('event: change').length - 1;
      while (counted() < count) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
      }
      return counted();
    },
    async ended(): Promise<void> {
      while (!(await reader.read()).done);
    },
    leave: () => reader.cancel(),
  };
}

const save = ({ parts }: TestServer, project: string, last: number) =>
  parts.records.save(newRecord(project, `18:FE:34:00:00:${String(last).padStart(2, '0')}`));

test('who follows a project hears of its changes, however many, once a second', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['door', 'window']) await server.api('PUT', `/projects/${name}`, {});
  const stream = await follow(server, '?project=door');
  t.is(stream.status, 200);
  const began = performance.now();
  await save(server, 'window', 1);
  for (let last = 1; last <= 40; last++) await save(server, 'door', last);
  t.is(await stream.changes(1), 1);
  for (let last = 41; last <= 80; last++) await save(server, 'door', last);
  t.is(await stream.changes(2), 2);
  t.true(performance.now() - began >= 999, 'the second one waited');
  await stream.leave();
});

test('who logs out hears no more, and who is not logged in hears nothing', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  t.is((await fetch(`${server.url}/events`)).status, 401);
  const stream = await follow(server);
  const page = await (await fetch(`${server.url}/`, { headers: { cookie: stream.cookie } })).text();
  const form = /name="form" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const headers = { cookie: stream.cookie, origin: server.url };
  const logout = { method: 'POST', body: new URLSearchParams({ form }), headers, redirect: 'manual' } as const;
  t.is((await fetch(`${server.url}/logout`, logout)).status, 303);
  await save(server, 'door', 1);
  await stream.ended();
  t.is(await stream.changes(1), 0);
});

test('a server that stops ends its streams, and does not wait for them', async (t) => {
  const server = await startTestServer(t);
  const stream = await follow(server);
  const began = performance.now();
  const closed = server.close(60_000);
  await stream.ended();
  await closed;
  const tookMs = performance.now() - began;
  t.true(tookMs < 5000, `it took ${tookMs} ms`);
});

test('two hundred may listen; who comes later is told so', async (t) => {
  const { app, browserOf, stopping } = await testDashboard(t);
  const visitor = await browserOf('read');
  const headers = { cookie: visitor.cookie ?? '' };
  const streams = await Promise.all(Array.from({ length: 201 }, () => app.request('/events', { headers })));
  t.is(streams.filter(({ status }) => status === 200).length, 200);
  t.is(streams.filter(({ status }) => status === 503).length, 1);
  const [first, ...others] = streams.filter(({ status }) => status === 200);
  await first?.body?.cancel();
  const again = await app.request('/events', { headers });
  t.is(again.status, 200);
  stopping.abort();
  await Promise.all([...others, again].map((response) => response.text()));
});
