import { setImmediate } from 'node:timers/promises';
import { defaultStalledAfterMs } from '../../../api/release-admin.ts';
import type { RolloutAction, RolloutActionRequest } from '../../../api/rollout.ts';
import type { DeviceRolloutInfo, RolloutInfo, RolloutTally, UnprovenReports } from '../../../api/rollout-info.ts';
import type { Log } from '../../observability/log.ts';
import type { Actor, DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import type { MemberChange, RolloutFilter, Store } from '../../storage/store.ts';
import { StoreUnavailableError } from '../../storage/store-unavailable.ts';
import { requireApproval } from '../approvals/require-approval.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import { theServer } from '../events/domain-event.ts';
import type { DomainEvents } from '../events/domain-events.ts';
import type { Catalog } from '../releases/catalog.ts';
import type { ProjectView } from '../releases/project-view.ts';
import { withLatestView } from '../releases/with-latest-view.ts';
import { actOn } from './actions.ts';
import { deviceRolloutInfo } from './device-rollout-info.ts';
import { evaluateRollout, type RolloutVerdict } from './evaluate-rollout.ts';
import { hasDeviceLists, type SelectedMembers } from './member-selection.ts';
import { finalOrCurrent, lacksResult, withResult } from './result.ts';
import { rolloutInfo } from './rollout-info.ts';
import { withSample } from './samples.ts';
import type { ServiceClock } from './service-clock.ts';
import { isStalled, mostExamined, stallCause, withProgress } from './stall.ts';
import { prepareRollout, type StartInput } from './start.ts';
import { isUnderWay, type RolloutStep, stepTo, stepToProgressing, stepToStalled } from './step.ts';
import {
  evidenceOf,
  failedKinds,
  mayHalt,
  memberOf,
  optimisticEvidence,
  runningKinds,
  sumOf,
  talliesOf,
  withLoweredAcceptance,
} from './tally.ts';
import { unknownRollout } from './unknown-rollout.ts';

/** Dependencies of {@link Rollouts}. */
interface Needs {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly clock: ServiceClock;
  readonly events: DomainEvents;
  readonly log: Log;
}

/** Number of devices counted in one transaction. Other writes are handled between two transactions. */
const countedAtOnce = 1000;
/**
 * Number of steps of a count for which the start of a rollout waits: 20,000 devices are counted in half a second, and 200,000 in 4 s (SQLite,
 * CPU time). The leading process counts the rest.
 */
const stepsAtStart = 20;

type RolloutKey = Pick<RolloutRecord, 'project' | 'id'>;

/** Returns the step for a rollout with these tallies; undefined to leave the rollout unchanged. */
type Choice = (rollout: RolloutRecord, tallies: readonly RolloutTally[]) => Promise<RolloutStep | undefined>;

/**
 * The server's rollouts: halts rollouts, opens stages and performs actions. The store keeps the rollouts and the counts of their devices.
 * Any process may change a rollout: a change that is based on an outdated rollout is made again.
 */
export class Rollouts {
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Lists a project's rollouts, newest first. */
  async list(
    project: string,
    { limit = 100, ...filter }: RolloutFilter & { limit?: number } = {},
  ): Promise<RolloutInfo[]> {
    const stored = await this.#needs.store.rollouts.ofProject(project, limit, filter);
    return Promise.all(stored.map((rollout) => this.#info(rollout)));
  }

  async show(project: string, id: number): Promise<RolloutInfo | undefined> {
    const stored = await this.#needs.store.rollouts.find(project, id);
    return stored && this.#info(stored);
  }

  /** Returns a device's state in the rollout on its channel. */
  ofDevice(record: DeviceRecord): DeviceRolloutInfo | undefined {
    for (const rollout of this.#needs.catalog.view(record.project)?.rollouts ?? []) {
      const info = deviceRolloutInfo(rollout, record);
      if (info !== undefined) return info;
    }
    return undefined;
  }

  /** Halts the rollouts for which a saved change to a device makes a halt rule apply. */
  async haltIfNeeded(project: string, changes: readonly MemberChange[]): Promise<void> {
    const halting = changes.filter(({ before, after }) => mayHalt(before, after));
    for (const id of new Set(halting.map(({ rollout }) => rollout))) {
      await this.#evaluate({ project, id }, ({ kind }) => kind === 'halt');
    }
  }

  /**
   * Makes accepted failures that have been retried count again if the devices fail again: otherwise, as many other devices could fail before
   * a halt rule applies.
   */
  async lowerAccepted(project: string): Promise<void> {
    for (const rollout of await this.#needs.store.rollouts.current(project)) await this.#sample(rollout);
  }

  /**
   * Starts a rollout.
   *
   * @throws DomainError not-found, conflict, invalid
   */
  async start(question: StartInput): Promise<RolloutInfo> {
    const { store, catalog, events } = this.#needs;
    const { project, request, approvedBy } = question;
    const rollout = await withLatestView(catalog, project, async (view) => {
      requireApproval(view, approvedBy);
      requireFreeChannel(view, request.channel);
      const prepared = await prepareRollout(store, question);
      return store.rollouts.create(
        prepared,
        (created) => auditEntryOf(startOf(created, approvedBy)),
        view?.revision ?? 0,
      );
    });
    if (rollout === undefined) throw underWay(request.channel, undefined);
    await this.#count(rollout, stepsAtStart);
    await catalog.refresh(project);
    events.emit(startOf(rollout, approvedBy));
    return this.#info((await store.rollouts.find(project, rollout.id)) ?? rollout);
  }

  /**
   * Applies an action to a rollout.
   *
   * @throws DomainError not-found, conflict
   */
  async act(
    project: string,
    id: number,
    action: RolloutAction,
    request: Omit<RolloutActionRequest, 'acceptFailures'> & { acceptFailures?: boolean },
    by: Actor,
  ): Promise<RolloutInfo> {
    const { catalog, clock } = this.#needs;
    let first: RolloutRecord | undefined;
    const view = await catalog.latest(project);
    if (view?.rollouts.some((rollout) => rollout.id === id) !== true) throw notLive(await this.show(project, id), id);
    const changed = await this.#change(project, id, async (rollout, tallies) => {
      first ??= rollout;
      if (rollout.state !== first.state || rollout.openStages !== first.openStages) throw changedMeanwhile(rollout);
      return actOn(rollout, action, { ...request, by, at: clock.now().wallMs, tally: sumOf(tallies) });
    });
    if (changed === undefined) throw notLive(undefined, id);
    return this.#info(changed);
  }

  /** Halts rollouts of yanked releases. Since the yank was stored, no process sends these releases. */
  async yanked(project: string, releaseIds: readonly number[], reason: string, by: Actor): Promise<void> {
    await this.#changeEach(project, async (rollout) => {
      if (!isRunning(rollout) || !rollout.releaseIds.some((id) => releaseIds.includes(id))) return undefined;
      return this.#step(rollout, 'halted', { by, reason: `yanked: ${reason}` });
    });
  }

  /**
   * Marks aborted rollouts on a channel as rolled back when a release is promoted there manually. Devices that run the aborted release then
   * follow the channel again.
   */
  async superseded(project: string, channel: string, by: Actor): Promise<void> {
    await this.#changeEach(project, async (rollout) => {
      if (rollout.channel !== channel || rollout.state !== 'aborted') return undefined;
      return this.#step(rollout, 'rolled-back', { by, reason: 'a different release was promoted to the channel' });
    });
  }

  /**
   * Continues unfinished counts and halts, evaluates all active rollouts and records their progress samples. One process does this work at a
   * time; it is safe if two do it.
   */
  async maintain(): Promise<void> {
    await this.#forEachCurrent(async (rollout) => {
      if (isRunning(rollout)) await this.#haltIfYanked(rollout);
      if (!rollout.isCounted) await this.#count(rollout);
      if (rollout.state === 'active') {
        await this.#noteStall(rollout);
        await this.#evaluate(rollout, ({ kind }) => kind !== 'wait');
      }
      await this.#sample(rollout);
    });
  }

  /**
   * Does work for the newest rollout on each channel. A failure does not prevent the work for the other rollouts.
   *
   * @throws StoreUnavailableError
   */
  async #forEachCurrent(work: (rollout: RolloutRecord) => Promise<void>): Promise<void> {
    const { store, log } = this.#needs;
    for (const rollout of await store.rollouts.current()) {
      try {
        await work(rollout);
      } catch (err) {
        if (err instanceof StoreUnavailableError) throw err;
        const { project, id } = rollout;
        log.error({ err, project, rollout: id }, 'Rollout maintenance failed');
      }
    }
  }

  /** Reports once that a rollout does not progress, and once that it progresses again. */
  async #noteStall({ project, id }: RolloutKey): Promise<void> {
    const { store, catalog, clock } = this.#needs;
    const { stalledAfterMs = defaultStalledAfterMs } = catalog.view(project)?.project ?? {};
    await this.#change(project, id, async (rollout, tallies) => {
      const { wallMs: at, servedMs } = clock.now();
      const tally = sumOf(tallies);
      if (!rollout.isCounted || rollout.state !== 'active') return undefined;
      const hasProgress = withProgress(rollout, tally, servedMs) !== rollout;
      if (rollout.stalled !== undefined) {
        return hasProgress ? stepToProgressing(rollout, { by: theServer, at }) : undefined;
      }
      if (hasProgress || !isStalled(rollout, servedMs, stalledAfterMs)) return undefined;
      const verdict = await this.#verdictOf(rollout, tallies);
      if (verdict.kind !== 'wait') return undefined;
      const read = ({ filter }: SelectedMembers) =>
        store.devices.list(project, { limit: mostExamined }, { members: filter });
      const cause = await stallCause(rollout, verdict.waitingFor, await store.rollouts.counts(id), read);
      return stepToStalled(rollout, { by: theServer, at, reason: cause });
    });
  }

  /** Halts the rollouts whose stored failures require it: a process may have ended between a failure and the halt. */
  async haltAll(): Promise<void> {
    await this.#forEachCurrent(async (rollout) => {
      if (rollout.state === 'active') await this.#evaluate(rollout, ({ kind }) => kind === 'halt');
    });
  }

  /** Halts a rollout whose release was yanked by a process that ended before it halted the rollout. */
  async #haltIfYanked({ project, channel, releaseIds }: RolloutRecord): Promise<void> {
    const { store, catalog } = this.#needs;
    const known = catalog.view(project)?.channels.get(channel)?.rollout?.releases ?? [];
    if (known.length === releaseIds.length) return;
    const releases = await store.catalog.byIds(releaseIds);
    const [found] = releases.filter(({ yanked }) => yanked !== undefined);
    if (found?.yanked !== undefined) await this.yanked(project, releaseIds, found.yanked, theServer);
  }

  /** Counts the devices of a new rollout. Until all of them are counted, the rollout is not evaluated. */
  async #count(rollout: RolloutRecord, mostSteps = Number.POSITIVE_INFINITY): Promise<void> {
    const { store } = this.#needs;
    const contribution = (record: DeviceRecord) => memberOf(rollout, record);
    for (let steps = 0; steps < mostSteps; steps++) {
      if ((await store.rollouts.countNext(rollout.id, countedAtOnce, contribution)) === 'complete') return;
      await setImmediate();
    }
  }

  /** Evaluates an active rollout, and applies the verdict if it is wanted. */
  async #evaluate({ project, id }: RolloutKey, isWanted: (verdict: RolloutVerdict) => boolean): Promise<void> {
    await this.#change(project, id, async (rollout, tallies) => {
      if (rollout.state !== 'active') return undefined;
      const verdict = await this.#verdictOf(rollout, tallies);
      return isWanted(verdict) ? this.#stepFor(rollout, verdict, tallies) : undefined;
    });
  }

  #stepFor(rollout: RolloutRecord, verdict: RolloutVerdict, tallies: readonly RolloutTally[]): RolloutStep | undefined {
    switch (verdict.kind) {
      case 'halt':
        return this.#step(rollout, 'halted', { by: theServer, reason: verdict.reason });
      case 'open-next': {
        const { wallMs } = this.#needs.clock.now();
        return actOn(rollout, 'advance', { by: theServer, at: wallMs, tally: sumOf(tallies) });
      }
      case 'complete':
        return { ...this.#step(rollout, 'complete', { by: theServer }), promote: rollout.releaseIds };
      case 'wait':
        return undefined;
    }
  }

  /** Evaluates a rollout from its counts. The members are looked up only if the counts alone do not decide. */
  async #verdictOf(rollout: RolloutRecord, tallies: readonly RolloutTally[]): Promise<RolloutVerdict> {
    if (!rollout.isCounted) return { kind: 'wait', waitingFor: 'the devices to be counted' };
    const optimistic = evaluateRollout(rollout, optimisticEvidence(rollout, tallies));
    if (optimistic.kind === 'wait') return optimistic;
    const { store, clock } = this.#needs;
    const latestMs = clock.now().servedMs - rollout.gate.soakMs;
    const soaked = await store.rollouts.soaked(rollout.id, runningKinds, latestMs);
    const reports = optimistic.kind === 'halt' ? await store.rollouts.addresses(rollout.id, failedKinds) : undefined;
    const unprovenAddresses = reports?.addresses ?? 0;
    return evaluateRollout(rollout, evidenceOf(rollout, tallies, { soaked, unprovenAddresses }));
  }

  async #changeEach(project: string, choose: Choice): Promise<void> {
    for (const { id } of await this.#needs.store.rollouts.current(project)) await this.#change(project, id, choose);
  }

  /**
   * Changes a rollout, again if another process has changed it meanwhile.
   *
   * @returns the rollout as it is stored now; undefined if it does not exist
   */
  async #change(project: string, id: number, choose: Choice): Promise<RolloutRecord | undefined> {
    const { store } = this.#needs;
    for (;;) {
      const rollout = await store.rollouts.find(project, id);
      const step = rollout && (await choose(rollout, talliesOf(rollout, await store.rollouts.counts(id))));
      if (step === undefined) return rollout;
      const saved = await this.#save(step.rollout, { ...step, audit: auditEntryOf(step.event) });
      if (saved === 'conflict') continue;
      await this.#announce(step);
      return saved;
    }
  }

  /** Saves a rollout, and the final numbers of a rollout that has ended. */
  async #save(rollout: RolloutRecord, change: Parameters<Store['rollouts']['save']>[1]) {
    const { store, clock } = this.#needs;
    if (!lacksResult(rollout)) return store.rollouts.save(rollout, change);
    const at = (change && rollout.endedAt) ?? clock.now().wallMs;
    const unproven = await this.#reports(rollout.id);
    return store.rollouts.save(rollout, change, (counts) => withResult(rollout, counts, { at, unproven }));
  }

  async #announce({ event }: RolloutStep): Promise<void> {
    const { catalog, events, log } = this.#needs;
    await catalog.refresh(event.project);
    events.emit(event);
    const { type, at: _, ...facts } = event;
    if (type === 'rollout.halted') log.warn({ action: type, ...facts }, 'Rollout halted');
    else if (type === 'rollout.stalled') log.warn({ action: type, ...facts }, 'Rollout stalled');
    else log.info({ action: type, ...facts }, 'Rollout changed');
  }

  /**
   * Adds a progress sample, or stores the final numbers of a rollout that ended before all of its devices were counted. If another process
   * changes the rollout at the same time, this is done a second later.
   */
  async #sample({ project, id }: RolloutKey): Promise<void> {
    const { store, clock } = this.#needs;
    const rollout = await store.rollouts.find(project, id);
    if (rollout === undefined || !rollout.isCounted) return;
    if (lacksResult(rollout)) await this.#save(rollout, undefined);
    if (!isUnderWay(rollout)) return;
    const tally = sumOf(talliesOf(rollout, await store.rollouts.counts(id)));
    const now = clock.now();
    const lowered = withLoweredAcceptance(rollout, tally);
    const sampled = withSample(lowered, tally, now.wallMs);
    // The progress is saved together with a sample, so that a rollout that updates many devices is not saved for each of them.
    const isDue = sampled !== lowered || rollout.progress === undefined;
    const next = isDue ? withProgress(sampled, tally, now.servedMs) : sampled;
    if (next !== rollout) await store.rollouts.save(next, undefined);
  }

  #step(
    rollout: RolloutRecord,
    state: 'halted' | 'complete' | 'rolled-back',
    why: { by: Actor; reason?: string },
  ): RolloutStep {
    return stepTo(rollout, state, { ...why, at: this.#needs.clock.now().wallMs });
  }

  async #info(rollout: RolloutRecord): Promise<RolloutInfo> {
    const { store, catalog, clock } = this.#needs;
    const tallies = finalOrCurrent(rollout, await store.rollouts.counts(rollout.id));
    const { unproven, unprovenFailed, undelivered } = sumOf(tallies);
    const hasUnproven = unproven + unprovenFailed + undelivered > 0;
    return rolloutInfo(rollout, {
      wallMs: clock.now().wallMs,
      tallies,
      verdict: rollout.state === 'active' ? await this.#verdictOf(rollout, tallies) : undefined,
      previous: await this.#previousVersion(rollout),
      unproven: hasUnproven ? await this.#unproven(rollout) : undefined,
      projectPassword: catalog.view(rollout.project)?.project.credential !== undefined,
      hasDeviceLists: await hasDeviceLists(store, rollout),
    });
  }

  async #unproven({ id, result }: RolloutRecord): Promise<UnprovenReports | undefined> {
    if (result !== undefined) return result.unproven && { ...result.unproven, most: [] };
    return this.#reports(id);
  }

  /** Returns the sources of the results that were reported without credentials; undefined if there are none. */
  async #reports(id: number): Promise<UnprovenReports | undefined> {
    const { devices, addresses, most } = await this.#needs.store.rollouts.addresses(id);
    return devices === 0 ? undefined : { devices, addresses, most: most.map((each) => ({ ...each })) };
  }

  async #previousVersion({ previousIds }: RolloutRecord): Promise<string | undefined> {
    const found = await this.#needs.store.catalog.byIds(previousIds);
    return found.length === 0 ? undefined : [...new Set(found.map(({ version }) => version))].join(', ');
  }
}

