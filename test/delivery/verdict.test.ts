import test from 'ava';
import { type DeliveryVerdict, exitCodeOf, wordsOf } from '../../src/delivery/verdict.ts';

const verdicts: DeliveryVerdict[] = [
  { kind: 'accepted' },
  { kind: 'rejected', by: 'updater', reason: 'ERROR[4]: Not Enough Space', code: 4 },
  { kind: 'rejected', by: 'password', reason: 'Authentication Failed' },
  { kind: 'unreachable', why: 'no answer' },
  { kind: 'blockedCallback', hostAddress: '192.0.2.7', port: 48_266, strangers: [] },
  { kind: 'wrongProtocol', which: 'esphome' },
  { kind: 'wrongProtocol', which: 'esp32' },
  { kind: 'wrongProtocol', which: 'noWebUpdater' },
  { kind: 'wrongProtocol', which: 'noFilesystemForm' },
  { kind: 'wrongProtocol', which: 'unrecognized', heard: 'hello' },
  { kind: 'unknown', why: 'the device ended the connection', mayHaveUpdated: true },
];

test('only an accepted update is a success', (t) => {
  for (const verdict of verdicts) t.is(exitCodeOf(verdict), verdict.kind === 'accepted' ? 0 : 1, verdict.kind);
});

test('every verdict but the good one says what to do', (t) => {
  for (const verdict of verdicts) {
    const { words, hint } = wordsOf(verdict);
    t.regex(words, /^\S.*\S$/, verdict.kind);
    if (verdict.kind !== 'accepted') t.truthy(hint, words);
  }
});

test('a blocked call-back names the firewall and the port', (t) => {
  const { words, hint } = wordsOf({
    kind: 'blockedCallback',
    hostAddress: '192.0.2.7',
    port: 48_266,
    strangers: ['192.0.2.9'],
  });
  t.regex(words, /TCP port 48266 of 192\.0\.2\.7/);
  t.regex(words, /192\.0\.2\.9/);
  t.regex(hint ?? '', /firewall/i);
  t.regex(hint ?? '', /48266/);
});

test('ERROR[11] is explained: flashed over serial, and not reset since', (t) => {
  const { hint } = wordsOf({ kind: 'rejected', by: 'updater', reason: 'ERROR[11]: …', code: 11 });
  t.regex(hint ?? '', /serial.*reset/);
});

test('an update that may have been taken is not told apart from one that cannot have been by the exit code, but by the words', (t) => {
  const hints = [true, false].map(
    (mayHaveUpdated) => wordsOf({ kind: 'unknown', why: 'x', mayHaveUpdated }).hint ?? '',
  );
  t.regex(hints[0] ?? '', /may have taken/);
  t.regex(hints[1] ?? '', /goes on with what it ran/);
});
