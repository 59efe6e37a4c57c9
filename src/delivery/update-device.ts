import {
  type Confirmation,
  type ConfirmLevel,
  type ConfirmTimings,
  confirmUpdate,
  type UpdatedImage,
} from './confirm.ts';
import { deliveryMethods } from './delivery-methods.ts';
import type { Discovery } from './discovery.ts';
import type { Target } from './inventory.ts';
import type { ProbePlace } from './probe.ts';
import type { Progress } from './progress.ts';
import { resolveHost } from './resolve-host.ts';
import { type DeliveryTimings, defaultTimings } from './timings.ts';
import type { DeliveryVerdict } from './verdict.ts';

/** Current step of an update. */
export type UpdateStep = Progress | { readonly phase: 'confirming' };

export interface Update {
  readonly target: Target;
  /** IPv4 address of the device. Undefined if the name has not been resolved yet. */
  readonly address: string | undefined;
  readonly image: UpdatedImage;
  readonly artifact: Uint8Array;
  readonly password: string | undefined;
  readonly confirm: ConfirmLevel | undefined;
  readonly discovery: Discovery | undefined;
  readonly timings?: Partial<DeliveryTimings & ConfirmTimings> | undefined;
  readonly onStep?: ((step: UpdateStep) => void) | undefined;
  readonly signal: AbortSignal;
}

/** Result of updating one device. */
export interface DeviceUpdateResult {
  readonly verdict: DeliveryVerdict;
  /** Confirmation of the update. Absent if no confirmation was requested or needed. */
  readonly confirmation?: Confirmation | undefined;
  readonly isSuccess: boolean;
  readonly durationMs: number;
}

/**
 * Sends an artifact to one device and, if requested, confirms the update.
 *
 * @throws the signal's abort reason
 */
export async function updateDevice(update: Update): Promise<DeviceUpdateResult> {
  const startedAt = performance.now();
  const end = (verdict: DeliveryVerdict, confirmation?: Confirmation): DeviceUpdateResult => ({
    verdict,
    confirmation,
    isSuccess: isSuccess(verdict, confirmation, update.confirm),
    durationMs: Math.round(performance.now() - startedAt),
  });
  const { target, artifact, image, password, confirm, discovery, timings, onStep, signal } = update;
  const { lookupMs } = { ...defaultTimings, ...timings };
  const address = update.address ?? (await resolveHost(target.host, placeOf(target), lookupMs, signal));
  if (address === undefined) return end({ kind: 'unreachable', reason: `no IPv4 address found for ${target.host}` });
  const verdict = await deliveryMethods[target.method].deliver({ ...target, host: address }, artifact, {
    kind: image.kind,
    password,
    signal,
    onProgress: onStep,
    timings,
  });
  if (confirm === undefined || !mayHaveUpdated(verdict)) return end(verdict);
  onStep?.({ phase: 'confirming' });
  return end(verdict, await confirmUpdate({ target, address, level: confirm, image, discovery, timings, signal }));
}

function placeOf({ method, port, path }: Target): ProbePlace {
  return { method, port: port ?? deliveryMethods[method].defaultPort, path };
}

function mayHaveUpdated(verdict: DeliveryVerdict): boolean {
  return verdict.kind === 'accepted' || (verdict.kind === 'unknown' && verdict.mayHaveUpdated);
}

/** Determines whether an update succeeded. A proven sketch outweighs the delivery verdict. */
function isSuccess(
  verdict: DeliveryVerdict,
  confirmation: Confirmation | undefined,
  wanted: ConfirmLevel | undefined,
): boolean {
  if (confirmation?.kind === 'proven') return true;
  if (verdict.kind !== 'accepted') return false;
  switch (wanted) {
    case undefined:
      return true;
    case 'returned':
      return confirmation?.kind === 'returned';
    case 'proven':
      return false;
  }
}
