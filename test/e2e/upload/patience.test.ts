/** Uploads with the patience and the pauses that users and devices really have: too long for the unit tests. */
import test, { type ExecutionContext } from 'ava';
import { startVirtualEsp, syntheticSketch } from '../../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../../src/simulator/options.ts';
import { defaultTimings } from '../../../src/upload/timings.ts';
import { send, verdictsOf } from '../../upload/quick.ts';

const image = syntheticSketch({ sizeBytes: 400 * 1024, seed: 21 });

async function sendTo(t: ExecutionContext, options: VirtualEspOptions) {
  const esp = await startVirtualEsp(options);
  t.teardown(() => esp.close());
  return { esp, ...(await send(esp, { image, timings: defaultTimings })) };
}

test('a stall of 20 s is sat out', async (t) => {
  const transfer = { what: 'stall', at: 0.5, stallMs: 20_000 } as const;
  const { verdict, progress, tookMs } = await sendTo(t, { faults: { transfer } });
  t.is(verdict.kind, 'accepted');
  t.is(progress.at(-1)?.attempt, 1);
  t.true(tookMs > 20_000);
});

test('a call-back that never comes is told within 45 s', async (t) => {
  const { verdict, tookMs } = await sendTo(t, { faults: { callBack: 'never' } });
  t.is(verdict.kind, 'blockedCallback');
  t.true(tookMs < 45_000, `${tookMs}`);
});

test('an unreachable device is told within 60 s', async (t) => {
  const { verdict, tookMs } = await sendTo(t, { faults: { deaf: true } });
  t.is(verdict.kind, 'unreachable');
  t.true(tookMs < 60_000, `${tookMs}`);
});

test('a connection that is lost in every attempt is told within 80 s', async (t) => {
  const { esp, verdict, tookMs } = await sendTo(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: false });
  t.false(verdictsOf(esp).includes('accepted'));
  t.true(tookMs < 80_000, `${tookMs}`);
});

test('a device that is gone for good in the middle of it is told within 80 s', async (t) => {
  const transfer = { what: 'half-open', at: 0.5 } as const;
  const { verdict, tookMs } = await sendTo(t, { faults: { transfer }, timings: { restartMs: 600_000 } });
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: false });
  t.true(tookMs < 80_000, `${tookMs}`);
});

test('a device that lost its power once takes the update after it is back', async (t) => {
  const transfer = { what: 'half-open', at: 0.5 } as const;
  const { verdict, tookMs } = await sendTo(t, { faults: { transfer, uploads: 1 }, timings: { restartMs: 4000 } });
  t.is(verdict.kind, 'accepted');
  t.true(tookMs < 80_000, `${tookMs}`);
});
