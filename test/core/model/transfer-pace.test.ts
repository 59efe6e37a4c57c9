import test from 'ava';
import { defaultTransferLimits, TransferPace } from '../../../src/core/model/transfer-pace.ts';

const second = 1000;
const noFault = undefined;

/** Moves bytes in equal steps until `untilMs`. Returns the time of the first fault. */
function run(pace: TransferPace, fromMs: number, untilMs: number, bytes: number, everyMs: number): number | undefined {
  for (let now = fromMs + everyMs; now <= untilMs; now += everyMs) {
    if (pace.fault(now) !== undefined) return now;
    pace.moved(bytes, now);
  }
  return undefined;
}

function startedPace(expectedBytes: number): TransferPace {
  const pace = new TransferPace(defaultTransferLimits, 0, expectedBytes);
  pace.expectBytes(0);
  return pace;
}

test('a transfer may last 60 s plus the time for its bytes at 2 KB/s', (t) => {
  const silent = new TransferPace(defaultTransferLimits, 0, 0);
  t.is(silent.fault(59_999), noFault);
  t.is(silent.leftMs(59_000), second);
  t.is(silent.fault(60_000), 'not complete after 60 s');
  const large = new TransferPace(defaultTransferLimits, 0, 2048 * 100);
  t.is(large.fault(159_999), noFault);
  t.is(large.fault(160_000), 'not complete after 160 s');
});

test('a peer that moves one byte per second is too slow after 30 s', (t) => {
  const pace = startedPace(1024 ** 2);
  t.is(run(pace, 0, 600 * second, 1, second), 31 * second);
  t.is(pace.fault(31 * second), 'less than 2 KB/s for at least 30 s');
});

test('a fast start does not extend the limit for a peer that becomes slow', (t) => {
  const pace = startedPace(100 * 1024 ** 2);
  t.is(run(pace, 0, 60 * second, 1024 ** 2, second), noFault);
  t.is(run(pace, 60 * second, 600 * second, 1, second), 91 * second);
});

test('a transfer at 1 KB/s is too slow within a minute', (t) => {
  t.is(run(startedPace(1024 ** 2), 0, 600 * second, 1024, second), 59 * second);
});

test('accepts an image at 2 KB/s in steps of any size that the system may report', (t) => {
  const sizeBytes = 1024 ** 2;
  for (const stepBytes of [64, 1460, 8760, 16 * 1024, 48 * 1024]) {
    const everyMs = (stepBytes / 2048) * second;
    t.is(run(startedPace(sizeBytes), 0, (sizeBytes / 2048) * second, stepBytes, everyMs), noFault, `${stepBytes}`);
  }
});

test('a device may pause for 20 s while it erases flash', (t) => {
  const pace = startedPace(512 * 1024);
  t.is(run(pace, 0, 10 * second, 4096, second), noFault);
  t.is(pace.fault(30 * second), noFault);
  t.is(run(pace, 30 * second, 150 * second, 4096, second), noFault);
});

test('accepts a 16 MB backup at 2 KB/s', (t) => {
  const pace = startedPace(0);
  t.is(run(pace, 0, 8192 * second, 2048, second), noFault);
});

test('a server may be silent while it processes received bytes', (t) => {
  const pace = startedPace(2048 * 1000);
  pace.moved(100, 10);
  pace.expectSilence();
  t.is(pace.fault(45 * second), noFault);
  t.is(pace.leftMs(45 * second), 1015 * second);
});
