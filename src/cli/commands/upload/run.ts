import { dirname, join } from 'node:path';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import type { PreflightFinding } from '../../../core/preflight/run-rules.ts';
import type { FleetState } from '../../../delivery/fleet-state.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { intermediateSteps } from '../../shared/intermediate-steps.ts';
import { namesOf } from '../../shared/updates/device-names.ts';
import { loadTasks, type SendableDevice, updateAll } from '../../shared/updates/update-all.ts';
import { timingsOf, type UpdateTask, type UpdateView } from '../../shared/updates/update-one.ts';
import { makeFleetView } from './fleet-view.ts';
import type { UploadOptions } from './options.ts';
import type { Updates } from './plan.ts';
import type { DeviceEnd } from './view.ts';

/** Context shared by all devices of an upload. */
export interface Run {
  readonly updates: Updates;
  readonly settings: ProjectSettings;
  readonly options: UploadOptions;
  readonly state: FleetState;
  readonly io: Io;
  readonly report: Report;
}

/**
 * Updates each device for which the planner selected an artifact. If a device is blocked, no device is updated unless --skip-blocked is
 * set.
 *
 * @throws the abort reason of the signal if the user interrupts the run
 */
export async function runUpdates(run: Run): Promise<readonly DeviceEnd[]> {
  const { updates, options, io, report } = run;
  const refusals = updates.devices.flatMap(({ target, plan }): DeviceEnd[] =>
    plan.kind === 'blocked' ? [{ target, outcome: 'blocked', blockedBy: plan.blockedBy }] : [],
  );
  printFindings(updates, report);
  printIntermediate(run);
  const tasks = await loadTasks(sendable(updates));
  if (refusals.length > 0 && options.skipBlocked !== true) {
    return [...refusals, ...tasks.map(({ target }): DeviceEnd => ({ target, outcome: 'notStarted' }))];
  }
  printSmaller(updates, report);
  printPaths(tasks, report);
  const names = tasks.map(({ target }) => target.name);
  const view = makeFleetView(names, io, report, options.quiet === true);
  try {
    return [...refusals, ...(await updateTasks(run, tasks, view))];
  } finally {
    view.close();
    if (io.signal.aborted && names.length > 1) report.warn('interrupted; use --resume to continue');
  }
}

function sendable({ devices }: Updates): readonly SendableDevice[] {
  return devices.flatMap(({ plan, ...device }) => (plan.kind === 'send' ? [{ ...device, plan }] : []));
}

/**
 * Prints the preflight findings. Devices with the same finding share one line. The reason of the first blocked device is in the error
 * that ends the command.
 */
function printFindings(updates: Updates, report: Report): void {
  const { devices } = updates;
  const concerned = new Map<string, Target[]>();
  const blocked = devices.flatMap(({ plan }) => (plan.kind === 'blocked' ? [plan.blockedBy] : []));
  const inError = new Set(blocked[0]?.map(describeFinding));
  for (const { target, plan } of devices) {
    const findings = plan.kind === 'blocked' ? plan.blockedBy : plan.steps.flatMap((step) => step.warnings);
    const word = plan.kind === 'blocked' ? 'blocked: ' : '';
    for (const line of findings.map(describeFinding)) {
      if (plan.kind !== 'blocked' || !inError.has(line))
        concerned.set(word + line, [...(concerned.get(word + line) ?? []), target]);
    }
    if (plan.kind !== 'blocked') continue;
    for (const { release, reason } of plan.unusable) {
      const line = `${report.path(updates.paths.get(release) ?? 'the intermediate release')} ${reason}`;
      concerned.set(line, [...(concerned.get(line) ?? []), target]);
    }
    for (const finding of plan.artifacts.flatMap(({ findings: all }) => all))
      report.detail(`${target.name}: ${finding.artifact} is blocked: ${describeFinding(finding)}`);
  }
  for (const [line, targets] of concerned) report.warn(`${namesOf(targets)}: ${line}`);
}

/** Prints how an intermediate sketch makes the update possible, for the first of the blocked devices. */
function printIntermediate({ updates, settings, io, report }: Run): void {
  for (const { target, plan } of updates.devices) {
    if (plan.kind !== 'blocked' || plan.intermediate === undefined) continue;
    const context = { target: updates.path, source: settings.folder, board: target.facts.board };
    for (const line of intermediateSteps(plan.intermediate, context, io, report)) report.say(line);
    return;
  }
}

/** Names of facts for messages, and the options that pass them. */
const factWords: Partial<Record<keyof DeviceFacts, readonly [string, string]>> = {
  core: ['core', '--core'],
  signing: ['signature check', '--signing'],
  keyFingerprint: ['key', '--key-fingerprint'],
  flashMode: ['flash mode', '--flash-mode'],
  chipSizeBytes: ['chip size', '--layout'],
  fsStart: ['flash layout', '--layout'],
  fsEnd: ['flash layout', '--layout'],
  sketchSizeBytes: ['sketch size', '--sketch-size'],
};

/** Prints which facts are missing for a smaller artifact. Devices that lack the same facts share one line. */
function printSmaller({ devices, confirm }: Updates, report: Report): void {
  const concerned = new Map<string, Target[]>();
  for (const { target, plan } of devices) {
    if (plan.kind !== 'send' || plan.smaller === undefined) continue;
    const { artifact, missing } = plan.smaller;
    const known = missing.flatMap((name) => [factWords[name] ?? []].filter(([text]) => text !== undefined));
    const facts = [...new Set(known.map(([text]) => text))].join(', ');
    const options = [...new Set(known.map(([, option]) => option))].join(', ');
    const learn =
      confirm === 'proven' ? 'This upload determines them' : 'Upload with --confirm proven to determine them';
    const line = `smaller: ${artifact.file} (${sizeText(artifact.sizeBytes)}) once these facts are known: ${facts}. ${learn}, or pass ${options}.`;
    concerned.set(line, [...(concerned.get(line) ?? []), target]);
  }
  for (const [line, targets] of concerned) report.say(`${namesOf(targets)}: ${line}`);
}

/** Prints the path of each artifact that is sent. */
function printPaths(tasks: readonly UpdateTask[], report: Report): void {
  const files = tasks.flatMap(({ steps }) =>
    steps.map(({ from, artifact }) => join(dirname(from.path), artifact.file)),
  );
  for (const path of new Set(files)) report.say(`Sending ${report.path(path)}`);
}

function describeFinding({ rule, message, fix }: PreflightFinding): string {
  return `${message}; ${fix} (${rule})`;
}

async function updateTasks(run: Run, tasks: readonly UpdateTask[], view: UpdateView): Promise<readonly DeviceEnd[]> {
  const { updates, settings, options, state, io, report } = run;
  const { upload } = settings.config;
  const results = await updateAll({
    tasks,
    canaries: options.canary ?? 0,
    concurrency: options.concurrency ?? upload?.concurrency,
    context: {
      ledger: updates.ledger,
      discovery: updates.discovery,
      confirm: updates.confirm,
      timings: timingsOf({ ...options, attempts: options.attempts ?? upload?.attempts }),
      note: (device, outcome) => state.note(device, outcome),
      view,
      warn: (line) => report.warn(line),
      signal: io.signal,
    },
  });
  return tasks.map((task): DeviceEnd => {
    const { target } = task;
    const end = results.get(task);
    return end === undefined
      ? { target, outcome: 'notStarted' }
      : { target, outcome: end.result.isSuccess ? 'updated' : 'failed', ...end };
  });
}
