import test from 'ava';
import { DomainEvents } from '../../../src/server/services/events/domain-events.ts';

const event = { type: 'device.removed', project: 'door', mac: '18:FE:34:AA:BB:CC', actor: 'abc', at: 1 } as const;

/** Emitter, the fields of its error log entries, and its notices to and from other processes. */
function testEvents() {
  const logged: object[] = [];
  const ignore = () => undefined;
  const log = { debug: ignore, info: ignore, warn: ignore, error: (fields: object) => void logged.push(fields) };
  const sent: string[] = [];
  let receive: (text: string) => void = ignore;
  const events = new DomainEvents(log, {
    send: (text) => void sent.push(text),
    subscribe(listener) {
      receive = listener;
      return ignore;
    },
  });
  return { events, logged, sent, receive: (text: string) => receive(text) };
}

test('calls each event listener until the listener is removed', (t) => {
  const { events } = testEvents();
  const heard: string[] = [];
  const remove = events.subscribe(({ type }) => heard.push(`first ${type}`));
  events.subscribe(({ type }) => heard.push(`second ${type}`));
  events.emit(event);
  remove();
  events.emit(event);
  t.deepEqual(heard, ['first device.removed', 'second device.removed', 'second device.removed']);
});

test('logs an event listener that throws or rejects, and still calls the other listeners', async (t) => {
  const { events, logged } = testEvents();
  const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
  let calls = 0;
  events.subscribe(() => {
    throw thrown;
  });
  events.subscribe(() => Promise.reject(rejected));
  events.subscribe(() => calls++);
  events.emit(event);
  t.is(calls, 1);
  await new Promise(setImmediate);
  t.deepEqual(logged, [
    { err: thrown, event: 'device.removed', project: 'door' },
    { err: rejected, event: 'device.removed', project: 'door' },
  ]);
});

test('sends a notice of each event to the other processes, without details', (t) => {
  const { events, sent } = testEvents();
  events.emit(event);
  events.emit({ ...event, type: 'device.seen' });
  const settings = {
    name: 'front',
    board: undefined,
    channel: undefined,
    group: undefined,
    labels: undefined,
    pin: undefined,
  };
  const others = { atomicFs: undefined, allow: undefined, user: undefined };
  events.emit({ ...event, ...settings, ...others, type: 'device.enrolled', enrolled: true });
  t.deepEqual(
    sent.map((text) => JSON.parse(text)),
    [
      { type: 'device.removed', project: 'door', mac: event.mac },
      { type: 'device.seen', project: 'door', mac: event.mac },
      { type: 'device.enrolled', project: 'door', mac: event.mac },
    ],
  );
});

test('calls followers for the events of all processes, and listeners only for the events of this process', (t) => {
  const { events, receive } = testEvents();
  const heard: string[] = [];
  const followed: unknown[] = [];
  events.subscribe(({ type }) => heard.push(type));
  events.follow((notice) => followed.push(notice));
  events.emit(event);
  receive('{"type":"release.yanked","project":"door"}');
  for (const invalid of ['', '{', '{}', '{"type":1}', '[]', 'null']) receive(invalid);
  t.deepEqual(heard, ['device.removed']);
  t.deepEqual(followed, [
    { type: 'device.removed', project: 'door', mac: event.mac },
    { type: 'release.yanked', project: 'door' },
  ]);
});