/**
 * Requires that no rollout is in progress on a channel. No other release may be promoted there until the rollout ends.
 *
 * @throws DomainError conflict
 */
export function requireFreeChannel(view: ProjectView | undefined, channel: string): void {
  const rollout = view?.rollouts.find((each) => each.channel === channel && isUnderWay(each));
  if (rollout !== undefined) throw underWay(channel, rollout);
}

function isRunning({ state }: RolloutRecord): boolean {
  return state === 'active' || state === 'paused';
}

function startOf({ id, project, startedBy, startedAt, ...rollout }: RolloutRecord, approvedBy: Actor | undefined) {
  const { version, channel, stages, window, perHour } = rollout;
  const facts = { rollout: id, version, channel, stages, window, perHour, approvedBy };
  return { type: 'rollout.started', project, actor: startedBy, at: startedAt, ...facts } as const;
}

function underWay(channel: string, rollout: RolloutRecord | undefined): DomainError {
  const what = rollout === undefined ? 'a rollout is active' : `the rollout of ${rollout.version} is ${rollout.state}`;
  const hint = 'Complete, abort or roll back the rollout first (ota-hooks server rollouts), or publish with --draft.';
  return new DomainError('conflict', `no release can be promoted to ${channel}: ${what}`, hint);
}

function changedMeanwhile({ version, state }: RolloutRecord): DomainError {
  const message = `the rollout of ${version} was changed at the same time and is ${state} now`;
  return new DomainError(
    'conflict',
    message,
    'Check the state of the rollout, and repeat the action if it still applies.',
  );
}

function notLive(known: RolloutInfo | undefined, id: number): DomainError {
  if (known === undefined) return unknownRollout(id);
  const hint = 'Use the newest rollout on the channel: only that rollout can be changed.';
  return new DomainError('conflict', `a newer rollout has replaced the rollout of ${known.version}`, hint);
}
