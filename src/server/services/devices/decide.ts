import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Artifact } from '../../../core/model/manifest.ts';
import { counted, roundedDuration } from '../../../core/model/quantity-text.ts';
import type { PlanBlock } from '../../../core/preflight/plan.ts';
import { afterUse } from '../../storage/device-credentials.ts';
import { changedRecord } from '../../storage/device-record.ts';
import type {
  Attempt,
  BlockedUpdate,
  DecisionRecord,
  DeviceRecord,
  InstallRequest,
  ReleaseRecord,
  ReportSource,
  RolloutExclusion,
  RolloutRecord,
} from '../../storage/records.ts';
import { type Admission, admit, type RolloutView } from '../rollouts/admission.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import { isWindowOpen, windowText } from '../rollouts/window.ts';
import {
  afterRequest,
  afterSend,
  attemptOf,
  deliveriesOf,
  interruptionWaitMs,
  mayTryAgain,
  type RetryPolicy,
} from './attempts.ts';
import { blockedText, blockOf } from './blocked-update.ts';
import { boardFix, exclusionFix, exclusionFrom, shownBoard } from './exclusion.ts';
import { failureText } from './failure-text.ts';
import { planned } from './planned.ts';
import { releaseFor } from './release-for.ts';
import type { DeviceReport, Mode } from './report.ts';
import { boardOf, isRunning, type Running, runningRecord } from './running.ts';

/** Releases available to devices on a channel. */
export interface Releases {
  /** The channel's current releases: one for each kind and board. */
  readonly current: readonly ReleaseRecord[];
  /** The channel's sketches that can serve as intermediate releases, in order of preference. */
  readonly intermediateReleases: readonly ReleaseRecord[];
  /** Newest rollout on the channel, in any state. */
  readonly rollout?: RolloutView | undefined;
}

export interface Question {
  readonly mode: Mode;
  /** Channel in the request URL, if any. */
  readonly channel: string | undefined;
  readonly report: DeviceReport;
  readonly running: Running;
  readonly record: DeviceRecord;
  readonly releases: Releases;
  readonly retryPolicy: RetryPolicy;
  readonly now: ServiceTime;
  readonly from: ReportSource;
  /** Sends of the channel's rollout within the last hour, if it limits them. */
  readonly sendsWithinHour?: number | undefined;
  /** True if the request contained the device's newest secret. */
  readonly hasNewestSecret: boolean;
}

/** Decision on an update check. Programs use the code, and people read the text. */
export type Decision =
  | {
      readonly action: 'send';
      readonly code: 'update' | 'intermediate';
      readonly text: string;
      readonly release: ReleaseRecord;
      readonly artifact: Artifact;
      /** Release at the end of the upgrade path. */
      readonly target: ReleaseRecord;
      /** Rollout whose window and limit per hour apply to this send. */
      readonly rollout?: RolloutRecord | undefined;
    }
  | {
      readonly action: 'up-to-date';
      readonly code: 'running' | 'version-reported' | 'files-installed';
      readonly text: string;
      readonly target: ReleaseRecord;
    }
  | {
      readonly action: 'none';
      readonly code: 'no-release' | 'rollout-pending' | 'board-unknown' | 'blocked' | 'interrupted' | 'failed';
      readonly text: string;
      readonly target: ReleaseRecord | undefined;
      /** Version of the rollout that the decision is about, if there is no target. */
      readonly version?: string | undefined;
      /** Preflight rules that block the update; empty for other codes. */
      readonly rules: readonly string[];
      /** Explanation of a blocked update. */
      readonly blocked?: BlockedUpdate | undefined;
    };

export interface Outcome {
  readonly decision: Decision;
  /** Device record after the request; the same object if nothing changed. */
  readonly record: DeviceRecord;
  /** Attempts after the request, without the attempt that a decision to send adds. */
  readonly settled: readonly Attempt[];
}

/**
 * Decides how to respond to an update check. Pure function of the request, the device record and the releases. As for uploads, the planner
 * chooses the artifact.
 */
