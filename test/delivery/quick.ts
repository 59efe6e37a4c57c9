import type { ExecutionContext } from 'ava';
import type { DeliveryOptions } from '../../src/delivery/delivery.ts';
import { deliverByEspota } from '../../src/delivery/espota/deliver.ts';
import type { Progress } from '../../src/delivery/progress.ts';
import type { DeliveryTimings } from '../../src/delivery/timings.ts';
import type { DeliveryVerdict } from '../../src/delivery/verdict.ts';
import { deliverByWeb } from '../../src/delivery/web/deliver.ts';
import { startVirtualEsp, syntheticSketch, type VirtualEsp } from '../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../src/simulator/options.ts';
import { patientTimings } from '../simulator/patient-timings.ts';
import { endlessMs } from '../support/patience.ts';

/**
 * No wait ends by itself, however slow the machine is, and no datagram is repeated. A test that expects a time-out or a repetition shortens
 * what leads to it, and nothing else: any other way to the same end takes longer than AVA allows.
 */
const patientDelivery: DeliveryTimings = {
  lookupMs: endlessMs,
  invitationIntervalMs: endlessMs,
  invitationMs: endlessMs,
  authenticationMs: endlessMs,
  callBackMs: endlessMs,
  connectMs: endlessMs,
  stallMs: endlessMs,
  lastWordsMs: endlessMs,
  // Acknowledgements are estimated: an estimate that is too low must not end the transfer.
  ackGapMs: 500,
  pauseMs: 1,
  patienceMs: endlessMs,
  attempts: 3,
};

/** For devices that may miss a datagram, or be busy when it comes. */
export const repeating = { invitationIntervalMs: 50 };

/** The same for devices with a password: what is repeated too early cancels the authentication, and then it begins anew. */
export const repeatingSlowly = { invitationIntervalMs: 200, authenticationMs: 1000 };

/** What the tests send: an image that differs from what runs. */
export const newSketch = syntheticSketch({ sizeBytes: 80 * 1024, seed: 99 });

/**
 * Not the address of this machine: an upload asks a silent device over TCP whether it speaks ESPHome, and on one address the device's port
 * may be that on which another upload waits for a call-back.
 */
export const deviceAddress = '127.0.0.4';

/** A virtual device that loses no time, gone when the test ends. */
export async function quickEsp(t: ExecutionContext, options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  const esp = await startVirtualEsp({
    image: { sizeBytes: 60 * 1024 },
    host: deviceAddress,
    ...options,
    timings: { ...patientTimings, ...options.timings },
  });
  t.teardown(() => esp.close());
  return esp;
}

/** A delivery as it went. */
export interface Sent {
  readonly verdict: DeliveryVerdict;
  readonly progress: readonly Progress[];
  /** For end-to-end tests, which measure the timings that users have. */
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
    timings: { ...patientDelivery, ...timings },
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
    timings: { ...patientDelivery, ...timings },
  });
  return { verdict, progress, tookMs: performance.now() - startedAt };
}
