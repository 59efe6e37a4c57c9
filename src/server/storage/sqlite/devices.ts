import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import { earliestDueMs } from '../device-index.ts';
import { type DeviceDoc, deviceRecord, storedDocument } from '../device-record.ts';
import { evictedAtOnce, protectedForMs, type Retention, retentionOf } from '../eviction.ts';
import type { SeenDevice, StoredReport } from '../records.ts';
import type { DeviceStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import { hasSameIndex, type IndexColumns, indexColumns } from './device-columns.ts';
import { macsOf } from './device-lists.ts';
import { DeviceTallies } from './device-tallies.ts';
import type { ProjectIds } from './project-ids.ts';
import { storedJson } from './stored-json.ts';

/** Number of cached rows. A cached row does not have to be read before the next write. Each row uses about 200 bytes. */
const mostWritten = 5_000;
interface Written extends IndexColumns {
  readonly revision: number;
  readonly retention: Retention;
}

interface Row {
  readonly mac: string;
  readonly revision: number;
  readonly last_seen_at: number | null;
  readonly report: string | null;
  readonly doc: string;
}

export function sqliteDevices(connection: Connection, committer: Committer, projects: ProjectIds): DeviceStore {
  const { db } = connection;
  const columns = ['mac', 'revision', 'last_seen_at', 'report', 'doc'] as const;
  const one = connection.prepare(
    db.selectFrom('devices').select(columns).where('project_id', '=', 0).where('mac', '=', ''),
  );
  const stored = connection.prepare(
    db
      .selectFrom('devices')
      .select(['revision', 'retention', 'status', 'name', 'runs', 'device_group'])
      .where('project_id', '=', 0)
      .where('mac', '=', ''),
  );
  const seen = connection.prepare(
    db.updateTable('devices').set({ last_seen_at: 0, report: '' }).where('project_id', '=', 0).where('mac', '=', ''),
  );
  const insertion = connection.prepare(
    db.insertInto('devices').values({
      project_id: 0,
      mac: '',
      revision: 0,
      retention: 0,
      last_seen_at: 0,
      due_ms: 0,
      doc: '',
      status: '',
      name: '',
      runs: '',
      device_group: '',
    }),
  );
  const update = connection.prepare(
    db
      .updateTable('devices')
      .set({ revision: 0, retention: 0, due_ms: 0, doc: '' })
      .where('project_id', '=', 0)
      .where('mac', '=', ''),
  );
  const updateIndex = connection.prepare(
    db
      .updateTable('devices')
      .set({ status: '', name: '', runs: '', device_group: '' })
      .where('project_id', '=', 0)
      .where('mac', '=', ''),
  );
  const counts = new Map<number, number>();
  const limited = new Map<number, number>();
  const tallies = new DeviceTallies(connection);
  const written = new LRUCache<string, Written>({ max: mostWritten });
  committer.onUndone(() => {
    counts.clear();
    limited.clear();
    written.clear();
    tallies.forgetAll();
  });

  function count(projectId: number): number {
    const known = counts.get(projectId);
    if (known !== undefined) return known;
    const query = db
      .selectFrom('devices')
      .select(({ fn }) => fn.countAll<number>().as('devices'))
      .where('project_id', '=', projectId);
    const counted = connection.first(query)?.devices ?? 0;
    counts.set(projectId, counted);
    return counted;
  }

  function countOf(projectId: number, retention: readonly Retention[]): number {
    const query = db
      .selectFrom('devices')
      .select(({ fn }) => fn.countAll<number>().as('devices'))
      .where('project_id', '=', projectId)
      .where('retention', 'in', retention);
    return connection.first(query)?.devices ?? 0;
  }

  /** Counts the devices to which the limit of a project applies. */
  function countLimited(projectId: number): number {
    const known = limited.get(projectId);
    if (known !== undefined) return known;
    const counted = countOf(projectId, [1, 2]);
    limited.set(projectId, counted);
    return counted;
  }

  /** Makes room for a new device by evicting unprotected devices, least recently seen first. */
  function evict(projectId: number, mostDevices: number): boolean {
    const beyondHalf = countOf(projectId, [2]) - Math.floor(mostDevices / 2);
    const most = evictedAtOnce(mostDevices);
    const ofProject = db.selectFrom('devices').select('mac').where('project_id', '=', projectId);
    const unprotected =
      beyondHalf > 0
        ? ofProject.where('retention', '=', 2).limit(Math.min(most, beyondHalf))
        : ofProject
            .where(({ eb }) =>
              eb.or([
                eb('retention', '=', 1),
                eb.and([eb('retention', '=', 2), eb('last_seen_at', '<', Date.now() - protectedForMs)]),
              ]),
            )
            .limit(most);
    const idle = unprotected.orderBy('last_seen_at');
    const gone = connection.run(db.deleteFrom('devices').where('project_id', '=', projectId).where('mac', 'in', idle));
    counts.delete(projectId);
    limited.delete(projectId);
    written.clear();
    tallies.forget(projectId);
    return gone > 0;
  }

  return {
    async check(project, mac) {
      const projectId = projects.idOf(project);
      if (projectId === 0) return undefined;
      const row = one.first(projectId, mac);
      return { device: row && toDevice(project, row), revision: 1 };
    },

    async get(project, mac) {
      const row = one.first(projects.idOf(project), mac);
      return row && toDevice(project, row);
    },

    save: (record, { mostDevices, audit = [] }) =>
      committer.write(audit.length === 0 ? 'group' : 'sync', () => {
        const { project, mac, revision } = record;
        const projectId = projects.idOf(project);
        const key = `${projectId} ${mac}`;
        // The type assertion is safe, because this function wrote the row.
        const before = written.get(key) ?? (stored.first(projectId, mac) as Written | undefined);
        if ((before?.revision ?? 0) !== revision) return 'conflict';
        const index = indexColumns(record);
        const { status, name, runs, device_group } = index;
        const isIndexed = before !== undefined && hasSameIndex(before, index);
        const columns = [status, name, runs, device_group] as const;
        const dueMs = earliestDueMs(record.attempts) ?? null;
        const retention = retentionOf(record);
        const document = storedDocument(record);
        const wasLimited = before !== undefined && before.retention > 0;
        const isFull = revision === 0 && retention > 0 && countLimited(projectId) >= mostDevices;
        if (isFull && !evict(projectId, mostDevices)) return 'full';
        limited.set(projectId, countLimited(projectId) + Number(retention > 0) - Number(wasLimited));
        if (revision === 0) {
          // A new device counts as seen: it must not be the first to be evicted.
          const seenAt = record.firstSeenAt ?? null;
          counts.set(projectId, count(projectId) + 1);
          insertion.run(projectId, mac, 1, retention, seenAt, dueMs, document, ...columns);
        } else {
          update.run(revision + 1, retention, dueMs, document, projectId, mac);
          // Write the index only if its values have changed.
          if (!isIndexed) updateIndex.run(...columns, projectId, mac);
        }
        for (const entry of audit) writeAudit(connection, entry);
        if (!isIndexed) tallies.note(projectId, before, index);
        written.set(key, { revision: revision + 1, retention, status, name, runs, device_group });
        return 'saved';
      }),

    // Last-seen times may be lost in a crash, but the caller writes them in batches and waits for each batch, even while the server stops.
    touch: (touches) =>
      committer.write('group', () => {
        for (const { project, mac, at, report } of touches) {
          seen.run(at, JSON.stringify(report), projects.idOf(project), mac);
        }
      }),

    async named(project, names) {
      const projectId = projects.idOf(project);
      const query = db
        .selectFrom('devices')
        .select('mac')
        .where('project_id', '=', projectId)
        .where('name', 'in', names);
      return connection.all(query.orderBy('mac')).flatMap(({ mac }) => {
        const row = one.first(projectId, mac);
        return row === undefined ? [] : [toDevice(project, row).record];
      });
    },

    async list(project, page, filter = {}) {
      const projectId = projects.idOf(project);
      return macsOf(connection, projectId, page, filter).flatMap((mac) => {
        const row = one.first(projectId, mac);
        return row === undefined ? [] : [toDevice(project, row)];
      });
    },

    async overdue(servedMs, limit) {
      const query = db
        .selectFrom('devices')
        .innerJoin('projects', 'projects.id', 'devices.project_id')
        .select(['projects.name', 'mac', 'revision', 'last_seen_at', 'report', 'devices.doc'])
        .where('due_ms', '<', servedMs)
        .orderBy('due_ms')
        .limit(limit);
      return (await query.execute()).map(({ name, ...row }) => toDevice(name, row).record);
    },

    remove: (project, mac, { audit }) =>
      committer.write('sync', () => {
        const projectId = projects.idOf(project);
        const wasThere =
          connection.run(db.deleteFrom('devices').where('project_id', '=', projectId).where('mac', '=', mac)) > 0;
        counts.delete(projectId);
        limited.delete(projectId);
        written.delete(`${projectId} ${mac}`);
        tallies.forget(projectId);
        if (wasThere) writeAudit(connection, audit);
        return wasThere;
      }),

    async count(project) {
      return count(projects.idOf(project));
    },

    async tally(project) {
      return tallies.of(projects.idOf(project));
    },
  };
}

/** Minimum requirements for a device record. A complete validation would be too slow, because records are read for many update checks. */
const outline = v.looseObject({ attempts: v.array(v.looseObject({})), decisions: v.looseObject({}) });

function toDevice(project: string, { mac, revision, last_seen_at, report, doc }: Row): SeenDevice {
  return {
    record: deviceRecord({ project, mac, revision }, storedJson<DeviceDoc>(doc, `the record of ${mac}`, outline)),
    lastSeenAt: last_seen_at ?? undefined,
    report: report === null ? undefined : storedJson<StoredReport>(report, `the report of ${mac}`),
  };
}
