import type { IncomingMessage, ServerResponse } from 'node:http';
import { countIn } from '../../observability/counters.ts';
import { type Decision, decide, type Outcome, type Releases } from '../../services/devices/decide.ts';
import type { CheckedDevice } from '../../services/devices/device-records.ts';
import { type DeviceReport, type Mode, storedReport } from '../../services/devices/report.ts';
import { whatRuns } from '../../services/devices/running.ts';
import type { ProjectView } from '../../services/releases/project-view.ts';
import type { RolloutView } from '../../services/rollouts/admission.ts';
import { limitsOf } from '../../services/rollouts/window.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import { authorizeDevice, type Credentials, type ErrorResponse } from './authorize-device.ts';
import type { DeviceParts } from './parts.ts';
import { sendNotModified, sendUnavailable, sendVersion } from './responses.ts';
import { type DownloadSlot, send, takeSlot } from './sending.ts';

/** Update check or file request from a device. */
export interface FirmwareRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  readonly project: string;
  readonly mac: string;
  readonly mode: Mode;
  /** Channel from the request URL; undefined for a file requested by version. */
  readonly channel: string | undefined;
  readonly report: DeviceReport;
  /** Selects the releases for the device from the current project state. */
  readonly releases: (view: ProjectView, record: DeviceRecord) => Releases | undefined | Promise<Releases | undefined>;
}

const nothing: Releases = { current: [], intermediateReleases: [] };

/**
 * Decides on an update check, saves the decision, then responds. The decision is saved only if neither the device nor the project has
 * changed since they were read, so that no download starts after a halt was stored, and a crash cannot lose the record of a download.
 *
 * @returns the error response that the caller must send; undefined if a response was sent
 */
export async function handleFirmwareRequest(
  parts: DeviceParts,
  firmwareRequest: FirmwareRequest,
): Promise<ErrorResponse | undefined> {
  const { records } = parts;
  const { project, mac } = firmwareRequest;
  const saved = await records.conflicts.run(project, mac, () => saveDecision(parts, firmwareRequest));
  if (saved === 'conflict' || saved === 'busy') return overCapacity(parts, firmwareRequest);
  return 'status' in saved ? saved : respond(parts, firmwareRequest, saved);
}

/** Decision that is stored, with the device as it is now stored. */
interface SavedDecision {
  readonly decision: Decision;
  readonly record: DeviceRecord;
  readonly slot: DownloadSlot | undefined;
}

/** @returns `conflict` if the device or its project was changed at the same time, `busy` if the server is at one of its limits */
async function saveDecision(
  parts: DeviceParts,
  firmwareRequest: FirmwareRequest,
): Promise<SavedDecision | ErrorResponse | 'conflict' | 'busy'> {
  const { records, newDevices, counters } = parts;
  const { project, mac, address } = firmwareRequest;
  const checked = await records.check(project, mac);
  if (checked === undefined) return { status: 404, text: 'Project not found' };
  const { view, record: known } = checked;
  const entry = await authorizeDevice(parts, { request: firmwareRequest.request, view, address }, known);
  if ('status' in entry) return entry;
  if (known === undefined && !newDevices.admit(project, address)) {
    counters.newDevicesDeferred++;
    return 'busy';
  }

  const outcome = await decideRequest(parts, firmwareRequest, checked, entry);
  const { decision } = outcome;
  const isSending = decision.action === 'send' && firmwareRequest.mode !== 'version';
  const slot = isSending ? await takeSlot(parts, decision.artifact) : undefined;
  if (slot === 'busy') return 'busy';
  const isNews = outcome.record !== checked.record;
  const record = isNews ? await save(parts, outcome, checked, slot) : outcome.record;
  if (typeof record === 'object') return { decision, record, slot };
  slot?.free();
  return record === 'full' ? 'busy' : record;
}

async function decideRequest(
  { clock, store }: DeviceParts,
  firmwareRequest: FirmwareRequest,
  checked: CheckedDevice,
  { authenticated, hasNewestSecret }: Credentials,
): Promise<Outcome> {
  const { report, mode, channel, address, project, mac } = firmwareRequest;
  const { view, record = newRecord(project, mac) } = checked;
  const recognized = report.sketchMd5 === undefined ? [] : await view.recognize(report.sketchMd5);
  const releases = (await firmwareRequest.releases(view, record)) ?? nothing;
  const paced = record.pin === undefined ? pacedRollout(releases.rollout) : undefined;
  const now = clock.now();
  return decide({
    mode,
    channel,
    report,
    running: whatRuns(report, recognized, record),
    record,
    // A pinned device is sent its pinned version, regardless of channels and rollouts.
    releases:
      record.pin === undefined
        ? releases
        : { current: await view.withVersion(record.pin), intermediateReleases: releases.intermediateReleases },
    // The transaction that begins a send counts the sends again.
    sendsWithinHour: paced && (await store.rollouts.sendsWithinHour(paced.id)),
    retryPolicy: view.project,
    now,
    from: { address, at: now.wallMs, authenticated },
    hasNewestSecret,
  });
}

/** Returns the rollout if it limits its sends per hour now. */
function pacedRollout(view: RolloutView | undefined): RolloutRecord | undefined {
  return view?.rollout.state === 'active' && view.rollout.perHour !== undefined ? view.rollout : undefined;
}

async function save(
  { records }: DeviceParts,
  { record, settled, decision }: Outcome,
  checked: CheckedDevice,
  slot: DownloadSlot | undefined,
): Promise<DeviceRecord | 'conflict' | 'full'> {
  const rollout = slot !== undefined && decision.action === 'send' ? decision.rollout : undefined;
  try {
    return await records.save(record, checked, { settled }, rollout && limitsOf(rollout));
  } catch (error) {
    slot?.free();
    throw error;
  }
}

function respond(
  parts: DeviceParts,
  firmwareRequest: FirmwareRequest,
  { decision, record, slot }: SavedDecision,
): ErrorResponse | undefined {
  const { lastSeen, clock, counters } = parts;
  const { response, mode, project, mac, report } = firmwareRequest;
  countIn(counters.decisions, decision.code);
  lastSeen.note(project, mac, clock.now().wallMs, storedReport(report));
  if (mode === 'version') return respondWithVersion(parts, response, decision, record);
  if (decision.action === 'send') {
    if (slot === undefined) throw new Error('there is nothing to send');
    const { request } = firmwareRequest;
    const { release, artifact } = decision;
    send(parts, { request, response, device: record, release, artifact }, slot);
    return undefined;
  }
  if (decision.action === 'none' && decision.code === 'no-release') return { status: 404, text: decision.text };
  countIn(counters.responses, 304);
  sendNotModified(response);
  return undefined;
}

/**
 * Responds to a version check with the version that the device can install. If there is none, responds with the version that the device
 * runs, because the device would treat a 304 as an error here.
 */
function respondWithVersion(
  { counters }: DeviceParts,
  response: ServerResponse,
  decision: Decision,
  { running }: DeviceRecord,
): ErrorResponse | undefined {
  const version = decision.action === 'none' ? running?.version : decision.target.version;
  const isNothing = decision.action === 'none' && decision.code === 'no-release';
  if (version === undefined || isNothing) return { status: 404, text: decision.text };
  countIn(counters.responses, 200);
  sendVersion(response, version, decision.action === 'send' ? decision.artifact.md5 : undefined);
  return undefined;
}

/** Defers the update check: the device checks again later. */
function overCapacity({ counters }: DeviceParts, { response }: FirmwareRequest): undefined {
  counters.overCapacity++;
  countIn(counters.responses, 503);
  sendUnavailable(response);
}
