import type { ChaosLog, Commit, LoggedAttempt, RolloutState } from './log.ts';

/** Releases and rollout states of a project at one moment. */
export interface Served {
  readonly current: string | undefined;
  readonly rollout: RolloutState | undefined;
  readonly yanked: ReadonlySet<string>;
}

interface Moment<Value> {
  readonly at: number;
  readonly value: Value;
}

export const nothingServed: Served = { current: undefined, rollout: undefined, yanked: new Set() };

/** States of all projects and devices over time, as the database has committed them. */
export class Timeline {
  readonly #served = new Map<string, Moment<Served>[]>();
  readonly #attempts = new Map<string, Moment<readonly LoggedAttempt[]>[]>();

  constructor(commits: readonly Commit[]) {
    for (const commit of commits) this.#add(commit);
  }

  /** Returns the state of a project just before this time, and after each change until `to`. */
  servedBetween(project: string, from: number, to: number): readonly Served[] {
    return between(this.#served.get(project) ?? [], from, to, nothingServed);
  }

  attemptsBetween(project: string, mac: string, from: number, to: number): readonly (readonly LoggedAttempt[])[] {
    return between(this.#attempts.get(`${project} ${mac}`) ?? [], from, to, []);
  }

  #add(commit: Commit): void {
    const { at, project } = commit;
    if (commit.kind === 'attempts') {
      listOf(this.#attempts, `${project} ${commit.mac}`).push({ at, value: commit.attempts });
      return;
    }
    const moments = listOf(this.#served, project);
    moments.push({ at, value: afterCommit(moments.at(-1)?.value ?? nothingServed, commit) });
  }
}

/** Returns what a project serves after a commit. */
export function afterCommit(before: Served, commit: Commit): Served {
  switch (commit.kind) {
    case 'current':
      return { ...before, current: commit.version };
    case 'yank':
      return { ...before, yanked: new Set([...before.yanked, commit.version]) };
    case 'rollout': {
      const isOlder = before.rollout !== undefined && commit.id < before.rollout.id;
      return isOlder ? before : { ...before, rollout: commit };
    }
    case 'attempts':
      return before;
  }
}

/** Version that a device should run; undefined if there is none. The rules are those of `docs/rollout.md`. */
export function targetOf({ current, rollout, yanked }: Served, runs: string, group: string | undefined) {
  const served = current !== undefined && !yanked.has(current) ? current : undefined;
  if (rollout === undefined || yanked.has(rollout.version)) return served;
  const isSuperseded = served !== undefined && !rollout.previous.includes(served);
  const hasEnded = rollout.state === 'complete' || rollout.state === 'rolled-back';
  if (isSuperseded || hasEnded) return served;
  if (runs === rollout.version) return runs;
  const stage = rollout.stages.findIndex((groups) => group !== undefined && groups.includes(group));
  const isOpen = (stage === -1 ? rollout.stages.length - 1 : stage) < rollout.openStages;
  return rollout.state === 'active' && isOpen ? rollout.version : served;
}

/** Returns whether a device must be sent its target: there is one that it neither runs nor has failed to install. */
export function mustSend(
  target: string | undefined,
  runs: string,
  attempts: readonly LoggedAttempt[],
  { mostSends }: Pick<ChaosLog, 'mostSends'>,
): boolean {
  if (target === undefined || target === runs) return false;
  const attempt = attempts.find(({ version }) => version === target);
  if (attempt === undefined) return true;
  const isWaiting = attempt.state === 'failed' || attempt.lastInterrupted === attempt.sends;
  return !isWaiting && attempt.sends - attempt.interruptions < mostSends;
}

function listOf<Value>(map: Map<string, Moment<Value>[]>, key: string): Moment<Value>[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

/** The last value before `from`, and all values from then until `to`. */
function between<Value>(moments: readonly Moment<Value>[], from: number, to: number, initial: Value): Value[] {
  const first = firstAtOrAfter(moments, from);
  const values = [moments[first - 1]?.value ?? initial];
  for (let index = first; index < moments.length; index++) {
    const moment = moments[index];
    if (moment === undefined || moment.at > to) break;
    values.push(moment.value);
  }
  return values;
}

function firstAtOrAfter(moments: readonly Moment<unknown>[], at: number): number {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle]?.at ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
