import test from 'ava';
import fc from 'fast-check';
import { mergeFaults, readFault } from '../../src/simulator/fault-syntax.ts';

for (const [word, fault] of Object.entries({
  'no-response': { noResponse: true },
  'no-callback': { callBack: 'never' },
  'no-result': { verdict: 'none' },
  'reset@0%': { transfer: { what: 'reset', at: 0 } },
  'end@100%': { transfer: { what: 'end', at: 1 } },
  'half-open@50%': { transfer: { what: 'half-open', at: 0.5 } },
  'stall@last-ack=20000': { transfer: { what: 'stall', at: 'after-last-ack', stallMs: 20_000 } },
  'offline=10%': { offline: { share: 0.1, version: undefined } },
  'not-installed=2.5%@1.2.0': { notInstalled: { share: 0.025, version: '1.2.0' } },
  'udp-drop-first=2': { udp: { loseFirst: 2 } },
  'udp-loss=0.25': { udp: { loseShare: 0.25 } },
} as const)) {
  test(`parses "${word}" as a fault`, (t) => {
    t.deepEqual<unknown, unknown>(readFault(word), fault);
  });
}

for (const word of [
  '',
  'reset',
  'reset@',
  'reset@101%',
  'reset@5%=10',
  'stall@5%',
  'offline',
  'offline=0.1',
  'offline=101%',
  'offline=10%@',
  'udp-drop-first=0.5',
  'udp-loss=2',
  'udp-constructor=1',
]) {
  test(`rejects "${word}"`, (t) => {
    t.is(readFault(word), undefined);
  });
}

test('does not throw for any string', (t) => {
  fc.assert(fc.property(fc.string(), (word) => t.notThrows(() => readFault(word))));
});

test('merges datagram faults and keeps the last of two faults of the same kind', (t) => {
  const words = ['udp-drop-first=2', 'udp-loss=0.5', 'reset@0%', 'end@100%', 'no-response'];
  t.deepEqual(mergeFaults(words.map((word) => readFault(word) ?? {})), {
    udp: { loseFirst: 2, loseShare: 0.5 },
    transfer: { what: 'end', at: 1 },
    noResponse: true,
  });
});
