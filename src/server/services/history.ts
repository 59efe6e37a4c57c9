import { defaultHistory } from '../../api/release-admin.ts';
import type { AuditEntry, ProjectRecord, SeenDevice } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';
import { type HistoryEnds, isForgotten, withoutOldHistory } from './devices/device-history.ts';
import type { DeviceRecords } from './devices/device-records.ts';
import { theServer } from './events/domain-event.ts';
import type { Catalog } from './releases/catalog.ts';
import type { ProjectView } from './releases/project-view.ts';

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/** Number of devices or audit entries that a step reads, and changes at most. */
export const cleanedAtOnce = 200;
/** Number of devices of ended rollouts that a step removes. */
const forgottenAtOnce = 1000;

interface Needs {
  readonly store: Pick<Store, 'devices' | 'rollouts' | 'audit'>;
  readonly records: Pick<DeviceRecords, 'list' | 'change' | 'remove'>;
  readonly catalog: Pick<Catalog, 'view' | 'views'>;
}

/**
 * Removes history after the limits of its project. A pass over all devices and audit entries takes a step a second, so that it never delays
 * devices, and starts once a day.
 */
export class HistoryCleaner {
  readonly #needs: Needs;
  #pass: AsyncGenerator<undefined> | undefined;
  #nextPassAt = Number.NEGATIVE_INFINITY;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /**
   * Reads the next batch, and removes what is too old.
   *
   * @param now milliseconds since 1970
   */
  async step(now: number): Promise<void> {
    if (this.#pass === undefined && now < this.#nextPassAt) return;
    this.#pass ??= passAt(this.#needs, now);
    // A pass that failed starts again after an hour.
    this.#nextPassAt = now + hourMs;
    const pass = this.#pass;
    this.#pass = undefined;
    const { done } = await pass.next();
    if (done === true) this.#nextPassAt = now + dayMs;
    else this.#pass = pass;
  }
}

/** Yields after each batch. */
async function* passAt(needs: Needs, now: number): AsyncGenerator<undefined> {
  for (const { project } of needs.catalog.views()) {
    yield* cleanDevices(needs, project.name, now);
    yield* cleanRollouts(needs, project, now);
  }
  yield* cleanAudit(needs, now);
}

async function* cleanDevices(needs: Needs, project: string, now: number): AsyncGenerator<undefined> {
  let after: string | undefined;
  for (;;) {
    const view = needs.catalog.view(project);
    const devices = view === undefined ? [] : await needs.records.list(project, { after, limit: cleanedAtOnce });
    if (view === undefined || devices.length === 0) return;
    await cleanBatch(needs, view, devices, now);
    if (devices.length < cleanedAtOnce) return;
    after = devices.at(-1)?.record.mac;
    yield undefined;
  }
}

async function cleanBatch(
  { store, records }: Needs,
  view: ProjectView,
  devices: readonly SeenDevice[],
  now: number,
): Promise<void> {
  const { name } = view.project;
  const ends = endsOf(view.project, now);
  const stale: string[] = [];
  for (const device of devices) {
    const { mac } = device.record;
    if (isForgotten(device, ends)) {
      await records.remove(name, mac, theServer, (record) => isForgotten({ ...device, record }, ends));
      continue;
    }
    if (withoutOldHistory(device.record, view, ends) !== device.record) {
      const clean = (record: SeenDevice['record'] | undefined) => record && withoutOldHistory(record, view, ends);
      await records.change(name, mac, clean, { by: theServer });
    }
    if (device.lastSeenAt !== undefined && device.lastSeenAt < ends.checkInsMs) stale.push(mac);
  }
  await store.devices.forgetCheckIns(name, stale, ends.checkInsMs);
}

/** Removes the devices of rollouts that ended longer ago than the project keeps attempts. The numbers of the rollouts stay. */
async function* cleanRollouts({ store }: Needs, project: ProjectRecord, now: number): AsyncGenerator<undefined> {
  const { attemptsMs } = endsOf(project, now);
  while ((await store.rollouts.forgetFinalMembers(project.name, attemptsMs, forgottenAtOnce)) === 'more')
    yield undefined;
}

/** Audit entries have increasing times, so that a batch of recent entries is the last one. */
async function* cleanAudit({ store, catalog }: Needs, now: number): AsyncGenerator<undefined> {
  for (let after = 0; ; ) {
    // Addresses in the audit log belong to no project. The default limit applies to them.
    const { checkInsMs } = endsOf({}, now);
    const ends = new Map(catalog.views().map(({ project }) => [project.name, endsOf(project, now).auditMs]));
    const newestMs = Math.max(checkInsMs, ...ends.values());
    const entries = await store.audit.after(after, cleanedAtOnce);
    const old = entries.filter(({ at }) => at < newestMs);
    const isRemoved = ({ at, project = '' }: AuditEntry) => at < (ends.get(project) ?? Number.NEGATIVE_INFINITY);
    const removed = old.filter(isRemoved).map(({ id }) => id);
    const changed = old.flatMap((entry) => {
      const { id, at, detail } = entry;
      if (isRemoved(entry) || at >= checkInsMs || detail['address'] === undefined) return [];
      const { address: _, ...rest } = detail;
      return [{ id, detail: rest }];
    });
    if (removed.length + changed.length > 0) await store.audit.clean(changed, removed);
    if (entries.length < cleanedAtOnce || old.length === 0) return;
    after = entries.at(-1)?.id ?? after;
    yield undefined;
  }
}

function endsOf(
  { history = defaultHistory }: Pick<ProjectRecord, 'history'>,
  now: number,
): HistoryEnds & { auditMs: number } {
  const before = (days: number | undefined) => (days === undefined ? Number.NEGATIVE_INFINITY : now - days * dayMs);
  const { checkInDays, attemptDays, auditDays } = history;
  return { checkInsMs: before(checkInDays), attemptsMs: before(attemptDays), auditMs: before(auditDays) };
}
