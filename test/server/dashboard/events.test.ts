import test, { type ExecutionContext } from 'ava';
import type { Schedule } from '../../../src/server/http/dashboard/bell.ts';
import { eventRoutes } from '../../../src/server/http/dashboard/events.ts';
import { Sessions } from '../../../src/server/http/dashboard/sessions.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { endlessMs } from '../../support/patience.ts';
import { until } from '../../support/until.ts';
import { startTestServer, type TestServer } from '../running-server.ts';
import { saveDevice } from '../save-device.ts';
import { testDashboard } from './browsing.ts';

/** Logs in and opens the event stream. */
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
  return { cookie, ...eventsIn(response.body) };
}

function eventsIn(body: ReadableStream<Uint8Array>) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const read = async () => {
    const { value, done } = await reader.read();
    text += value ?? '';
    return !done;
  };
  return {
    /** Waits until the stream text matches or the stream ends, then returns the number of change events. */
    async changesUntil(pattern: RegExp): Promise<number> {
      while (!pattern.test(text) && (await read()));
      return text.split('event: change').length - 1;
    },
    /** Waits until the stream ends, then returns the number of change events. */
    async changes(): Promise<number> {
      while (await read());
      return text.split('event: change').length - 1;
    },
  };
}

/** Event stream whose timers the test controls. */
async function followByHand(t: ExecutionContext, project: string) {
  const { parts, stopping, tokenOf } = await testDashboard(t);
  const waits = new Map<number, () => void>();
  const schedule: Schedule = (ms, run) => {
    waits.set(ms, run);
    return () => waits.delete(ms);
  };
  const sessions = new Sessions(parts.store.sessions);
  const routes = eventRoutes(parts, sessions, schedule);
  const cookie = `ota=${await sessions.open((await tokenOf('read')).id)}`;
  const response = await routes.request(`/events?project=${project}`, { headers: { cookie } });
  t.is(response.status, 200);
  if (response.body === null) throw new Error('no stream');
  return {
    parts,
    stopping,
    stream: eventsIn(response.body),
    /** Waits until the stream has set a timer with this duration, then fires the timer. */
    async elapse(ms: number): Promise<void> {
      await until(() => waits.has(ms));
      waits.get(ms)?.();
    },
  };
}

const save = ({ parts }: Pick<TestServer, 'parts'>, project: string, last: number) =>
  saveDevice(parts, newRecord(project, `18:FE:34:00:00:${String(last).padStart(2, '0')}`));

test('sends one event for all changes to a project within one second', async (t) => {
  const followed = await followByHand(t, 'door');
  const { stream, stopping, elapse } = followed;
  for (let last = 1; last <= 40; last++) await save(followed, 'door', last);
  t.is(await stream.changesUntil(/event: change/), 1);
  for (let last = 41; last <= 80; last++) await save(followed, 'door', last);
  await elapse(1000);
  t.is(await stream.changesUntil(/event: change[\s\S]*event: change/), 2);
  stopping.abort();
  t.is(await stream.changes(), 2);
});

test('sends a keep-alive comment after 15 seconds without a change to the project', async (t) => {
  const followed = await followByHand(t, 'door');
  await save(followed, 'window', 1);
  await followed.elapse(15_000);
  t.is(await followed.stream.changesUntil(/^:/m), 0);
});

test('ends an event stream when the server stops', async (t) => {
  const waiting = await followByHand(t, 'door');
  waiting.stopping.abort();
  t.is(await waiting.stream.changes(), 0);

  const pausing = await followByHand(t, 'door');
  await save(pausing, 'door', 1);
  t.is(await pausing.stream.changesUntil(/event: change/), 1);
  pausing.stopping.abort();
  t.is(await pausing.stream.changes(), 1);
});

test('delivers change events from a running server over HTTP', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  const stream = await follow(server, '?project=door');
  await save(server, 'door', 1);
  t.is(await stream.changesUntil(/event: change/), 1);
});

test('ends the event stream on logout, and returns 401 without a session', async (t) => {
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
  t.is(await stream.changes(), 0);
});

test('closes event stream connections before the grace period ends when the server stops', async (t) => {
  const server = await startTestServer(t);
  const stream = await follow(server);
  const [changes] = await Promise.all([stream.changes(), server.close(endlessMs)]);
  t.is(changes, 0);
});

test('accepts 200 event streams, and returns 503 for further streams until one closes', async (t) => {
  const { app, browserOf, stopping } = await testDashboard(t);
  const user = await browserOf('read');
  const headers = { cookie: user.cookie ?? '' };
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
