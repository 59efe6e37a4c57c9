import type { IncomingMessage, ServerResponse } from 'node:http';
import { secretIn } from '../../auth/device-secrets.ts';
import { countIn } from '../../observability/counters.ts';
import { attemptOf } from '../../services/devices/attempts.ts';
import { type Decision, decide, type Outcome, type Releases } from '../../services/devices/decide.ts';
import { type DeviceReport, type Mode, storedReport } from '../../services/devices/report.ts';
import { whatRuns } from '../../services/devices/running.ts';
import type { ProjectView } from '../../services/releases/catalog.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { DeviceRecord } from '../../storage/records.ts';
import { authorizeDevice, type Credentials, type ErrorResponse } from './authorize-device.ts';
import type { DeviceParts } from './parts.ts';
import { sendNotModified, sendUnavailable, sendVersion } from './responses.ts';
import { type DownloadSlot, send, takeSlot } from './sending.ts';

/** Update check or file request from a device. */
export interface FirmwareRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  readonly view: ProjectView;
  readonly mac: string;
  readonly mode: Mode;
  /** Channel from the request URL; undefined for a file requested by version. */
  readonly channel: string | undefined;
  readonly report: DeviceReport;
  /** True if the response stays valid while the report, channel and project are unchanged. */
  readonly isCacheable: boolean;
  /** Selects the releases for the device from the current project state. */
  readonly releases: (view: ProjectView, record: DeviceRecord) => Releases | undefined;
}

const nothing: Releases = { current: [], intermediateReleases: [] };
/** Maximum number of tries to save a record that other requests change at the same time. More conflicts in a row indicate a bug. */
const mostTries = 8;

/**
 * Decides on an update check, saves the decision, then responds. This order ensures that a crash cannot lose the record of a started
 * download.
 *
 * @returns the error response that the caller must send; undefined if a response was sent
 */
export async function handleFirmwareRequest(
  parts: DeviceParts,
  received: FirmwareRequest,
): Promise<ErrorResponse | undefined> {
  const { records, newDevices, counters, catalog } = parts;
  const project = received.view.project.name;
  for (let tries = 0; tries < mostTries; tries++) {
    const known = await records.find(project, received.mac);
    const firmwareRequest = withView(received, catalog.view(project));
    const entry = await authorizeDevice(parts, firmwareRequest, known);
    if ('status' in entry) return entry;
    if (known === undefined && tries === 0 && !newDevices.admit(project, firmwareRequest.address)) {
      counters.newDevicesDeferred++;
      return overCapacity(parts, firmwareRequest);
    }

    const outcome = await decideRequest(
      parts,
      firmwareRequest,
      known ?? newRecord(project, firmwareRequest.mac),
      entry,
    );
    countIn(counters.decisions, outcome.decision.code);
    const { decision } = outcome;
    const isSending = decision.action === 'send' && firmwareRequest.mode !== 'version';
    const slot = isSending ? await takeSlot(parts, decision.artifact) : undefined;
    if (slot === 'busy') return overCapacity(parts, firmwareRequest);
    const saved = await save(parts, outcome, known).catch((error: unknown) => {
      slot?.free();
      throw error;
    });
    if (typeof saved === 'object' && isStillAllowed(parts, firmwareRequest, outcome.decision)) {
      return respond(parts, firmwareRequest, outcome.decision, saved, slot);
    }
    slot?.free();
    if (typeof saved === 'object') {
      await removeAttempt(parts, saved, outcome);
      continue;
    }
    if (saved === 'full') return overCapacity(parts, firmwareRequest);
  }
  return overCapacity(parts, received);
}

/** Returns the request with the current project state. */
function withView(firmwareRequest: FirmwareRequest, view: ProjectView | undefined): FirmwareRequest {
  return view === undefined || view === firmwareRequest.view ? firmwareRequest : { ...firmwareRequest, view };
}

/**
 * Returns false if the rollout stopped while the decision was being saved. The release of a stopped rollout is not sent to any more
 * devices.
 */
