import type { Manifest } from '../core/model/manifest.ts';
import type { DiscoveredDevice, Discovery } from './discovery.ts';
import { EventQueue } from './event-queue.ts';
import type { Target } from './inventory.ts';
import { pause } from './pause.ts';
import { probe } from './probe.ts';

/** Confirmation level. `returned`: the device responds again. `proven`: the device announces the MD5 of the new sketch. */
export type ConfirmLevel = 'returned' | 'proven';

/** Evidence of a device's state after the device accepted an update. */
export type Confirmation =
  /** The device announces an MD5 of the new build. */
  | { readonly kind: 'proven'; readonly sketchMd5: string }
  /** The device responds. The running sketch is unknown, since espota and the web form never report it. */
  | { readonly kind: 'returned'; readonly by: 'mdns' | 'udp' | 'http' }
  /** The device announces an MD5 that does not belong to the new build: the update was lost. */
  | { readonly kind: 'differentSketch'; readonly sketchMd5: string }
  | { readonly kind: 'noResponse' };

export interface ConfirmTimings {
  /** Delay before listening for the device. Before it restarts, a device still responds to mDNS, which is not evidence of the update. */
  readonly settleMs: number;
  /** Delay before each probe over UDP or HTTP, and the time limit for each probe. */
  readonly probeMs: number;
  /** Time to wait for stronger evidence after the first evidence. */
  readonly graceMs: number;
  /** Time limit for the whole confirmation. eboot copies about 100 KB per second, and then the sketch joins its network. */
  readonly limitMs: number;
}

const confirmTimings: ConfirmTimings = { settleMs: 2000, probeMs: 1500, graceMs: 8000, limitMs: 60_000 };

/** Image properties that show whether a device runs the image. */
export type UpdatedImage = Pick<Manifest['image'], 'kind' | 'sketchMd5s'>;

export interface ConfirmRequest {
  readonly target: Target;
  /** IPv4 address of the device during the update. */
  readonly address: string;
  readonly level: ConfirmLevel;
  /** Updated image. A filesystem update does not change the sketch, so it can never be proven. */
  readonly image: UpdatedImage;
  /** mDNS listener. Undefined if this machine cannot use mDNS; an update can then not be proven. */
  readonly discovery: Discovery | undefined;
  readonly timings?: Partial<ConfirmTimings> | undefined;
  readonly signal: AbortSignal;
}

type Evidence = { readonly from: 'mdns'; readonly sketchMd5: string | undefined } | { readonly from: 'udp' | 'http' };

/**
 * Waits for a device to respond after its update and checks which sketch it runs.
 *
 * @throws the signal's abort reason
 */
export async function confirmUpdate(request: ConfirmRequest): Promise<Confirmation> {
  const timings = { ...confirmTimings, ...request.timings };
  const { discovery, signal, target, address } = request;
  await pause(timings.settleMs, signal);
  const evidence = new EventQueue<Evidence>();
  const ended = new AbortController();
  const stopWatching = discovery?.watch((device) => {
    if (isSameDevice(target, address, device)) evidence.put({ from: 'mdns', sketchMd5: device.sketchMd5 });
  });
  const probing = probeUntilResponse(request, timings, evidence, AbortSignal.any([signal, ended.signal]));
  try {
    return await confirmationFrom(request, timings, evidence);
  } finally {
    ended.abort();
    stopWatching?.();
    await probing;
  }
}

async function confirmationFrom(
  { level, image, discovery, signal }: ConfirmRequest,
  { graceMs, limitMs }: ConfirmTimings,
  evidence: EventQueue<Evidence>,
): Promise<Confirmation> {
  let best: Confirmation = { kind: 'noResponse' };
  let end = performance.now() + limitMs;
  for (;;) {
    const item = await evidence.next(end - performance.now(), signal);
    if (item === undefined) return best;
    const found = conclude(item, image);
    if (best.kind === 'noResponse') end = Math.min(end, performance.now() + graceMs);
    if (found.kind === 'proven') return found;
    if (found.kind === 'differentSketch' || best.kind === 'noResponse') best = found;
    const isEnough = level === 'returned' || discovery === undefined || image.kind === 'filesystem';
    if (found.kind === 'returned' && isEnough) return found;
  }
}

function conclude(item: Evidence, { kind, sketchMd5s }: UpdatedImage): Confirmation {
  if (item.from !== 'mdns') return { kind: 'returned', by: item.from };
  const { sketchMd5 } = item;
  if (sketchMd5 === undefined || kind === 'filesystem') return { kind: 'returned', by: 'mdns' };
  const isOfBuild = sketchMd5s.some(({ md5 }) => md5 === sketchMd5);
  return isOfBuild ? { kind: 'proven', sketchMd5 } : { kind: 'differentSketch', sketchMd5 };
}

/**
 * Probes the device after a delay, so that an mDNS response can arrive first. An espota probe is harmless, but may call the sketch's
 * error handler.
 */
async function probeUntilResponse(
  { target, address }: ConfirmRequest,
  { probeMs }: ConfirmTimings,
  evidence: EventQueue<Evidence>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await pause(probeMs, signal);
      if (await probe(target, address, probeMs, signal)) {
        evidence.put({ from: target.method === 'web' ? 'http' : 'udp' });
        return;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Returns true if a target sent an announcement. Several devices share an address only on loopback. */
export function isSameDevice(target: Target, address: string, device: DiscoveredDevice): boolean {
  if (device.host === target.host.toLowerCase().replace(/\.$/, '')) return true;
  if (device.address !== address) return false;
  return !address.startsWith('127.') || (device.method === target.method && device.port === target.port);
}

/** Describes a confirmation for users. */
export function describeConfirmation(confirmation: Confirmation): string {
  switch (confirmation.kind) {
    case 'proven':
      return 'proven: the device runs the new sketch';
    case 'returned':
      return 'returned: the device responds, but the running sketch is not proven';
    case 'differentSketch':
      return `not installed: the device runs a different sketch (MD5 ${confirmation.sketchMd5})`;
    case 'noResponse':
      return 'not confirmed: the device did not respond after the update';
  }
}
