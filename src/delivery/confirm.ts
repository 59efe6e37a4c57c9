import type { Manifest } from '../core/model/manifest.ts';
import type { DiscoveredDevice, Lookout } from './discovery.ts';
import type { Target } from './inventory.ts';
import { Mailbox } from './mailbox.ts';
import { pause } from './pause.ts';
import { probe } from './probe.ts';

/** returned: the device answers again. proven: it shows the MD5 of the new sketch. */
export type ConfirmLevel = 'returned' | 'proven';

/** What could be found out of a device after it had accepted an update. */
export type Confirmation =
  /** It shows an MD5 of the new build. */
  | { readonly kind: 'proven'; readonly sketchMd5: string }
  /** It answers. What it runs nobody has seen: espota and the web form alone never show it. */
  | { readonly kind: 'returned'; readonly by: 'mdns' | 'udp' | 'http' }
  /** It answers, and shows an MD5 that is none of the new build's: the update is lost. */
  | { readonly kind: 'otherSketch'; readonly sketchMd5: string }
  | { readonly kind: 'silent' };

export interface ConfirmTimings {
  /** A device goes on answering mDNS until it restarts; what is heard before that says nothing. */
  readonly settleMs: number;
  /** Before the first question that is not mDNS, and between two of them. */
  readonly probeMs: number;
  /** How long an answer that is not the one that is wanted waits for a better one. */
  readonly graceMs: number;
  /** For all of it: eboot copies at about 100 KB a second, then the sketch joins its network. */
  readonly limitMs: number;
}

const confirmTimings: ConfirmTimings = { settleMs: 2000, probeMs: 1500, graceMs: 8000, limitMs: 60_000 };

/** What of an image tells whether it runs. */
export type UpdatedImage = Pick<Manifest['image'], 'kind' | 'sketchMd5s'>;

export interface ConfirmQuestion {
  readonly target: Target;
  /** IPv4, where the device was when it took the update. */
  readonly address: string;
  readonly level: ConfirmLevel;
  /** Of the update. A filesystem changes no sketch, and is never proven. */
  readonly image: UpdatedImage;
  /** Undefined where this machine cannot take part in mDNS: then nothing is proven. */
  readonly lookout: Lookout | undefined;
  readonly timings?: Partial<ConfirmTimings> | undefined;
  readonly signal: AbortSignal;
}

type Sign = { readonly from: 'mdns'; readonly sketchMd5: string | undefined } | { readonly from: 'udp' | 'http' };

/**
 * Waits for a device after its update, and looks what came back.
 *
 * @throws the reason of the signal, when it aborts
 */
export async function confirmUpdate(question: ConfirmQuestion): Promise<Confirmation> {
  const timings = { ...confirmTimings, ...question.timings };
  const { lookout, signal, target, address } = question;
  await pause(timings.settleMs, signal);
  const signs = new Mailbox<Sign>();
  const ended = new AbortController();
  const stopWatching = lookout?.watch((device) => {
    if (isSameDevice(target, address, device)) signs.put({ from: 'mdns', sketchMd5: device.sketchMd5 });
  });
  const probing = probeUntilAnswered(question, timings, signs, AbortSignal.any([signal, ended.signal]));
  try {
    return await judgeSigns(question, timings, signs);
  } finally {
    ended.abort();
    stopWatching?.();
    await probing;
  }
}

async function judgeSigns(
  { level, image, lookout, signal }: ConfirmQuestion,
  { graceMs, limitMs }: ConfirmTimings,
  signs: Mailbox<Sign>,
): Promise<Confirmation> {
  let best: Confirmation = { kind: 'silent' };
  let end = performance.now() + limitMs;
  for (;;) {
    const sign = await signs.next(end - performance.now(), signal);
    if (sign === undefined) return best;
    const found = conclude(sign, image);
    if (best.kind === 'silent') end = Math.min(end, performance.now() + graceMs);
    if (found.kind === 'proven') return found;
    if (found.kind === 'otherSketch' || best.kind === 'silent') best = found;
    const isEnough = level === 'returned' || lookout === undefined || image.kind === 'filesystem';
    if (found.kind === 'returned' && isEnough) return found;
  }
}

function conclude(sign: Sign, { kind, sketchMd5s }: UpdatedImage): Confirmation {
  if (sign.from !== 'mdns') return { kind: 'returned', by: sign.from };
  const { sketchMd5 } = sign;
  if (sketchMd5 === undefined || kind === 'filesystem') return { kind: 'returned', by: 'mdns' };
  const isOfBuild = sketchMd5s.some(({ md5 }) => md5 === sketchMd5);
  return isOfBuild ? { kind: 'proven', sketchMd5 } : { kind: 'otherSketch', sketchMd5 };
}

/** mDNS has its turn first: a probe over espota, harmless as it is, is seen by the sketch. */
async function probeUntilAnswered(
  { target, address }: ConfirmQuestion,
  { probeMs }: ConfirmTimings,
  signs: Mailbox<Sign>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await pause(probeMs, signal);
      if (await probe(target, address, probeMs, signal)) {
        signs.put({ from: target.method === 'web' ? 'http' : 'udp' });
        return;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Whether an announcement is that of a target. Several devices at one address are possible on loopback only. */
export function isSameDevice(target: Target, address: string, device: DiscoveredDevice): boolean {
  if (device.host === target.host.toLowerCase().replace(/\.$/, '')) return true;
  if (device.address !== address) return false;
  return !address.startsWith('127.') || (device.method === target.method && device.port === target.port);
}

/** A confirmation for people. */
export function wordsOfConfirmation(confirmation: Confirmation): string {
  switch (confirmation.kind) {
    case 'proven':
      return 'proven: it runs the new sketch';
    case 'returned':
      return 'returned, but what it runs is not proven';
    case 'otherSketch':
      return `it came back with another sketch (MD5 ${confirmation.sketchMd5}): the update is lost`;
    case 'silent':
      return 'it did not come back';
  }
}