function isStillAllowed({ catalog }: DeviceParts, { view }: FirmwareRequest, decision: Decision): boolean {
  if (decision.action !== 'send') return true;
  const { project, id } = decision.release;
  for (const { rollout } of catalog.view(project)?.channels.values() ?? []) {
    if (rollout === undefined || !rollout.rollout.releaseIds.includes(id)) continue;
    const before = view.channels.get(rollout.rollout.channel)?.rollout?.rollout;
    if (before?.state === 'active' && rollout.rollout.state !== 'active') return false;
  }
  return true;
}

/** Removes the saved attempt, because its download did not start. */
async function removeAttempt(
  { records }: DeviceParts,
  { project, mac }: DeviceRecord,
  { settled }: Outcome,
): Promise<void> {
  await records.change(project, mac, (record) => record && { ...record, attempts: settled });
}

async function decideRequest(
  { store, clock }: DeviceParts,
  firmwareRequest: FirmwareRequest,
  record: DeviceRecord,
  { authenticated, hasNewestSecret }: Credentials,
): Promise<Outcome> {
  const { report, view, mode, channel, address } = firmwareRequest;
  const { sketchMd5 } = report;
  const recognized = sketchMd5 === undefined ? [] : await store.catalog.recognize(view.project.name, sketchMd5);
  const running = whatRuns(report, recognized, record);
  const releases = await releasesFor(store, firmwareRequest, record);
  const from = { address, authenticated };
  const now = clock.now();
  return decide({
    mode,
    channel,
    report,
    running,
    record,
    releases,
    retryPolicy: view.project,
    now,
    from,
    hasNewestSecret,
  });
}

/** Selects the releases for a device. A pinned device is sent its pinned version, regardless of channels and rollouts. */
async function releasesFor(
  { catalog }: DeviceParts['store'],
  firmwareRequest: FirmwareRequest,
  record: DeviceRecord,
): Promise<Releases> {
  const releases = firmwareRequest.releases(firmwareRequest.view, record) ?? nothing;
  if (record.pin === undefined) return releases;
  const current = await catalog.withVersion(firmwareRequest.view.project.name, record.pin);
  return { current, intermediateReleases: releases.intermediateReleases };
}

function save(
  { records }: DeviceParts,
  { record, settled }: Outcome,
  known: DeviceRecord | undefined,
): Promise<DeviceRecord | 'conflict' | 'full'> {
  return record === known ? Promise.resolve(record) : records.save(record, { before: known, settled });
}

function respond(
  parts: DeviceParts,
  firmwareRequest: FirmwareRequest,
  decision: Decision,
  record: DeviceRecord,
  slot: DownloadSlot | undefined,
): ErrorResponse | undefined {
  const { lastSeen, clock } = parts;
  const { response, mode, view, mac, report } = firmwareRequest;
  lastSeen.note(view.project.name, mac, clock.now().wallMs, () => storedReport(report));
  if (mode === 'version') return respondWithVersion(parts, response, decision, record);
  if (decision.action === 'send') {
    if (slot === undefined) throw new Error('there is nothing to send');
    const { request } = firmwareRequest;
    const { release, artifact } = decision;
    const sends = attemptOf(record.attempts, release.id)?.sends ?? 1;
    send(parts, { request, response, project: view.project.name, mac, sends, release, artifact }, slot);
    return undefined;
  }
  if (decision.action === 'none' && decision.code === 'no-release') return { status: 404, text: decision.text };
  if (decision.action === 'up-to-date') cacheResponse(parts, firmwareRequest, record);
  countIn(parts.counters.responses, 304);
  sendNotModified(response);
  return undefined;
}

/** Caches the 304 response until the record or the project changes, or the device sends a different request. */
function cacheResponse(
  { quick, records, clock }: DeviceParts,
  firmwareRequest: FirmwareRequest,
  record: DeviceRecord,
): void {
  const { view, mac, report, channel } = firmwareRequest;
  if (!firmwareRequest.isCacheable || !records.isLatest(record)) return;
  const secret = secretIn(firmwareRequest.request.headers.authorization, record);
  // Until the device has used its newest secret, the next request may contain a different secret or none.
  if (secret !== record.secrets?.newest) return;
  const credential = record.credential ?? view.project.credential;
  const notedAt = clock.now().wallMs;
  quick.set(view.project.name, mac, { reportId: report.id, channel, view, credential, secret, notedAt });
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
