import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Artifact } from '../../../core/model/manifest.ts';
import type { BlockingFinding } from '../../../core/preflight/plan.ts';
import { changedRecord } from '../../storage/device-record.ts';
import type { Attempt, DecisionRecord, DeviceRecord, ReleaseRecord } from '../../storage/records.ts';
import { type Admission, admit, type RolloutView } from '../rollouts/admission.ts';
import type { ServiceTime } from '../rollouts/service-clock.ts';
import { afterRequest, afterSend, attemptOf, type RetryPolicy } from './attempts.ts';
import { planned } from './planned.ts';
import type { DeviceReport, Mode } from './report.ts';
import { boardOf, isRunning, type Running, runningRecord } from './running.ts';

/** Releases that a channel has for devices. */
export interface Releases {
  /** Current releases of the channel: one for each kind and board. */
  readonly offered: readonly ReleaseRecord[];
  /** Sketches of the channel that can be intermediate releases; preferred ones first. */
  readonly intermediateReleases: readonly ReleaseRecord[];
  /** Newest rollout of the channel, in any state. */
  readonly rollout?: RolloutView | undefined;
}

export interface Question {
  readonly mode: Mode;
  /** Channel named in the request URL, if any. */
  readonly channel: string | undefined;
  readonly report: DeviceReport;
  readonly running: Running;
  readonly record: DeviceRecord;
  readonly releases: Releases;
  readonly patience: RetryPolicy;
  readonly now: ServiceTime;
}

/** Decision about an update check. The code is for programs, the text for people. */
export type Decision =
  | {
      readonly action: 'send';
      readonly code: 'update' | 'first-hop';
      readonly text: string;
      readonly release: ReleaseRecord;
      readonly artifact: Artifact;
      /** Release at the end of the upgrade path. */
      readonly target: ReleaseRecord;
    }
  | {
      readonly action: 'current';
      readonly code: 'runs-it' | 'says-its-version' | 'has-its-files';
      readonly text: string;
      readonly target: ReleaseRecord;
    }
  | {
      readonly action: 'refuse';
      readonly code: 'nothing-offered' | 'not-yet' | 'board-unknown' | 'unsafe' | 'failed';
      readonly text: string;
      readonly target: ReleaseRecord | undefined;
      /** Preflight rules that block the update; empty for other codes. */
      readonly rules: readonly string[];
    };

export interface Outcome {
  readonly decision: Decision;
  /** Device record after the request; the same object if nothing changed. */
  readonly record: DeviceRecord;
}

/**
 * Decides how to respond to an update check. Pure function of the request, the device record and the releases. The planner chooses the
 * artifact, as for an upload.
 */
export function decide(question: Question): Outcome {
  const { mode, record, report, running, patience, now } = question;
  const kind: ImageKind = mode === 'spiffs' ? 'filesystem' : 'sketch';
  const attempts = afterRequest(record.attempts, { mode, report, running }, patience, now);
  const decision = judge(question, kind, attempts);
  const told = decisionRecord(decision, record.decisions[kind], now);
  const isSent = decision.action === 'send' && mode !== 'version';
  const next = changedRecord(record, {
    firstSeenAt: record.firstSeenAt ?? now.wallMs,
    askedChannel: question.channel ?? record.askedChannel,
    running: runningRecord(running, record.running, now),
    proven: record.proven === true || attempts.some(({ state, kind }) => kind === 'sketch' && state === 'running'),
    decisions: {
      sketch: kind === 'sketch' ? told : record.decisions.sketch,
      filesystem: kind === 'filesystem' ? told : record.decisions.filesystem,
    },
    attempts: isSent ? afterSend(attempts, decision.release, patience, now) : attempts,
  });
  const isNews = isSent || JSON.stringify(next) !== JSON.stringify(record);
  return { decision, record: isNews ? next : record };
}

function judge(question: Question, kind: ImageKind, attempts: readonly Attempt[]): Decision {
  const { releases, running, record } = question;
  const offered = releases.offered.filter((release) => release.kind === kind);
  const board = boardOf(running, record);
  const admission = admissionOf(question, kind, board, offeredFor(offered, board));
  const target = 'release' in admission ? admission.release : offeredFor(offered, board);
  if (target === undefined) return admission.kind === 'wait' ? notYet(admission) : withoutTarget(offered, board);
  const attempt = attemptOf(attempts, target.id);
  return alreadyThere(question, target, attempt) ?? toTarget(question, kind, target, attempts);
}

/** Selects the release for a board. A device with an unknown board gets a release only if there is exactly one. */
function offeredFor(offered: readonly ReleaseRecord[], board: string | undefined): ReleaseRecord | undefined {
  if (board !== undefined) {
    return offered.find((release) => release.board === board) ?? offered.find((release) => release.board === '');
  }
  return offered.length === 1 ? offered[0] : undefined;
}

