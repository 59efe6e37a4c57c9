/** Record of signatures in the audit log: receipts, and entries that contradict them. */
import test from 'ava';
import { signingLogEntries } from '../support/signing-log-entries.ts';
import { testBuild, testSigner } from './builds.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const build = await testBuild({ version: '1.0', project: 'door', signer: testSigner() });
const path = '/projects/door/signatures';

async function serverWithDoor(t: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
  const server = await startTestServer(t);
  await server.publish(build);
  return server;
}

test('returns a receipt for the last entry, once for the same entries', async (t) => {
  const { api } = await serverWithDoor(t);
  const entries = signingLogEntries({ count: 3 });
  const first = await api('POST', path, { entries });
  t.is(first.status, 200);
  const { log, entry, hash, by } = entries[2] ?? {};
  t.like(first.body, { log, entry, hash, by });
  t.deepEqual((await api('POST', path, { entries })).body, first.body);
  t.deepEqual((await api('GET', path)).body, { receipts: [first.body] });
  const audit = await api('GET', '/audit?action=signatures.recorded');
  t.like(audit.body['entries'], [{ id: first.body['audit'], project: 'door', detail: { log, entries } }]);
});

test('receipts survive a restart, and are listed by log and in pages', async (t) => {
  const server = await serverWithDoor(t);
  const other = 'f3b1b7f4-9d1b-4c55-8a39-0d6a3c6d5e22';
  const entries = signingLogEntries({ count: 3 });
  for (const sent of [entries.slice(0, 1), signingLogEntries({ count: 1, log: other }), entries.slice(1)]) {
    t.is((await server.api('POST', path, { entries: sent })).status, 200);
  }
  const { api } = await server.restart();
  const numbers = async (query: string) => {
    const { body } = await api('GET', `${path}?${query}`);
    const receipts = body['receipts'] as readonly { readonly log: string; readonly entry: number }[];
    return { found: receipts.map(({ log, entry }) => [log, entry]), next: body['next'] };
  };
  const log = entries[0]?.log;
  t.deepEqual((await numbers('')).found, [
    [log, 1],
    [other, 1],
    [log, 3],
  ]);
  t.deepEqual((await numbers(`log=${log}`)).found, [
    [log, 1],
    [log, 3],
  ]);
  const page = await numbers('limit=2');
  t.is(page.found.length, 2);
  t.deepEqual((await numbers(`limit=2&after=${page.next}`)).found, [[log, 3]]);
});

test('rejects entries that contradict a receipt', async (t) => {
  const { api } = await serverWithDoor(t);
  const entries = signingLogEntries({ count: 4 });
  t.is((await api('POST', path, { entries: entries.slice(0, 2) })).status, 200);
  const rewritten = signingLogEntries({ count: 4, version: '6.6.6' });
  for (const sent of [rewritten, rewritten.slice(1, 2), rewritten.slice(2)]) {
    const { status, body } = await api('POST', path, { entries: sent });
    t.is(status, 409);
    t.regex(JSON.stringify(body), /the signing log was rewritten: entry 2 has a different hash/);
  }
  t.is((await api('POST', path, { entries: entries.slice(2) })).status, 200);
});

test('rejects entries that are no excerpt of a log of the project', async (t) => {
  const { api } = await serverWithDoor(t);
  const [one, two, three] = signingLogEntries({ count: 3 });
  const [foreign] = signingLogEntries({ count: 1, project: 'window' });
  const [, other] = signingLogEntries({ count: 2, log: 'f3b1b7f4-9d1b-4c55-8a39-0d6a3c6d5e22' });
  const [, rewritten] = signingLogEntries({ count: 2, version: '6.6.6' });
  const cases: readonly (readonly [readonly unknown[], RegExp])[] = [
    [[{ ...one, file: 'other.bin' }], /entry 1 does not match its hash/],
    [[two, one], /not in order/],
    [[one, other], /different logs/],
    [[one, rewritten], /entry 2 does not follow/],
    [[foreign], /entry 1 belongs to the project window/],
    [[{ ...one, by: 'ada\u001b[2J' }], /control characters/],
    [[{ ...one, more: 1 }], /more/],
    [[], /must not be empty/],
    [Array.from({ length: 101 }, () => one), /at most 100/],
  ];
  for (const [entries, message] of cases) {
    const { status, body } = await api('POST', path, { entries });
    t.is(status, 422, JSON.stringify(body));
    t.regex(JSON.stringify(body), message);
  }
  t.is((await api('POST', path, { entries: [one, three] })).status, 200, 'entries of other projects may be missing');
  t.is((await api('POST', '/projects/gone/signatures', { entries: [one] })).status, 404);
});
