import type { ApiWrite, ChaosLog, Commit, DeviceResponse, LoggedAttempt, Outage } from './log.ts';
import { afterCommit, mustSend, nothingServed, type Served, Timeline, targetOf } from './timeline.ts';

export const rules = {
  'send-after-halt': 'a send of a release that the rollout or the channel no longer allowed',
  'beyond-limit': 'an attempt beyond the limit of downloads',
  'unrecorded-send': 'a download without a committed attempt',
  'lost-send': 'an attempt that forgot a send',
  'wrong-artifact': 'a download of other bytes than those published',
  'wrong-304': 'a 304 that was wrong during the whole last second',
  'lost-write': 'an acknowledged write that is missing at the end',
  'unfounded-304': 'a 304 from a server that could not read the database during the whole last second',
  'wrong-outage-response': 'a failure of a server other than 503 with Retry-After',
  'late-failure': 'a failure later than 2 s after the component was back',
} as const;
export type Rule = keyof typeof rules;

export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

/** Time within which a process must notice a change. */
const staleMs = 1000;
/** Time after an outage within which requests may still fail. */
const recoveryMs = 2000;
/** Resolution of the clients' clock. */
const clockMs = 2;

/** Checks the log of a chaos run. Pure function. */
export function checkLog(log: ChaosLog): readonly Violation[] {
  const timeline = new Timeline(log.commits);
  return [
    ...checkSends(log),
    ...checkDownloads(log),
    ...log.responses.flatMap((response) => [
      ...check304(log, timeline, response),
      ...checkFailure(log, response, `${response.mac} (${response.project})`),
    ]),
    ...log.writes.flatMap((write) => checkFailure(log, write, `${write.key} = ${write.value}`)),
    ...checkActions(log),
    ...checkWrites(log),
  ];
}

/** Each send must be allowed by what was committed before it. */
function checkSends({ commits, groupOf, mostSends }: ChaosLog): readonly Violation[] {
  const found: Violation[] = [];
  const served = new Map<string, Served>();
  const attemptsOf = new Map<string, readonly LoggedAttempt[]>();
  for (const commit of commits) {
    const { project, at } = commit;
    const now = served.get(project) ?? nothingServed;
    served.set(project, afterCommit(now, commit));
    for (const { mac, version, sends, interruptions, earlierSends } of changedSends(commit, attemptsOf)) {
      const what = `${mac} (${project}), ${version}, ${timeText(at)}`;
      if (sends < earlierSends)
        found.push({ rule: 'lost-send', text: `${what}: ${earlierSends} sends became ${sends}` });
      if (sends <= earlierSends) continue;
      // A device that is sent a release does not run it, so the version that it runs does not matter here.
      if (targetOf(now, '', groupOf(mac)) !== version) {
        found.push({ rule: 'send-after-halt', text: `${what}: sent while ${servedText(now)}` });
      }
      if (sends - interruptions > mostSends) {
        found.push({ rule: 'beyond-limit', text: `${what}: ${sends} sends, ${interruptions} interrupted` });
      }
    }
  }
  return found;
}

interface ChangedSends extends LoggedAttempt {
  readonly mac: string;
  readonly earlierSends: number;
}

/** Returns the attempts whose sends a commit has changed, and notes the attempts of the device. */
function changedSends(commit: Commit, attemptsOf: Map<string, readonly LoggedAttempt[]>): readonly ChangedSends[] {
  if (commit.kind !== 'attempts') return [];
  const { project, mac, attempts } = commit;
  const before = attemptsOf.get(`${project} ${mac}`) ?? [];
  attemptsOf.set(`${project} ${mac}`, attempts);
  return attempts
    .map((attempt) => ({
      ...attempt,
      mac,
      earlierSends: before.find(({ version }) => version === attempt.version)?.sends ?? 0,
    }))
    .filter(({ sends, earlierSends }) => sends !== earlierSends);
}

/** Each download needs a committed send of its own, and the bytes of its version. */
function checkDownloads({ responses, commits }: ChaosLog): readonly Violation[] {
  const sends = sendTimes(commits);
  const downloads = responses.filter(({ status }) => status === 200).sort((a, b) => a.endedAt - b.endedAt);
  return downloads.flatMap((response): readonly Violation[] => {
    const { project, mac, download, startedAt, endedAt } = response;
    const version = download?.version ?? '';
    const what = `${mac} (${project}), ${version}, ${timeText(endedAt)}`;
    const own = sends.get(`${project} ${mac} ${version}`) ?? [];
    const index = own.findIndex((at) => at >= startedAt - clockMs && at <= endedAt + clockMs);
    if (index !== -1) own.splice(index, 1);
    const wrong = wrongBytes(response);
    return [
      ...(index === -1 ? [{ rule: 'unrecorded-send', text: `${what}: no send was committed` } as const] : []),
      ...(wrong === undefined ? [] : [{ rule: 'wrong-artifact', text: `${what}: ${wrong}` } as const]),
    ];
  });
}

/** Times at which sends were committed, by project, MAC and version. */
function sendTimes(commits: readonly Commit[]): ReadonlyMap<string, number[]> {
  const times = new Map<string, number[]>();
  const attemptsOf = new Map<string, readonly LoggedAttempt[]>();
  for (const commit of commits) {
    for (const { mac, version, sends, earlierSends } of changedSends(commit, attemptsOf)) {
      const key = `${commit.project} ${mac} ${version}`;
      if (sends > earlierSends) times.set(key, [...(times.get(key) ?? []), commit.at]);
    }
  }
  return times;
}