/** Applies the rollout of the channel, if any, to the device. */
function admissionOf(
  { releases, running, record }: Question,
  kind: ImageKind,
  board: string | undefined,
  offered: ReleaseRecord | undefined,
): Admission {
  const { rollout } = releases;
  if (rollout === undefined) return { kind: 'offer' };
  const release = offeredFor(
    rollout.releases.filter((each) => each.kind === kind),
    board,
  );
  const hasFiles = attemptOf(record.attempts, release?.id ?? 0)?.state === 'running';
  const runsIt = release !== undefined && (kind === 'filesystem' ? hasFiles : isRunning(running, release.id));
  return admit(rollout, { mac: record.mac, enrolled: record.enrolled, group: record.group, release, runsIt, offered });
}

function notYet({ reason }: Extract<Admission, { kind: 'wait' }>): Decision {
  return { action: 'refuse', code: 'not-yet', text: reason, target: undefined, rules: [] };
}

function withoutTarget(offered: readonly ReleaseRecord[], board: string | undefined): Decision {
  const boards = offered.map((release) => release.board || 'no board in particular').sort();
  const isUnknown = board === undefined && offered.length > 1;
  const code = isUnknown ? 'board-unknown' : 'nothing-offered';
  const reason = isUnknown ? 'the board of this device is not known' : `this device is a ${board}`;
  const what =
    offered.length === 0
      ? 'nothing is offered on this channel'
      : `it is offered for ${boards.join(', ')}, and ${reason}`;
  return { action: 'refuse', code, text: what, target: undefined, rules: [] };
}

function alreadyThere(
  { running, report }: Question,
  target: ReleaseRecord,
  attempt: Attempt | undefined,
): Decision | undefined {
  const { version } = target;
  if (target.kind === 'sketch' && running.by === 'md5') {
    if (!isRunning(running, target.id)) return undefined;
    return { action: 'current', code: 'runs-it', text: `runs ${version}, by its sketch MD5`, target };
  }
  if (report.version === version) {
    return { action: 'current', code: 'says-its-version', text: `says that it has ${version}`, target };
  }
  if (target.kind === 'filesystem' && attempt?.state === 'running') {
    return { action: 'current', code: 'has-its-files', text: `took the files of ${version} before`, target };
  }
  return undefined;
}

function toTarget(question: Question, kind: ImageKind, target: ReleaseRecord, attempts: readonly Attempt[]): Decision {
  const { report, running, record, releases } = question;
  const way = planned({ report, running, record, kind }, target, releases.intermediateReleases);
  if (way.kind === 'refuse') return unsafe(target, way.refused);
  const step = way.kind === 'send' ? way : way.hops[0];
  if (step === undefined) throw new Error('a plan without a step');
  const { record: release } = step.release;
  // A filesystem request must not receive a sketch: the device would write it over its files.
  if (way.kind === 'hops' && release.kind !== kind) return unsafe(target, way.refused);
  const attempt = attemptOf(attempts, release.id);
  if (attempt?.state === 'failed') return failed(attempt, target);
  const what = `${release.version} as ${step.artifact.file}`;
  if (way.kind === 'send') {
    return { action: 'send', code: 'update', text: `gets ${what}`, release, artifact: step.artifact, target };
  }
  const text = `gets ${what} on its way to ${target.version}, which it cannot take yet`;
  return { action: 'send', code: 'first-hop', text, release, artifact: step.artifact, target };
}

function unsafe(target: ReleaseRecord, refused: readonly BlockingFinding[]): Decision {
  const rules = [...new Set(refused.map(({ rule }) => rule))];
  const [first] = refused;
  const text = `${target.version} would be unsafe: ${first === undefined ? 'it has no artifact' : `${first.message}; ${first.fix}`}`;
  return { action: 'refuse', code: 'unsafe', text, target, rules };
}

function failed({ version, sends, failure }: Attempt, target: ReleaseRecord): Decision {
  const attempts = sends === 1 ? '1 attempt' : `${sends} attempts`;
  const outcome = {
    vanished: `${version} is not confirmed: no update check since the download`,
    silent: `${version} is not confirmed: no update check since an incomplete download`,
    'not-running': `${version} is not installed: the device still runs another build`,
    interrupted: `Download of ${version} never completed`,
  }[failure ?? 'interrupted'];
  const text = `${outcome} (${attempts}). Use Retry to send it again.`;
  return { action: 'refuse', code: 'failed', text, target, rules: [] };
}

/**
 * Returns the previous record if the decision is the same. Numbers in its text may differ on every request and do not count as a change.
 */
function decisionRecord(decision: Decision, before: DecisionRecord | undefined, now: ServiceTime): DecisionRecord {
  const version = decision.target?.version;
  const about = decision.action === 'send' ? `${decision.code} ${decision.artifact.sha256}` : decision.code;
  const code = decision.action === 'refuse' ? [decision.code, ...decision.rules].join(' ') : about;
  if (before?.action === decision.action && before.code === code && before.version === version) return before;
  return { action: decision.action, code, text: decision.text, version, at: now.wallMs };
}
