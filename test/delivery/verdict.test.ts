import test from 'ava';
import { type DeliveryVerdict, describeVerdict, exitCodeOf } from '../../src/delivery/verdict.ts';

const verdicts: DeliveryVerdict[] = [
  { kind: 'accepted' },
  { kind: 'rejected', by: 'updater', reason: 'ERROR[4]: Not Enough Space', code: 4 },
  { kind: 'rejected', by: 'password', reason: 'Authentication Failed' },
  { kind: 'unreachable', reason: 'no answer' },
  { kind: 'blockedCallback', hostAddress: '192.0.2.7', port: 48_266, rejectedAddresses: [] },
  { kind: 'wrongProtocol', which: 'esphome' },
  { kind: 'wrongProtocol', which: 'esp32' },
  { kind: 'wrongProtocol', which: 'noWebUpdater' },
  { kind: 'wrongProtocol', which: 'noFilesystemForm' },
  { kind: 'wrongProtocol', which: 'unrecognized', received: 'hello' },
  { kind: 'unknown', reason: 'the device ended the connection', mayHaveUpdated: true },
];

test('exits with 0 only for an accepted update', (t) => {
  for (const verdict of verdicts) t.is(exitCodeOf(verdict), verdict.kind === 'accepted' ? 0 : 1, verdict.kind);
});

test('has a hint for every verdict except "accepted"', (t) => {
  for (const verdict of verdicts) {
    const { text, hint } = describeVerdict(verdict);
    t.regex(text, /^\S.*\S$/, verdict.kind);
    if (verdict.kind !== 'accepted') t.truthy(hint, text);
  }
});

test('names the firewall and the port for a blocked callback', (t) => {
  const { text, hint } = describeVerdict({
    kind: 'blockedCallback',
    hostAddress: '192.0.2.7',
    port: 48_266,
    rejectedAddresses: ['192.0.2.9'],
  });
  t.regex(text, /TCP port 48266 of 192\.0\.2\.7/);
  t.regex(text, /192\.0\.2\.9/);
  t.regex(hint ?? '', /firewall/i);
  t.regex(hint ?? '', /48266/);
});

test('also names the free flash for a blocked callback, unless the core reports a lack of space', (t) => {
  const verdict = { kind: 'blockedCallback', hostAddress: '192.0.2.7', port: 48_266, rejectedAddresses: [] } as const;
  for (const core of [undefined, 'unknown', '2.3.0']) {
    t.regex(describeVerdict(verdict, { core }).hint ?? '', /firewall.*before 2\.4\.0.*free flash/s);
  }
  t.notRegex(describeVerdict(verdict, { core: '2.4.0' }).hint ?? '', /free flash/);
});

test('names the signed artifact if the device rejects an unsigned one with ERROR[12]', (t) => {
  const verdict = { kind: 'rejected', by: 'updater', reason: 'ERROR[12]: …', code: 12 } as const;
  t.regex(describeVerdict(verdict, { isSigned: false }).hint ?? '', /^Send the signed artifact/);
  for (const sent of [{ isSigned: true }, {}]) t.regex(describeVerdict(verdict, sent).hint ?? '', /^Sign the image/);
});

test('explains ERROR[11]: flashed over serial and not reset since', (t) => {
  const { hint } = describeVerdict({ kind: 'rejected', by: 'updater', reason: 'ERROR[11]: …', code: 11 });
  t.regex(hint ?? '', /Reset.*serial/);
});

test('selects the hint for an unknown result by whether the device may have updated', (t) => {
  const hints = [true, false].map(
    (mayHaveUpdated) => describeVerdict({ kind: 'unknown', reason: 'x', mayHaveUpdated }).hint ?? '',
  );
  t.regex(hints[0] ?? '', /may have installed/);
  t.regex(hints[1] ?? '', /keeps its current firmware/);
});
