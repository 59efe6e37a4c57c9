import type { IncomingMessage, ServerResponse } from 'node:http';
import { secretIn } from '../../auth/device-secrets.ts';
import { countIn } from '../../observability/counters.ts';
import { type Decision, decide, type Outcome, type Releases } from '../../services/devices/decide.ts';
import { type DeviceReport, type Mode, storedReport } from '../../services/devices/report.ts';
import { whatRuns } from '../../services/devices/running.ts';
import type { ProjectView } from '../../services/releases/catalog.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { DeviceRecord } from '../../storage/records.ts';
import { answerNotModified, answerUnavailable, answerVersion } from './answers.ts';
import type { DeviceParts } from './parts.ts';
import { type Load, send, takeLoad } from './sending.ts';

/** Update check or file request from a device. */
export interface Visit {
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
  readonly mayBeRemembered: boolean;
  /** Selects the releases for the device from the current project state. */
  readonly releases: (view: ProjectView, record: DeviceRecord) => Releases | undefined;
}

/** Result of checking the credentials in a request. */
interface Entry {
  /** True if the request contained a secret or password. */
  readonly authenticated: boolean;
  readonly hasNewestSecret: boolean;
}

/** Response to a rejected request. */
export interface ErrorResponse {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
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
export async function answerVisit(parts: DeviceParts, asked: Visit): Promise<ErrorResponse | undefined> {
  const { records, newDevices, counters, catalog } = parts;
  const project = asked.view.project.name;
  for (let tries = 0; tries < mostTries; tries++) {
    const known = await records.find(project, asked.mac);
    const visit = withView(asked, catalog.view(project));
    const entry = await mayEnter(parts, visit, known);
    if ('status' in entry) return entry;
    if (known === undefined && tries === 0 && !newDevices.admit(project, visit.address)) {
      counters.newDevicesDeferred++;
      return overCapacity(parts, visit);
    }

    const outcome = await decideVisit(parts, visit, known ?? newRecord(project, visit.mac), entry);
    countIn(counters.decisions, outcome.decision.code);
    const { decision } = outcome;
    const isSending = decision.action === 'send' && visit.mode !== 'version';
    const load = isSending ? await takeLoad(parts, decision.artifact) : undefined;
    if (load === 'busy') return overCapacity(parts, visit);
    const saved = await save(parts, outcome, known).catch((error: unknown) => {
      load?.putBack();
      throw error;
    });
    if (typeof saved === 'object' && isStillMeant(parts, visit, outcome.decision)) {
      return answer(parts, visit, outcome.decision, saved, load);
    }
    load?.putBack();
    if (typeof saved === 'object') {
      await takeBack(parts, saved, outcome);
      continue;
    }
    if (saved === 'full') return overCapacity(parts, visit);
  }
  return overCapacity(parts, asked);
}

/** Returns the request with the current project state. */
function withView(visit: Visit, view: ProjectView | undefined): Visit {
  return view === undefined || view === visit.view ? visit : { ...visit, view };
}

/** Checks the secret or password in a request and, in a closed project, that the device is enrolled. */
export async function mayEnter(
  parts: DeviceParts,
  visit: Pick<Visit, 'request' | 'view' | 'address'>,
  record: DeviceRecord | undefined,
): Promise<Entry | ErrorResponse> {
  const entry = bySecret(visit, record) ?? (await byPassword(parts, visit, record));
  if ('status' in entry) return entry;
  if (visit.view.project.access === 'closed' && record?.enrolled !== true) {
    return { status: 404, text: 'Device not enrolled in this project' };
  }
  return entry;
}

/** Returns undefined if the device has not used a secret yet: it is then admitted as it was before it had one. */
function bySecret(
  { request, view }: Pick<Visit, 'request' | 'view'>,
  record: DeviceRecord | undefined,
): Entry | ErrorResponse | undefined {
  const secret = record && secretIn(request.headers.authorization, record);
  if (secret !== undefined) return { authenticated: true, hasNewestSecret: secret === record?.secrets?.newest };
  return record?.secrets?.required === true ? wrongPassword(view.project.name) : undefined;
}

async function byPassword(
  { credentials, failures }: DeviceParts,
  { request, view, address }: Pick<Visit, 'request' | 'view' | 'address'>,
  record: DeviceRecord | undefined,
): Promise<Entry | ErrorResponse> {
  const { project } = view;
  const credential = record?.credential ?? project.credential;
  const { authorization } = request.headers;
  if (credential === undefined) return { authenticated: false, hasNewestSecret: false };
  const entry = { authenticated: true, hasNewestSecret: false };
  if (credentials.isKnown(credential, authorization)) return entry;
  // Skip the check for a rate-limited address, because each password check takes tens of milliseconds.
  if (!failures.hasAny(address)) return wrongPassword(project.name);
  const isRight = await credentials.check(credential, authorization);
  if (isRight === 'busy') return { status: 429, text: 'Too many concurrent logins' };
  return isRight ? entry : wrongPassword(project.name);
}

function wrongPassword(project: string): ErrorResponse {
  const headers = { 'WWW-Authenticate': `Basic realm="${project}", charset="UTF-8"` };
  return { status: 401, text: 'Wrong user or password', headers };
}

/**
 * Returns false if the rollout stopped while the decision was being saved. The release of a stopped rollout is not sent to any more
 * devices.
 */
function isStillMeant({ catalog }: DeviceParts, { view }: Visit, decision: Decision): boolean {
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
async function takeBack({ records }: DeviceParts, { project, mac }: DeviceRecord, { settled }: Outcome): Promise<void> {
  await records.change(project, mac, (record) => record && { ...record, attempts: settled });
}

async function decideVisit(
  { store, clock }: DeviceParts,
  visit: Visit,
  record: DeviceRecord,
  { authenticated, hasNewestSecret }: Entry,
): Promise<Outcome> {
  const { report, view, mode, channel, address } = visit;
  const recognized = report.sketchMd5 === undefined ? [] : await store.catalog.recognize(report.sketchMd5);
  const running = whatRuns(view.project.name, report, recognized);
  const releases = await releasesFor(store, visit, record);
  const from = { address, authenticated };
  const now = clock.now();
  return decide({
    mode,
    channel,
    report,
    running,
    record,
    releases,
    patience: view.project,
    now,
    from,
    hasNewestSecret,
  });
}

/** Selects the releases for a device. A pinned device is sent its pinned version, regardless of channels and rollouts. */
async function releasesFor({ catalog }: DeviceParts['store'], visit: Visit, record: DeviceRecord): Promise<Releases> {
  const releases = visit.releases(visit.view, record) ?? nothing;
  if (record.pin === undefined) return releases;
  const current = await catalog.withVersion(visit.view.project.name, record.pin);
  return { current, intermediateReleases: releases.intermediateReleases };
}

function save(
  { records }: DeviceParts,
  { record, settled }: Outcome,
  known: DeviceRecord | undefined,
): Promise<DeviceRecord | 'conflict' | 'full'> {
  return record === known ? Promise.resolve(record) : records.save(record, { before: known, settled });
}

function answer(
  parts: DeviceParts,
  visit: Visit,
  decision: Decision,
  record: DeviceRecord,
  load: Load | undefined,
): ErrorResponse | undefined {
  const { lastSeen, clock } = parts;
  const { response, mode, view, mac, report } = visit;
  lastSeen.note(view.project.name, mac, clock.now().wallMs, () => storedReport(report));
  if (mode === 'version') return tellVersion(parts, response, decision, record);
  if (decision.action === 'send') {
    if (load === undefined) throw new Error('there is nothing to send');
    const { request } = visit;
    const { release, artifact } = decision;
    send(parts, { request, response, project: view.project.name, mac, release, artifact }, load);
    return undefined;
  }
  if (decision.action === 'none' && decision.code === 'no-release') return { status: 404, text: decision.text };
  if (decision.action === 'up-to-date') rememberAnswer(parts, visit, record);
  countIn(parts.counters.answers, 304);
  answerNotModified(response);
  return undefined;
}

/** Caches the 304 response until the record or the project changes, or the device sends a different request. */
function rememberAnswer({ quick, records, clock }: DeviceParts, visit: Visit, record: DeviceRecord): void {
  const { view, mac, report, channel } = visit;
  if (!visit.mayBeRemembered || !records.isLatest(record)) return;
  const secret = secretIn(visit.request.headers.authorization, record);
  // Until the device has used its newest secret, the next request may contain another one, or none.
  if (secret !== record.secrets?.newest) return;
  const credential = record.credential ?? view.project.credential;
  const notedAt = clock.now().wallMs;
  quick.set(view.project.name, mac, { reportId: report.id, channel, view, credential, secret, notedAt });
}

/**
 * Responds to a version check with the version that the device can install. If there is none, responds with the version that the device
 * runs, because the device would treat a 304 as an error here.
 */
function tellVersion(
  { counters }: DeviceParts,
  response: ServerResponse,
  decision: Decision,
  { running }: DeviceRecord,
): ErrorResponse | undefined {
  const version = decision.action === 'none' ? running?.version : decision.target.version;
  const isNothing = decision.action === 'none' && decision.code === 'no-release';
  if (version === undefined || isNothing) return { status: 404, text: decision.text };
  countIn(counters.answers, 200);
  answerVersion(response, version, decision.action === 'send' ? decision.artifact.md5 : undefined);
  return undefined;
}

/** Defers the update check: the device is asked to check again later. */
function overCapacity({ counters }: DeviceParts, { response }: Visit): undefined {
  counters.overCapacity++;
  countIn(counters.answers, 503);
  answerUnavailable(response);
}