export function decide(question: Question): Outcome {
  const { mode, record, report, running, retryPolicy, now, from } = question;
  const kind: ImageKind = mode === 'spiffs' ? 'filesystem' : 'sketch';
  const attempts = afterRequest(record.attempts, { mode, report, running }, retryPolicy, now);
  const shown = shownBoard(question);
  const exclusion = exclusionFrom(question.releases.rollout, question, shown);
  const decision = decisionOn(question, { kind, attempts, exclusion });
  const decided = decisionRecord(decision, record.decisions[kind], now, from);
  const isSent = decision.action === 'send' && mode !== 'version';
  const changes = {
    secrets: record.secrets && question.hasNewestSecret ? afterUse(record.secrets, now.wallMs) : record.secrets,
    firstSeenAt: record.firstSeenAt ?? now.wallMs,
    requestedChannels: channelsAfter(question),
    install: installAfter(question, kind, decision),
    running: runningRecord(running, record.running, now, from),
    shownBoard: shown,
    exclusion,
    proven: record.proven === true || attempts.some(({ state, kind }) => kind === 'sketch' && state === 'running'),
    decisions: decided === record.decisions[kind] ? record.decisions : { ...record.decisions, [kind]: decided },
    attempts: isSent ? afterSend(attempts, decision.release, retryPolicy, now, from) : attempts,
  };
  const isNews = isSent || hasChanged(record, changes);
  return { decision, record: isNews ? changedRecord(record, changes) : record, settled: attempts };
}

/** Returns whether values differ from those of a record. Only values that are not the same object are compared as JSON, which is slow. */
function hasChanged(record: DeviceRecord, changes: Partial<DeviceRecord>): boolean {
  // The type of `Object.keys` does not preserve the keys.
  const fields = Object.keys(changes) as (keyof DeviceRecord)[];
  return fields.some(
    (field) => record[field] !== changes[field] && JSON.stringify(record[field]) !== JSON.stringify(changes[field]),
  );
}

/**
 * Returns the channels of a device after a request. For an enrolled device, a request without credentials can only add an existing channel,
 * so that nonexistent names cannot fill the record.
 */
function channelsAfter({ channel, record, releases, from }: Question): readonly string[] | undefined {
  const { requestedChannels: known = [], enrolled } = record;
  if (channel === undefined || (known.length === 1 && known[0] === channel)) return record.requestedChannels;
  if (from.authenticated || !enrolled || known.length === 0) return [channel];
  const isPossible = record.channel === undefined && record.pin === undefined && hasReleases(releases);
  return isPossible && !known.includes(channel) ? [...known, channel] : known;
}

/**
 * Returns the install request after a request. A decision ends it, whatever the decision is, so that the release is sent at most once. Only
 * an intermediate release leaves it for the next update check.
 */
function installAfter({ mode, record }: Question, kind: ImageKind, decision: Decision): InstallRequest | undefined {
  const { install } = record;
  if (install === undefined || mode === 'version' || !install.kinds.includes(kind)) return install;
  if (decision.code === 'intermediate' && decision.target.version === install.version) return install;
  const kinds = install.kinds.filter((other) => other !== kind);
  return kinds.length === 0 ? undefined : { ...install, kinds };
}

function isRequested({ install }: DeviceRecord, { version, kind }: ReleaseRecord): boolean {
  return install?.version === version && install.kinds.includes(kind);
}

function hasReleases({ current, rollout }: Releases): boolean {
  return current.length > 0 || rollout !== undefined;
}

interface Circumstances {
  readonly kind: ImageKind;
  readonly attempts: readonly Attempt[];
  /** Why the channel's rollout has no image for the device. */
  readonly exclusion: RolloutExclusion | undefined;
}

function decisionOn(question: Question, { kind, attempts, exclusion }: Circumstances): Decision {
  const { releases, running, record } = question;
  const current = releases.current.filter((release) => release.kind === kind);
  const board = boardOf(running, record);
  const admission = admissionOf(question, kind, board, releaseFor(current, board));
  const target = 'release' in admission ? admission.release : releaseFor(current, board);
  if (target === undefined && admission.kind === 'wait') return notYet(admission);
  const there = target && alreadyThere(question, target, attemptOf(attempts, target.id));
  if (target !== undefined && there === undefined) {
    const decision = toTarget(question, kind, target, attempts);
    // The window and the limit apply last, so that a device that preflight blocks stays blocked meanwhile.
    const isLimited = admission.kind === 'release' && !isRequested(record, target);
    return isLimited && decision.action === 'send' ? withinLimits(question, decision) : decision;
  }
  // The device runs the channel's current release, or there is none for it.
  if (admission.kind === 'wait' && admission.isToCome) return notYet(admission);
  if (exclusion?.code === 'board-unknown') return boardUnknown(exclusion, record);
  return there ?? withoutTarget(question, current, board);
}

