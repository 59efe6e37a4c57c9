import AsyncLock from 'async-lock';
import type { RolloutAction, RolloutActionRequest } from '../../../api/rollout.ts';
import type { DeviceRolloutInfo, RolloutInfo } from '../../../api/rollout-info.ts';
import type { Log } from '../../observability/log.ts';
import type { Actor, DeviceRecord, RolloutRecord } from '../../storage/records.ts';
import type { RolloutStore, Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import { theServer } from '../events/domain-event.ts';
import type { DomainEvents } from '../events/domain-events.ts';
import type { Catalog } from '../releases/catalog.ts';
import { actOn } from './actions.ts';
import { deviceRolloutInfo } from './device-rollout-info.ts';
import { type Live, LiveRollouts } from './live-rollouts.ts';
import { rolloutInfo } from './rollout-info.ts';
import { withSample } from './samples.ts';
import type { ServiceClock } from './service-clock.ts';
import { prepareRollout, type StartInput } from './start.ts';
import { isUnderWay, type RolloutStep, stepTo } from './step.ts';

/** Dependencies of {@link Rollouts}. */
interface Needs {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly clock: ServiceClock;
  readonly events: DomainEvents;
  readonly log: Log;
}

/**
 * The server's rollouts: counts devices, halts rollouts, opens stages and performs actions. A halt applies as soon as the failure is
 * detected, even before the halt is stored. The failure itself is stored and leads to the same halt after a crash.
 */
export class Rollouts {
  readonly #needs: Needs;
  readonly #live: LiveRollouts;
  readonly #lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });

  private constructor(needs: Needs) {
    this.#needs = needs;
    this.#live = new LiveRollouts(needs.store.devices, needs.clock);
  }

  /** Counts the stored devices and halts rollouts if needed, before any device is served. */
  static async open(needs: Needs): Promise<Rollouts> {
    const rollouts = new Rollouts(needs);
    const current = await needs.store.rollouts.current();
    for (const rollout of current) rollouts.#live.add(rollout);
    for (const project of new Set(current.map(({ project }) => project))) await rollouts.#live.count(project);
    await rollouts.maintain();
    return rollouts;
  }

  /** Updates the tallies with a saved record and halts rollouts if needed. */
  note(record: DeviceRecord): void {
    for (const live of this.#live.note(record)) this.#haltIfNeeded(live);
  }

  /** Removes a device from the tallies. */
  forget(project: string, mac: string): void {
    for (const live of this.#live.of(project)) live.tally.forget(mac);
  }

  /** Lists a project's rollouts, newest first. */
  async list(project: string, limit = 100): Promise<RolloutInfo[]> {
    const stored = await this.#needs.store.rollouts.ofProject(project, limit);
    return Promise.all(stored.map((rollout) => this.#info(rollout)));
  }

  async show(project: string, id: number): Promise<RolloutInfo | undefined> {
    const stored = await this.#needs.store.rollouts.find(project, id);
    return stored && this.#info(stored);
  }

  /** Returns a device's state in the rollout on its channel. */
  ofDevice(record: DeviceRecord): DeviceRolloutInfo | undefined {
    for (const { rollout } of this.#live.of(record.project)) {
      const info = deviceRolloutInfo(rollout, record);
      if (info !== undefined) return info;
    }
    return undefined;
  }

  /** Returns the rollout in progress on a channel. No other release may be promoted there until the rollout ends. */
  underWay(project: string, channel: string): RolloutRecord | undefined {
    return this.#live.of(project).find(({ rollout }) => rollout.channel === channel && isUnderWay(rollout))?.rollout;
  }

  /**
   * Starts a rollout.
   *
   * @throws DomainError not-found, conflict, invalid
   */
  start(question: StartInput): Promise<RolloutInfo> {
    return this.#lock.acquire('all', async () => {
      const { store, catalog, events } = this.#needs;
      const { project, request } = question;
      this.requireFreeChannel(project, request.channel);
      // After a crash, the clock must not resume at a time before the start: downloads would appear to be older than the rollout.
      await store.setServedMs(question.now.servedMs);
      const prepared = await prepareRollout(store, question);
      const rollout = await store.rollouts.create(prepared, (created) => auditEntryOf(startOf(created)));
      if (rollout === undefined) throw underWay(request.channel, undefined);
      for (const live of this.#live.of(project)) {
        if (live.rollout.channel !== rollout.channel) continue;
        this.#remember(withTallies(live));
        this.#live.remove(live);
      }
      this.#live.add(rollout);
      await this.#live.count(project);
      await catalog.refresh(project);
      events.emit(startOf(rollout));
      return this.#info(rollout);
    });
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
    return this.#lock.acquire('all', async () => {
      const live = this.#live.get(id);
      if (live === undefined || live.rollout.project !== project) throw notLive(await this.show(project, id), id);
      const { stages } = live.rollout;
      const tally = live.tally.ofStages(stages.length);
      const step = actOn(live.rollout, action, { ...request, by, at: this.#needs.clock.now().wallMs, tally });
      await this.#apply(live, step);
      return this.#info(live.rollout);
    });
  }

  /** Halts rollouts of yanked releases. */
  async yanked(project: string, releaseIds: readonly number[], reason: string, by: Actor): Promise<void> {
    await this.#lock.acquire('all', async () => {
      for (const live of this.#live.of(project)) {
        const { rollout } = live;
        if (rollout.state !== 'active' && rollout.state !== 'paused') continue;
        if (rollout.releaseIds.some((id) => releaseIds.includes(id))) {
          await this.#apply(live, this.#step(live, 'halted', { by, reason: `yanked: ${reason}` }));
        }
      }
    });
  }

  /**
   * Marks aborted rollouts on a channel as rolled back when a release is promoted there manually. Devices that run the aborted release then
   * follow the channel again.
   */
  async superseded(project: string, channel: string, by: Actor): Promise<void> {
    await this.#lock.acquire('all', async () => {
      for (const live of this.#live.of(project)) {
        const { rollout } = live;
        if (rollout.channel !== channel || rollout.state !== 'aborted') continue;
        await this.#apply(
          live,
          this.#step(live, 'rolled-back', { by, reason: 'a different release was promoted to the channel' }),
        );
      }
    });
  }

  /**
   * Requires that no rollout is in progress on a channel.
   *
   * @throws DomainError conflict
   */
  requireFreeChannel(project: string, channel: string): void {
    const rollout = this.underWay(project, channel);
    if (rollout !== undefined) throw underWay(channel, rollout);
  }

  /** Evaluates all active rollouts and records their progress samples. */
  async maintain(): Promise<void> {
    await this.#lock.acquire('all', async () => {
      for (const live of this.#live.all()) {
        if (live.rollout.state === 'active') await this.#evaluate(live);
        this.#sample(live);
      }
    });
  }

  async #evaluate(live: Live): Promise<void> {
    const verdict = this.#live.verdictOf(live);
    switch (verdict.kind) {
      case 'halt':
        return this.#apply(live, this.#step(live, 'halted', { by: theServer, reason: verdict.reason }));
      case 'open-next':
        return this.#apply(live, actOn(live.rollout, 'advance', this.#bySelf(live)));
      case 'complete':
        return this.#apply(live, {
          ...this.#step(live, 'complete', { by: theServer }),
          promote: live.rollout.releaseIds,
        });
      case 'wait':
        return;
    }
  }

  #haltIfNeeded(live: Live): void {
    if (live.rollout.state !== 'active') return;
    const verdict = this.#live.verdictOf(live);
    if (verdict.kind !== 'halt') return;
    const step = this.#step(live, 'halted', { by: theServer, reason: verdict.reason });
    this.#show(live, step.rollout);
    const { id, project, version } = live.rollout;
    this.#needs.log.warn({ project, version, reason: verdict.reason }, 'Rollout halted');
    this.#lock
      .acquire('all', async () => {
        await this.#save({ ...step, rollout: this.#live.get(id)?.rollout ?? step.rollout });
        this.#needs.events.emit(step.event);
      })
      .catch((error: unknown) =>
        this.#needs.log.error({ err: error, project }, 'Could not store the halt of a rollout'),
      );
  }

  /**
   * Applies a step. A state that stops delivery applies immediately. Steps that make the release available to more devices or promote
   * it are stored first.
   */
  async #apply(live: Live, step: RolloutStep): Promise<void> {
    const { catalog, events, log } = this.#needs;
    const { project, state } = step.rollout;
    if (state !== 'active' && state !== 'complete') this.#show(live, step.rollout);
    const before = live.rollout;
    await this.#save(step);
    if (step.promote !== undefined) await catalog.refresh(project);
    // A halt that occurred during the write is newer and is kept, unless the rollout is complete.
    if (live.rollout === before || state === 'complete') this.#show(live, step.rollout);
    events.emit(step.event);
    const { type, at: _, ...facts } = step.event;
    log.info({ action: type, ...facts }, 'Rollout changed');
  }

  async #save(step: RolloutStep): Promise<void> {
    await this.#write(step.rollout, { ...step, audit: auditEntryOf(step.event) });
  }

  /** This process is the only one that changes rollouts, so it replaces the stored state. */
  async #write(rollout: RolloutRecord, change: Parameters<RolloutStore['save']>[1]): Promise<void> {
    const { rollouts } = this.#needs.store;
    for (;;) {
      const { revision = 0 } = (await rollouts.find(rollout.project, rollout.id)) ?? {};
      if ((await rollouts.save({ ...rollout, revision }, change)) !== 'conflict') return;
    }
  }

  #show(live: Live, rollout: RolloutRecord): void {
    live.rollout = rollout;
    this.#needs.catalog.replaceRollout(rollout);
  }

  #sample(live: Live): void {
    const { wallMs } = this.#needs.clock.now();
    const sampled = withSample(live.rollout, live.tally.ofStages(live.rollout.stages.length), wallMs);
    if (sampled === live.rollout) return;
    live.rollout = sampled;
    this.#remember(sampled);
  }

  /** Stores data that may be lost in a crash, without waiting for the write. */
  #remember(rollout: RolloutRecord): void {
    const { log } = this.#needs;
    this.#write(rollout, undefined).catch((error: unknown) =>
      log.error({ err: error }, 'Could not store the progress of a rollout'),
    );
  }

  #bySelf({ rollout, tally }: Live) {
    return { by: theServer, at: this.#needs.clock.now().wallMs, tally: tally.ofStages(rollout.stages.length) };
  }

  #step(
    { rollout }: Live,
    state: 'halted' | 'complete' | 'rolled-back',
    why: { by: Actor; reason?: string },
  ): RolloutStep {
    return stepTo(rollout, state, { ...why, at: this.#needs.clock.now().wallMs });
  }

  async #info(stored: RolloutRecord): Promise<RolloutInfo> {
    const live = this.#live.get(stored.id);
    const rollout = live?.rollout ?? stored;
    const verdict = live !== undefined && rollout.state === 'active' ? this.#live.verdictOf(live) : undefined;
    const tallies = rollout.stages.map((_, index) => live?.tally.ofStage(index) ?? stored.endTallies?.[index]);
    return rolloutInfo(rollout, {
      tallies,
      verdict,
      previous: await this.#previousVersion(rollout),
      unproven: live?.tally.unproven(),
      projectPassword: this.#needs.catalog.view(rollout.project)?.project.credential !== undefined,
    });
  }

  async #previousVersion({ previousIds }: RolloutRecord): Promise<string | undefined> {
    const found = await this.#needs.store.catalog.byIds(previousIds);
    return found.length === 0 ? undefined : [...new Set(found.map(({ version }) => version))].join(', ');
  }
}

