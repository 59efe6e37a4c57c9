import type { ExecutionContext } from 'ava';
import { quickTimings, startVirtualEsp, syntheticSketch, type VirtualEsp } from '../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../src/simulator/options.ts';
import type { DeliveryOptions } from '../../src/upload/delivery.ts';
import { deliverByEspota } from '../../src/upload/espota/deliver.ts';
import type { Progress } from '../../src/upload/progress.ts';
import type { DeliveryTimings } from '../../src/upload/timings.ts';
import type { Verdict } from '../../src/upload/verdict.ts';
import { deliverByWeb } from '../../src/upload/web/deliver.ts';

/** Of the patience that a user's upload has, a thirtieth. */
export const quickDelivery: DeliveryTimings = {
  lookupMs: 1000,
  invitationIntervalMs: 30,
  invitationMs: 700,
  authenticationMs: 150,
  callBackMs: 330,
  connectMs: 330,
  stallMs: 830,
  lastWordsMs: 60,
  ackGapMs: 15,
  pauseMs: 30,
  patienceMs: 1300,
  attempts: 3,
};

/**
 * Longer than any upload with {@link quickDelivery} may take, whatever goes wrong: its patience, the time in which bytes move, and what a
 * machine that is busy with other tests adds.
 */
export const quickBoundMs = 5000;

/** What the tests send: an image that differs from what runs. */
export const newSketch = syntheticSketch({ sizeBytes: 80 * 1024, seed: 99 });

/** A virtual device that loses no time, gone when the test ends. */
export async function quickEsp(t: ExecutionContext, options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  const esp = await startVirtualEsp({
    image: { sizeBytes: 60 * 1024 },
    ...options,
    timings: { ...quickTimings, ...options.timings },
  });
  t.teardown(() => esp.close());
  return esp;
}

/** A delivery as it went. */
export interface Sent {
  readonly verdict: Verdict;
  readonly progress: readonly Progress[];
  readonly tookMs: number;
}

export interface SendOptions extends Partial<DeliveryOptions> {
  readonly image?: Uint8Array;
  readonly hostIp?: string;
  readonly hostPort?: number;
}

/** Sends by espota. */
export async function send(esp: Pick<VirtualEsp, 'host' | 'otaPort'>, options: SendOptions = {}): Promise<Sent> {
  const { image = newSketch, hostIp, hostPort, timings, ...rest } = options;
  const progress: Progress[] = [];
  const startedAt = performance.now();
  const verdict = await deliverByEspota({ host: esp.host, port: esp.otaPort, hostIp, hostPort }, image, {
    kind: 'sketch',
    signal: new AbortController().signal,
    onProgress: (step) => progress.push(step),
    ...rest,
    timings: { ...quickDelivery, ...timings },
  });
  return { verdict, progress, tookMs: performance.now() - startedAt };
}

/** The verdicts that the device itself has given so far. */
export function verdictsOf(esp: VirtualEsp): string[] {
  return esp.events.past.flatMap((event) => (event.event === 'update' ? [event.verdict] : []));
}

/** Sends by the web form. */
export async function sendByWeb(
  esp: Pick<VirtualEsp, 'host' | 'webPort'>,
  options: SendOptions & { readonly path?: string; readonly user?: string } = {},
): Promise<Sent> {
  const { image = newSketch, hostIp, path, user, timings, ...rest } = options;
  const progress: Progress[] = [];
  const startedAt = performance.now();
  const verdict = await deliverByWeb({ host: esp.host, port: esp.webPort, hostIp, path, user }, image, {
    kind: 'sketch',
    signal: new AbortController().signal,
    onProgress: (step) => progress.push(step),
    ...rest,
    timings: { ...quickDelivery, ...timings },
  });
  return { verdict, progress, tookMs: performance.now() - startedAt };
}
