import type { ConfirmLevel } from '../../../delivery/confirm.ts';
import type { Discovery } from '../../../delivery/discovery.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { Ledger } from '../../../delivery/ledger.ts';
import { type DeliveryTimings, defaultTimings } from '../../../delivery/timings.ts';
import {
  type DeviceUpdateResult,
  type Update,
  type UpdateStep,
  updateDevice,
} from '../../../delivery/update-device.ts';
import type { SendingStep } from './plan-updates.ts';
import { hintOf, resultText } from './result-text.ts';

/** Receives the progress of updates, such as a display on the terminal or a page. */
export interface UpdateView {
  readonly begin: (device: string, what: string) => void;
  readonly step: (device: string, step: UpdateStep) => void;
  /** Shows the result of one step for a device, and a hint. */
  readonly end: (device: string, words: string, hint: string | undefined, result: DeviceUpdateResult) => void;
}

/** Context shared by all devices of a run. */
export interface UpdateContext {
  readonly ledger: Pick<Ledger, 'prove'>;
  readonly discovery: Discovery | undefined;
  readonly confirm: ConfirmLevel | undefined;
  readonly timings: Update['timings'];
  /** Records the final result for a device, for `--resume`. */
  readonly note?: ((device: string, outcome: 'updated' | 'failed') => Promise<void>) | undefined;
  readonly view: UpdateView;
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Device and its artifacts. The artifacts match the digests in the manifest. */
export interface UpdateTask {
  readonly target: Target;
  readonly steps: readonly LoadedStep[];
  /** IPv4 address of the device, if discovery found one. */
  readonly address: string | undefined;
  readonly password: string | undefined;
}

export interface LoadedStep extends SendingStep {
  readonly bytes: Uint8Array;
}

/** Last step of the update, and its result. */
export interface SendingEnd {
  readonly step: LoadedStep;
  readonly result: DeviceUpdateResult;
}

/**
 * Runs the steps for one device until a step fails. An intermediate release must be confirmed as running before the next step.
 *
 * @throws the signal's abort reason
 */
export async function updateOne(task: UpdateTask, context: UpdateContext): Promise<SendingEnd> {
  const { target, steps } = task;
  const { view } = context;
  let end: SendingEnd | undefined;
  for (const step of steps) {
    const isLast = step === steps.at(-1);
    view.begin(target.name, `sending ${step.artifact.file} (${Math.ceil(step.bytes.length / 1024)} KB)`);
    const result = await updateDevice({
      target,
      address: task.address,
      image: step.from,
      artifact: step.bytes,
      password: task.password,
      confirm: isLast ? context.confirm : 'proven',
      discovery: context.discovery,
      timings: context.timings,
      onStep: (progress) => view.step(target.name, progress),
      signal: context.signal,
    });
    end = { step, result };
    view.end(target.name, resultText(result), hintOf({ target, step, result }), result);
    await saveResult(context, target.name, end, isLast);
    if (!result.isSuccess) break;
  }
  if (end === undefined) throw new Error(`the plan for ${target.name} contains no artifact`);
  return end;
}

/** Time limits for updates, from options or the configuration; times in seconds. */
export interface UpdateLimits {
  readonly attempts?: number | undefined;
  readonly timeout?: number | undefined;
  readonly confirmTimeout?: number | undefined;
}

export function timingsOf({ attempts, timeout, confirmTimeout }: UpdateLimits): NonNullable<Update['timings']> {
  return {
    ...(attempts === undefined ? {} : { attempts }),
    ...(timeout === undefined ? {} : waitsOf(timeout * 1000)),
    ...(confirmTimeout === undefined ? {} : { limitMs: confirmTimeout * 1000 }),
  };
}

/** Applies one limit to each wait for the device. The budget for all attempts must not end a single wait earlier. */
function waitsOf(limitMs: number): Partial<DeliveryTimings> {
  const retryBudgetMs = Math.max(limitMs, defaultTimings.retryBudgetMs);
  return { connectMs: limitMs, invitationMs: limitMs, callBackMs: limitMs, stallMs: limitMs, retryBudgetMs };
}

/** Records the result for later runs. If the result cannot be saved, this run continues with a warning. */
async function saveResult(
  { note, ledger, warn }: UpdateContext,
  device: string,
  { step, result }: SendingEnd,
  isLast: boolean,
): Promise<void> {
  const { manifest } = step.from;
  try {
    if (isLast || !result.isSuccess) await note?.(device, result.isSuccess ? 'updated' : 'failed');
    if (result.confirmation?.kind !== 'proven' || manifest === undefined) return;
    const { sketchMd5 } = result.confirmation;
    await ledger.prove(device, { manifest, sketchMd5, provenBy: 'mdns', encoding: step.artifact.encoding });
  } catch (error) {
    warn(`${device}: cannot save the result: ${error instanceof Error ? error.message : error}`);
  }
}