function wrongBytes({ download }: DeviceResponse): string | undefined {
  if (download === undefined) return 'it has no content';
  const { statedMd5, receivedMd5, publishedMd5s } = download;
  if (statedMd5 === undefined || !publishedMd5s.includes(statedMd5)) return `x-MD5 ${statedMd5} was never published`;
  // A connection that ends early is not a wrong artifact: the device sees that bytes are missing.
  if (receivedMd5 === undefined || receivedMd5 === statedMd5) return undefined;
  return `received MD5 ${receivedMd5}, not ${statedMd5}`;
}

/** A 304 is right if, at any moment of the last second, there was nothing to send. */
function check304(log: ChaosLog, timeline: Timeline, response: DeviceResponse): readonly Violation[] {
  const { project, mac, runs, status, startedAt, endedAt } = response;
  if (status !== 304) return [];
  const what = `${mac} (${project}) runs ${runs}, ${timeText(endedAt)}, from ${response.server}`;
  const isBlind = log.outages.some(
    (outage) =>
      (outage.component === 'database' || outage.component === 'network') &&
      excuses(outage, response.server) &&
      startedAt > outage.from + staleMs &&
      endedAt < outage.to,
  );
  if (isBlind) return [{ rule: 'unfounded-304', text: what }];
  const from = Math.min(startedAt, endedAt - staleMs) - clockMs;
  const group = log.groupOf(mac);
  const served = timeline.servedBetween(project, from, endedAt + clockMs);
  const attempts = timeline.attemptsBetween(project, mac, from, endedAt + clockMs);
  const isRight = served.some((each) =>
    attempts.some((known) => !mustSend(targetOf(each, runs, group), runs, known, log)),
  );
  if (isRight) return [];
  const [last] = served.slice(-1);
  const state = last === undefined ? '' : servedText(last);
  return [{ rule: 'wrong-304', text: `${what}: 304 while ${state}` }];
}

type Result = Pick<DeviceResponse, 'status' | 'startedAt' | 'endedAt' | 'server' | 'hasRetryAfter'>;

function checkFailure({ outages }: ChaosLog, result: Result, what: string): readonly Violation[] {
  const { status, server, startedAt, endedAt, hasRetryAfter } = result;
  if (status !== 0 && status < 500) return [];
  const text = `${what}, ${timeText(endedAt)}: ${status} from ${server ?? 'the load balancer'}`;
  // Without a server, the load balancer reports that the process ended during the request.
  const isRefused = status === 503 ? hasRetryAfter : server === undefined;
  const isExcused = outages.some((outage) => excuses(outage, server) && overlaps(outage, startedAt, endedAt));
  return [
    ...(isRefused ? [] : [{ rule: 'wrong-outage-response', text } as const]),
    ...(isExcused ? [] : [{ rule: 'late-failure', text } as const]),
  ];
}

/**
 * The load balancer fails only because no server is ready, which an outage of the bucket does not cause. A server's own response is not
 * excused by the other server's outage.
 */
function excuses({ component, server: affected }: Outage, server: string | undefined): boolean {
  if (component === 'blobs' && server === undefined) return false;
  return affected === undefined || server === undefined || affected === server;
}

function overlaps({ from, to }: Outage, startedAt: number, endedAt: number): boolean {
  return endedAt >= from - clockMs && startedAt <= to + recoveryMs;
}

/** An acknowledged action on a rollout was committed before the acknowledgment. */
function checkActions({ writes, commits }: ChaosLog): readonly Violation[] {
  return writes.flatMap((write): readonly Violation[] => {
    const { action, key, value, startedAt, endedAt } = write;
    if (action === undefined || !isAcknowledged(write)) return [];
    const isCommitted = commits.some(
      (commit) =>
        commit.kind === 'rollout' &&
        commit.project === action.project &&
        commit.id === action.rollout &&
        commit.state === value &&
        commit.at >= startedAt - clockMs &&
        commit.at <= endedAt + clockMs,
    );
    return isCommitted
      ? []
      : [{ rule: 'lost-write', text: `${key}: ${value} was not committed, ${timeText(endedAt)}` }];
  });
}

/** The value at the end is that of a write which no acknowledged write followed. */
function checkWrites({ writes, ending }: ChaosLog): readonly Violation[] {
  const byKey = new Map<string, ApiWrite[]>();
  for (const write of writes.filter(({ action }) => action === undefined))
    byKey.set(write.key, [...(byKey.get(write.key) ?? []), write]);
  return [...byKey].flatMap(([key, all]): readonly Violation[] => {
    const acknowledged = all.filter(isAcknowledged);
    if (acknowledged.length === 0) return [];
    const lastStart = Math.max(...acknowledged.map(({ startedAt }) => startedAt));
    // A write without an acknowledgment may take effect at any time after its start.
    const possible = all.filter((write) => !isAcknowledged(write) || write.endedAt + clockMs >= lastStart);
    const value = ending.get(key);
    if (possible.some((write) => write.value === value)) return [];
    const values = [...new Set(possible.map((write) => write.value))].join(' or ');
    return [{ rule: 'lost-write', text: `${key} is ${value}, not ${values}` }];
  });
}

function isAcknowledged({ status }: ApiWrite): boolean {
  return status >= 200 && status < 300;
}

function servedText({ current, rollout, yanked }: Served): string {
  const rolloutText = rollout === undefined ? '' : `, rollout ${rollout.id} of ${rollout.version} is ${rollout.state}`;
  const stages = rollout === undefined ? '' : ` with ${rollout.openStages} open stages`;
  return `${current} is current${rolloutText}${stages}${yanked.size === 0 ? '' : `, yanked: ${[...yanked].join(' ')}`}`;
}

function timeText(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
