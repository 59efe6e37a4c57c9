import type { FleetState } from '../../../delivery/fleet-state.ts';
import { type DeliveryTimings, defaultTimings } from '../../../delivery/timings.ts';
import { type DeviceUpdateResult, updateDevice } from '../../../delivery/update-device.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import type { FleetView } from './fleet-view.ts';
import type { UploadOptions } from './options.ts';
import type { PlannedDevice, SendingStep, Updates } from './plan.ts';
import { hintOf, resultText } from './view.ts';

/** Context shared by all devices of an upload. */
export interface Run {
  readonly updates: Updates;
  readonly settings: ProjectSettings;
  readonly options: UploadOptions;
  readonly state: FleetState;
  readonly io: Io;
  readonly report: Report;
}

/** Device and its artifacts. The artifacts match the digests in the manifest. */
export type UploadTask = Omit<PlannedDevice, 'plan'> & { readonly steps: readonly LoadedStep[] };

export interface LoadedStep extends SendingStep {
  readonly bytes: Uint8Array;
}

/** Last step of the update, and its result. */
export interface SendingEnd {
  readonly step: LoadedStep;
  readonly result: DeviceUpdateResult;
}

/** Runs the steps for one device until a step fails. An intermediate release must be confirmed as running before the next step. */
export async function updateOne(run: Run, sending: UploadTask, view: FleetView): Promise<SendingEnd> {
  const { target, steps } = sending;
  let end: SendingEnd | undefined;
  for (const step of steps) {
    const isLast = step === steps.at(-1);
    view.begin(target.name, `sending ${step.artifact.file} (${Math.ceil(step.bytes.length / 1024)} KB)`);
    const result = await updateDevice({
      target,
      address: sending.address,
      image: step.from,
      artifact: step.bytes,
      password: sending.password,
      confirm: isLast ? run.updates.confirm : 'proven',
      discovery: run.updates.discovery,
      timings: timingsOf(run),
      onStep: (progress) => view.step(target.name, progress),
      signal: run.io.signal,
    });
    end = { step, result };
    view.end(target.name, resultText(result), hintOf({ target, step, result }));
    await saveResult(run, target.name, end, isLast);
    if (!result.isSuccess) break;
  }
  if (end === undefined) throw new Error(`the plan for ${target.name} contains no artifact`);
  return end;
}

function timingsOf({ options, settings }: Run) {
  const attempts = options.attempts ?? settings.config.upload?.attempts;
  return {
    ...(attempts === undefined ? {} : { attempts }),
    ...(options.timeout === undefined ? {} : waitsOf(options.timeout * 1000)),
    ...(options.confirmTimeout === undefined ? {} : { limitMs: options.confirmTimeout * 1000 }),
  };
}

/** Applies one limit to each wait for the device. The budget for all attempts must not end a single wait earlier. */
function waitsOf(limitMs: number): Partial<DeliveryTimings> {
  const retryBudgetMs = Math.max(limitMs, defaultTimings.retryBudgetMs);
  return { connectMs: limitMs, invitationMs: limitMs, callBackMs: limitMs, stallMs: limitMs, retryBudgetMs };
}

/** Records the result for later runs. If the result cannot be saved, this run continues with a warning. */
async function saveResult(run: Run, device: string, { step, result }: SendingEnd, isLast: boolean): Promise<void> {
  const { updates, state, report } = run;
  const { manifest } = step.from;
  try {
    if (isLast || !result.isSuccess) await state.note(device, result.isSuccess ? 'updated' : 'failed');
    if (result.confirmation?.kind !== 'proven' || manifest === undefined) return;
    const { sketchMd5 } = result.confirmation;
    await updates.ledger.prove(device, { manifest, sketchMd5, provenBy: 'mdns', encoding: step.artifact.encoding });
  } catch (error) {
    report.warn(`${device}: cannot save the result: ${error instanceof Error ? error.message : error}`);
  }
}