function startOf({ id, project, version, channel, stages, startedBy, startedAt }: RolloutRecord) {
  const facts = { rollout: id, version, channel, stages };
  return { type: 'rollout.started', project, actor: startedBy, at: startedAt, ...facts } as const;
}

/** Adds the final tallies to a rollout record before another rollout replaces it. */
function withTallies({ rollout, tally }: Live): RolloutRecord {
  return { ...rollout, endTallies: rollout.stages.map((_, index) => tally.ofStage(index)) };
}

function underWay(channel: string, rollout: RolloutRecord | undefined): DomainError {
  const what = rollout === undefined ? 'a rollout is active' : `the rollout of ${rollout.version} is ${rollout.state}`;
  const hint = 'Complete, abort or roll back the rollout first (ota-hooks server rollouts), or publish with --draft.';
  return new DomainError('conflict', `no release can be promoted to ${channel}: ${what}`, hint);
}

function notLive(known: RolloutInfo | undefined, id: number): DomainError {
  if (known === undefined)
    return new DomainError('not-found', `rollout ${id} not found`, 'Check its ID in the list of rollouts.');
  const hint = 'Use the newest rollout on the channel: only that rollout can be changed.';
  return new DomainError('conflict', `a newer rollout has replaced the rollout of ${known.version}`, hint);
}