/** Applies the channel's rollout, if any, to the device. */
function admissionOf(
  { releases, running, record }: Question,
  kind: ImageKind,
  board: string | undefined,
  current: ReleaseRecord | undefined,
): Admission {
  const { rollout } = releases;
  if (rollout === undefined) return { kind: 'current' };
  const release = releaseFor(
    rollout.releases.filter((each) => each.kind === kind),
    board,
  );
  const hasFiles = attemptOf(record.attempts, release?.id ?? 0)?.state === 'running';
  const runsIt = release !== undefined && (kind === 'filesystem' ? hasFiles : isRunning(running, release.id));
  const { mac, enrolled, group } = record;
  const isWanted = release !== undefined && isRequested(record, release);
  return admit(rollout, { mac, enrolled, group, release, isRequested: isWanted, runsIt, current });
}

/** Delays a send of a rollout outside of its window, or beyond its limit per hour. */
function withinLimits(
  { releases, now, sendsWithinHour = 0 }: Question,
  decision: Extract<Decision, { action: 'send' }>,
): Decision {
  const { rollout } = releases.rollout ?? {};
  if (rollout === undefined) return decision;
  const { window, perHour, version } = rollout;
  if (window !== undefined && !isWindowOpen(window, now.wallMs)) {
    return notYet({ version, reason: `Waiting for the window of the rollout of ${version}: ${windowText(window)}.` });
  }
  if (perHour !== undefined && sendsWithinHour >= perHour) {
    const updates = counted(perHour, 'update');
    return notYet({ version, reason: `Waiting: the rollout of ${version} sends at most ${updates} per hour.` });
  }
  return window === undefined && perHour === undefined ? decision : { ...decision, rollout };
}

function notYet({ reason, version }: Pick<Extract<Admission, { kind: 'wait' }>, 'reason' | 'version'>): Decision {
  return { action: 'none', code: 'rollout-pending', text: reason, target: undefined, version, rules: [] };
}

function boardUnknown(exclusion: RolloutExclusion, record: DeviceRecord): Decision {
  const { version } = exclusion;
  const text = `${exclusion.text} Fix: ${exclusionFix(exclusion, record)}.`;
  return { action: 'none', code: 'board-unknown', text, target: undefined, version, rules: [] };
}

function withoutTarget({ record }: Question, current: readonly ReleaseRecord[], board: string | undefined): Decision {
  const isUnknown = board === undefined && current.length > 1;
  const code = isUnknown ? 'board-unknown' : 'no-release';
  return { action: 'none', code, text: noReleaseText(record, current, board), target: undefined, rules: [] };
}

function noReleaseText(record: DeviceRecord, current: readonly ReleaseRecord[], board: string | undefined): string {
  if (current.length === 0) return 'No current release on this channel.';
  const boards = current.map((release) => release.board || 'any board').sort();
  const found = `Current releases are for ${boards.join(', ')}`;
  return board === undefined
    ? `${found}; the board of this device is unknown. Fix: ${boardFix(record)}.`
    : `${found}; this device is a ${board}.`;
}

function alreadyThere(
  { running, report }: Question,
  target: ReleaseRecord,
  attempt: Attempt | undefined,
): Decision | undefined {
  const { version } = target;
  if (target.kind === 'sketch' && running.by === 'md5') {
    if (!isRunning(running, target.id)) return undefined;
    return { action: 'up-to-date', code: 'running', text: `Runs ${version}, identified by sketch MD5.`, target };
  }
  if (report.version === version) {
    return { action: 'up-to-date', code: 'version-reported', text: `Reports version ${version}.`, target };
  }
  if (target.kind === 'filesystem' && attempt?.state === 'running') {
    return {
      action: 'up-to-date',
      code: 'files-installed',
      text: `Has already downloaded the filesystem image of ${version}.`,
      target,
    };
  }
  return undefined;
}

