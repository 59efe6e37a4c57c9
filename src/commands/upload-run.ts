import type { ProjectSettings } from '../config/settings.ts';
import type { Complaint } from '../preflight/judge.ts';
import { runFleet } from '../upload/fleet.ts';
import type { FleetState } from '../upload/fleet-state.ts';
import { type UpdateResult, updateDevice } from '../upload/update-device.ts';
import { type FleetView, makeFleetView } from './fleet-view.ts';
import type { Io } from './io.ts';
import type { ReleaseToSend } from './release-to-send.ts';
import type { Report } from './report.ts';
import type { UploadOptions } from './upload.ts';
import type { PlannedDevice, Updates } from './upload-plan.ts';
import { type DeviceEnd, hintOf, lastWords } from './upload-summary.ts';

interface Run {
  readonly updates: Updates;
  readonly release: ReleaseToSend;
  readonly settings: ProjectSettings;
  readonly options: UploadOptions;
  readonly state: FleetState;
  readonly io: Io;
  readonly report: Report;
}

type Sending = PlannedDevice & { readonly plan: { readonly kind: 'send' }; readonly bytes: Uint8Array };

const usualConcurrency = 100;

/**
 * Updates the devices that the planner has an artefact for. Where it refuses one, nothing is sent to any, unless the others are asked for.
 *
 * @throws the reason of the signal, when the user interrupts
 */
export async function runUpdates(run: Run): Promise<readonly DeviceEnd[]> {
  const { updates, options, io, report } = run;
  const refusals = updates.devices.flatMap(({ target, plan }): DeviceEnd[] =>
    plan.kind === 'refuse' ? [{ target, outcome: 'refused', refused: plan.refused }] : [],
  );
  for (const { target, plan } of updates.devices) {
    if (plan.kind === 'refuse')
      for (const refusal of plan.refused) report.warn(objection(target.name, refusal, 'refused'));
  }
  const sendings = await withBytes(run);
  if (refusals.length > 0 && options.skipRefused !== true) {
    return [...refusals, ...sendings.map(({ target }): DeviceEnd => ({ target, outcome: 'held' }))];
  }
  for (const { target, plan } of sendings) {
    for (const warning of plan.step.warnings) report.warn(objection(target.name, warning));
  }
  const names = sendings.map(({ target }) => target.name);
  const view = makeFleetView(names, io, report, options.quiet === true);
  try {
    return [...refusals, ...(await updateAll(run, sendings, view))];
  } finally {
    view.close();
    if (io.signal.aborted && names.length > 1)
      report.warn('interrupted; --resume goes on with what is left of this run');
  }
}

function objection(device: string, { rule, message, instead }: Complaint, refused?: string): string {
  return `${device}: ${refused === undefined ? '' : `${refused}: `}${message}; ${instead} (${rule})`;
}

/** Everything is read, and compared with the manifest, before anything is sent; devices that get the same share the same bytes. */
async function withBytes({ updates, release }: Run): Promise<readonly Sending[]> {
  const read = new Map<string, Promise<Uint8Array>>();
  const sendings: Sending[] = [];
  for (const device of updates.devices) {
    const { plan } = device;
    if (plan.kind !== 'send') continue;
    const { file } = plan.step.artefact;
    const bytes = read.get(file) ?? release.readArtefact(file);
    read.set(file, bytes);
    sendings.push({ ...device, plan, bytes: await bytes });
  }
  return sendings;
}

async function updateAll(run: Run, sendings: readonly Sending[], view: FleetView): Promise<readonly DeviceEnd[]> {
  const { options, io } = run;
  const { results, held } = await runFleet<Sending, UpdateResult>({
    jobs: sendings,
    canaries: options.canary ?? 0,
    concurrency: concurrencyOf(run, sendings),
    run: (sending) => updateOne(run, sending, view),
    isSuccess: ({ isSuccess }) => isSuccess,
    signal: io.signal,
  });
  return sendings.map((sending): DeviceEnd => {
    const { target, plan } = sending;
    const result = results.get(sending);
    if (result === undefined || held.includes(sending)) return { target, outcome: 'held' };
    return { target, outcome: result.isSuccess ? 'updated' : 'failed', step: plan.step, result };
  });
}

/** One port of this machine serves one device at a time. */
function concurrencyOf({ options, settings }: Run, sendings: readonly Sending[]): number {
  const isPortFixed = sendings.some(({ target }) => target.method === 'espota' && target.hostPort !== undefined);
  return isPortFixed ? 1 : (options.concurrency ?? settings.config.upload?.concurrency ?? usualConcurrency);
}

async function updateOne(run: Run, sending: Sending, view: FleetView): Promise<UpdateResult> {
  const { updates, release, options, settings, io } = run;
  const { target, plan, bytes, address, password } = sending;
  const { artefact } = plan.step;
  const attempts = options.attempts ?? settings.config.upload?.attempts;
  view.begin(target.name, `sending ${artefact.file} (${Math.ceil(bytes.length / 1024)} KB)`);
  const result = await updateDevice({
    target,
    address,
    image: { kind: release.kind, sketchMd5s: release.sketchMd5s },
    artefact: bytes,
    password,
    confirm: updates.confirm,
    lookout: updates.lookout,
    timings: {
      ...(attempts === undefined ? {} : { attempts }),
      ...(options.confirmTimeout === undefined ? {} : { limitMs: options.confirmTimeout * 1000 }),
    },
    onStep: (step) => view.step(target.name, step),
    signal: io.signal,
  });
  const hint = hintOf(result);
  view.end(target.name, lastWords(result) + (hint === undefined ? '' : `\n  ${hint}`));
  await remember(run, sending, result);
  return result;
}

/** What cannot be written down is lost for the next run, but no reason to stop this one. */
async function remember(
  { updates, release, state, report }: Run,
  { target, plan }: Sending,
  result: UpdateResult,
): Promise<void> {
  try {
    await state.note(target.name, result.isSuccess ? 'updated' : 'failed');
    if (result.confirmation?.kind !== 'proven' || release.manifest === undefined) return;
    const { sketchMd5 } = result.confirmation;
    const { encoding } = plan.step.artefact;
    await updates.ledger.prove(target.name, { manifest: release.manifest, sketchMd5, provenBy: 'mdns', encoding });
  } catch (error) {
    report.warn(
      `${target.name}: the outcome could not be written down: ${error instanceof Error ? error.message : error}`,
    );
  }
}
