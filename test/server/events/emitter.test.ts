import test from 'ava';
import { DomainEvents } from '../../../src/server/services/events/domain-events.ts';

const event = { type: 'device.removed', project: 'door', mac: '18:FE:34:AA:BB:CC', actor: 'abc', at: 1 } as const;

/** Emitter and the fields of its error log entries. */
function testEvents() {
  const logged: object[] = [];
  const ignore = () => undefined;
  const events = new DomainEvents({
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (fields) => void logged.push(fields),
  });
  return { events, logged };
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