function toTarget(question: Question, kind: ImageKind, target: ReleaseRecord, attempts: readonly Attempt[]): Decision {
  const { report, running, record, releases } = question;
  const path = planned({ report, running, record, kind }, target, releases.intermediateReleases);
  if (path.kind === 'blocked') return blocked(record, target, path);
  const step = path.kind === 'send' ? path : path.hops[0];
  if (step === undefined) throw new Error('a plan without a step');
  const { record: release } = step.release;
  // Never respond to a filesystem request with a sketch: the device would overwrite its files with the sketch.
  if (path.kind === 'hops' && release.kind !== kind) return blocked(record, target, path);
  const attempt = attemptOf(attempts, release.id);
  const delay = attempt && delayedBy(question, attempt, target);
  if (delay !== undefined) return delay;
  const what = `${release.version} (${step.artifact.file})`;
  if (path.kind === 'send') {
    return {
      action: 'send',
      code: 'update',
      text: `Update to ${what} sent.`,
      release,
      artifact: step.artifact,
      target,
    };
  }
  const text = `Intermediate update to ${what} sent; ${target.version} cannot be installed directly.`;
  return { action: 'send', code: 'intermediate', text, release, artifact: step.artifact, target };
}

function blocked(record: DeviceRecord, target: ReleaseRecord, { blockedBy }: Pick<PlanBlock, 'blockedBy'>): Decision {
  const block = blockOf(blockedBy);
  const rules = block.findings.map(({ rule }) => rule);
  const text = `${target.version} blocked: ${blockedText(block, record)}.`;
  return { action: 'none', code: 'blocked', text, target, rules, blocked: block };
}

/** Returns the decision to delay a release that the device did not install; undefined if the release can be sent now. */
function delayedBy(
  { report, retryPolicy, now, record }: Question,
  attempt: Attempt,
  target: ReleaseRecord,
): Decision | undefined {
  if (isRequested(record, target)) return undefined;
  if (attempt.state === 'interrupted') return interrupted(attempt, retryPolicy, now, target);
  if (attempt.state !== 'failed' || mayTryAgain(attempt, report, now)) return undefined;
  const downloads = counted(deliveriesOf(attempt), 'download');
  const isDaily = attempt.kind === 'sketch' && report.sketchMd5 !== undefined;
  const next = isDaily ? 'It is sent once more each day. Use Retry to send it now.' : 'Use Retry to send it again.';
  const text = `${failureText(attempt)} (${downloads}). ${next}`;
  return { action: 'none', code: 'failed', text, target, rules: [] };
}

function interrupted(
  attempt: Attempt,
  retryPolicy: RetryPolicy,
  now: ServiceTime,
  target: ReleaseRecord,
): Decision | undefined {
  const waitMs = interruptionWaitMs(attempt, retryPolicy);
  if (now.servedMs >= attempt.sentMs + waitMs) return undefined;
  const times = attempt.interruptions === 1 ? 'once' : `${attempt.interruptions} times`;
  const text = `Download of ${attempt.version} interrupted ${times}. It is sent again ${roundedDuration(waitMs)} after the last download started. Use Retry to send it now.`;
  return { action: 'none', code: 'interrupted', text, target, rules: [] };
}

/** Returns the previous record if the decision is unchanged. Different numbers in the decision text do not count as a change. */
function decisionRecord(
  decision: Decision,
  before: DecisionRecord | undefined,
  now: ServiceTime,
  { authenticated }: ReportSource,
): DecisionRecord {
  const version = decision.target?.version ?? (decision.action === 'none' ? decision.version : undefined);
  const about = decision.action === 'send' ? `${decision.code} ${decision.artifact.sha256}` : decision.code;
  const code = decision.action === 'none' ? [decision.code, ...decision.rules].join(' ') : about;
  const blocked = decision.action === 'none' ? decision.blocked : undefined;
  const isSame = before?.action === decision.action && before.code === code && before.version === version;
  const isSameReason = code !== 'rollout-pending' || before?.text === decision.text;
  if (isSame && isSameReason && before.blocked?.artifact === blocked?.artifact) {
    return authenticated && before.authenticated !== true ? { ...before, authenticated } : before;
  }
  return { action: decision.action, code, text: decision.text, version, blocked, at: now.wallMs, authenticated };
}
