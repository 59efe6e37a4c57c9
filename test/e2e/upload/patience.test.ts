/** Tests uploads with the default timeouts and the pauses of real devices, which are too long for unit tests. */
import test, { type ExecutionContext } from 'ava';
import { defaultTimings } from '../../../src/delivery/timings.ts';
import { startVirtualDevice, syntheticSketch } from '../../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../../src/simulator/options.ts';
import { deviceAddress, send, verdictsOf } from '../../delivery/quick.ts';
import { endlessMs } from '../../support/patience.ts';

const image = syntheticSketch({ sizeBytes: 400 * 1024, seed: 21 });

const { invitationMs, callBackMs, pauseMs, retryBudgetMs, stallMs } = defaultTimings;

async function sendTo(t: ExecutionContext, options: VirtualDeviceOptions) {
  const device = await startVirtualDevice({ host: deviceAddress, ...options });
  t.teardown(() => device.close());
  const { verdict, progress } = await send(device, { image, timings: defaultTimings });
  return { device, verdict, attempts: progress.at(-1)?.attempt };
}

test('the default timeouts of an upload add up to the durations shown to users', (t) => {
  t.is(invitationMs, 20_000, 'an unreachable device');
  t.true(2 * callBackMs + pauseMs < 25_000, 'no callback in two attempts');
  t.true(retryBudgetMs < 45_000, 'a lost connection');
  t.true(stallMs > 20_000, 'the upload waits for a device that stalls for 20 seconds');
});

test('an upload without a callback fails after the second attempt', async (t) => {
  const { verdict, attempts } = await sendTo(t, { faults: { callBack: 'never' } });
  t.is(verdict.kind, 'blockedCallback');
  t.is(attempts, 2);
});

test('an upload to an unreachable device fails after the first attempt', async (t) => {
  const { verdict, attempts } = await sendTo(t, { faults: { noResponse: true } });
  t.is(verdict.kind, 'unreachable');
  t.is(attempts, 1);
});

test('an upload that always loses its connection times out in the second attempt', async (t) => {
  const { device, verdict, attempts } = await sendTo(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: false });
  t.false(verdictsOf(device).includes('accepted'));
  t.is(attempts, 2);
});

test('an upload to a device that never restarts times out in the second attempt', async (t) => {
  const transfer = { what: 'half-open', at: 0.5 } as const;
  const { verdict, attempts } = await sendTo(t, { faults: { transfer }, timings: { restartMs: endlessMs } });
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: false });
  t.is(attempts, 2);
});

test('an upload succeeds in the second attempt after the device loses power once', async (t) => {
  const transfer = { what: 'half-open', at: 0.5 } as const;
  const { verdict, attempts } = await sendTo(t, { faults: { transfer, uploads: 1 }, timings: { restartMs: 4000 } });
  t.is(verdict.kind, 'accepted');
  t.is(attempts, 2);
});
