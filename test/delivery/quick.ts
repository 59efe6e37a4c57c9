import type { ExecutionContext } from 'ava';
import type { DeliveryOptions, DeliveryTarget } from '../../src/delivery/delivery.ts';
import { deliverByEspota } from '../../src/delivery/espota/deliver.ts';
import type { Progress } from '../../src/delivery/progress.ts';
import type { DeliveryTimings } from '../../src/delivery/timings.ts';
import type { DeliveryVerdict } from '../../src/delivery/verdict.ts';
import { deliverByWeb } from '../../src/delivery/web/deliver.ts';
import { startVirtualDevice, syntheticSketch, type VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { patientTimings } from '../simulator/patient-timings.ts';
import { endlessMs } from '../support/patience.ts';

/**
 * Timings longer than AVA's own timeout, so that no timeout expires and no datagram is repeated, even on a slow machine. A test that
 * expects a timeout or a repeated datagram shortens only the timing that causes it.
 */
const patientDelivery: DeliveryTimings = {
  lookupMs: endlessMs,
  invitationIntervalMs: endlessMs,
  invitationMs: endlessMs,
  authenticationMs: endlessMs,
  callBackMs: endlessMs,
  connectMs: endlessMs,
  stallMs: endlessMs,
  finalReplyMs: endlessMs,
  // Acknowledgments are estimated: an estimate that is too low must not end the transfer.
  ackGapMs: 500,
  pauseMs: 1,
  retryBudgetMs: endlessMs,
  attempts: 3,
  graceMs: endlessMs,
  windowMs: endlessMs,
};

/** For devices that may miss a datagram or may be busy when a datagram arrives. */
export const repeating = { invitationIntervalMs: 50 };

/** For devices with a password: an invitation repeated too early cancels and restarts the authentication. */
export const repeatingSlowly = { invitationIntervalMs: 200, authenticationMs: 1000 };

/** Image that the tests send. It differs from the running sketch. */
export const newSketch = syntheticSketch({ sizeBytes: 80 * 1024, seed: 99 });

/**
 * Not 127.0.0.1: the TCP probe that detects ESPHome could reach a different upload, which listens for its callback on the same port.
 */
export const deviceAddress = '127.0.0.4';

/** Starts a virtual device without delays; it is closed when the test ends. */
export async function quickDevice(t: ExecutionContext, options: VirtualDeviceOptions = {}): Promise<VirtualDevice> {
  const device = await startVirtualDevice({
    image: { sizeBytes: 60 * 1024 },
    host: deviceAddress,
    ...options,
    timings: { ...patientTimings, ...options.timings },
  });
  t.teardown(() => device.close());
  return device;
}

/** Result of one delivery. */
export interface Sent {
  readonly verdict: DeliveryVerdict;
  readonly progress: readonly Progress[];
  /** For end-to-end tests, which measure the default timings. */
  readonly durationMs: number;
}

export interface SendOptions extends Partial<DeliveryOptions> {
  readonly image?: Uint8Array;
  readonly hostIp?: string;
  readonly hostPort?: number;
}

/** Sends an image over espota. */
export async function send(device: Pick<VirtualDevice, 'host' | 'otaPort'>, options: SendOptions = {}): Promise<Sent> {
  const { image = newSketch, hostIp, hostPort, timings, ...rest } = options;
  const progress: Progress[] = [];
  const startedAt = performance.now();
  const verdict = await deliverByEspota({ host: device.host, port: device.otaPort, hostIp, hostPort }, image, {
    kind: 'sketch',
    signal: new AbortController().signal,
    onProgress: (step) => progress.push(step),
    ...rest,
    timings: { ...patientDelivery, ...timings },
  });
  return { verdict, progress, durationMs: performance.now() - startedAt };
}

/** Returns the verdicts that the device itself has reported so far. */
export function verdictsOf(device: VirtualDevice): string[] {
  return device.events.past.flatMap((event) => (event.event === 'update' ? [event.verdict] : []));
}

/** Sends an image through the web updater's form. */
export async function sendByWeb(
  device: Pick<VirtualDevice, 'host' | 'webPort'>,
  options: SendOptions & Pick<DeliveryTarget, 'path' | 'user' | 'preset' | 'field'> = {},
): Promise<Sent> {
  const { image = newSketch, hostIp, path, user, preset, field, timings, ...rest } = options;
  const progress: Progress[] = [];
  const startedAt = performance.now();
  const target = { host: device.host, port: device.webPort, hostIp, path, user, preset, field };
  const verdict = await deliverByWeb(target, image, {
    kind: 'sketch',
    signal: new AbortController().signal,
    onProgress: (step) => progress.push(step),
    ...rest,
    timings: { ...patientDelivery, ...timings },
  });
  return { verdict, progress, durationMs: performance.now() - startedAt };
}
