import { LRUCache } from 'lru-cache';
import { type DeviceDoc, deviceRecord, storedDocument } from '../device-record.ts';
import type { Attempt, SeenDevice, StoredReport } from '../records.ts';
import type { DeviceStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import { macsOf, type Told, toldOf } from './device-lists.ts';
import { DeviceTallies } from './device-tallies.ts';
import type { ProjectIds } from './project-ids.ts';

/** Number of cached rows, which saves reading them before the next write; a device takes about 200 bytes. */
const mostWritten = 5_000;
/** Number of devices removed at once, so that not every new device has to make room. */
const evictedAtOnce = 100;

/** Stored columns of a record besides its document. */
type Written = Told & { readonly revision: number };

interface Row {
  readonly mac: string;
  readonly revision: number;
  readonly last_seen_at: number | null;
  readonly report: string | null;
  readonly doc: string;
}

export function sqliteDevices(connection: Connection, committer: Committer, projects: ProjectIds): DeviceStore {
  const { sql } = connection;
  const columns = ['mac', 'revision', 'last_seen_at', 'report', 'doc'] as const;
  const one = connection.prepare(
    sql.selectFrom('devices').select(columns).where('project_id', '=', 0).where('mac', '=', ''),
  );
  const stored = connection.prepare(
    sql
      .selectFrom('devices')
      .select(['revision', 'standing', 'name', 'runs', 'device_group'])
      .where('project_id', '=', 0)
      .where('mac', '=', ''),
  );
  const seen = connection.prepare(
    sql.updateTable('devices').set({ last_seen_at: 0, report: '' }).where('project_id', '=', 0).where('mac', '=', ''),
  );
  const insertion = connection.prepare(
    sql.insertInto('devices').values({
      project_id: 0,
      mac: '',
      revision: 0,
      kept: 0,
      due_ms: 0,
      doc: '',
      standing: '',
      name: '',
      runs: '',
      device_group: '',
    }),
  );
  const update = connection.prepare(
    sql
      .updateTable('devices')
      .set({ revision: 0, kept: 0, due_ms: 0, doc: '' })
      .where('project_id', '=', 0)
      .where('mac', '=', ''),
  );
  const tell = connection.prepare(
    sql
      .updateTable('devices')
      .set({ standing: '', name: '', runs: '', device_group: '' })
      .where('project_id', '=', 0)
      .where('mac', '=', ''),
  );
  const counts = new Map<number, number>();
  const tallies = new DeviceTallies(connection);
  const written = new LRUCache<string, Written>({ max: mostWritten });
  committer.onUndone(() => {
    counts.clear();
    written.clear();
    tallies.forgetAll();
  });

  function count(projectId: number): number {
    const known = counts.get(projectId);
    if (known !== undefined) return known;
    const query = sql
      .selectFrom('devices')
      .select(({ fn }) => fn.countAll<number>().as('devices'))
      .where('project_id', '=', projectId);
    const counted = connection.first(query)?.devices ?? 0;
    counts.set(projectId, counted);
    return counted;
  }

  /** Removes devices that are not enrolled and never ran an update, the ones not seen for longest first. */
  function makeWay(projectId: number): boolean {
    const idle = sql
      .selectFrom('devices')
      .select('mac')
      .where('project_id', '=', projectId)
      .where('kept', '=', 0)
      .orderBy('last_seen_at')
      .limit(evictedAtOnce);
    const gone = connection.run(sql.deleteFrom('devices').where('project_id', '=', projectId).where('mac', 'in', idle));
    counts.delete(projectId);
    written.clear();
    tallies.forget(projectId);
    return gone > 0;
  }

  return {
    async get(project, mac) {
      const row = one.first(projects.idOf(project), mac);
      return row && toDevice(project, row);
    },

    save: (record, { mostDevices, audit = [] }) =>
      committer.write(audit.length === 0 ? 'soon' : 'at-once', () => {
        const { project, mac, revision } = record;
        const projectId = projects.idOf(project);
        const key = `${projectId} ${mac}`;
        // Written below.
        const before = written.get(key) ?? (stored.first(projectId, mac) as Written | undefined);
        if ((before?.revision ?? 0) !== revision) return 'conflict';
        const told = toldOf(record);
        const { standing, name, runs, device_group } = told;
        const isTold = before !== undefined && isSame(before, told);
        const columns = [standing, name, runs, device_group] as const;
        const kept = record.enrolled || record.proven === true ? 1 : 0;
        const values = [revision + 1, kept, dueOf(record.attempts), storedDocument(record)] as const;
        if (revision === 0) {
          if (count(projectId) >= mostDevices && !makeWay(projectId)) return 'full';
          insertion.run(projectId, mac, ...values, ...columns);
          counts.set(projectId, count(projectId) + 1);
        } else {
          update.run(...values, projectId, mac);
          // The index is written only if its values change.
          if (!isTold) tell.run(...columns, projectId, mac);
        }
        for (const entry of audit) writeAudit(connection, entry);
        if (!isTold) tallies.note(projectId, before, told);
        written.set(key, { revision: revision + 1, standing, name, runs, device_group });
        return 'saved';
      }),

    // This data may be lost, but the caller writes in batches and waits for each, also while the server stops.
    touch: (touches) =>
      committer.write('soon', () => {
        for (const { project, mac, at, report } of touches) {
          seen.run(at, JSON.stringify(report), projects.idOf(project), mac);
        }
      }),

    async list(project, page, filter = {}) {
      const projectId = projects.idOf(project);
      return macsOf(connection, projectId, page, filter).flatMap((mac) => {
        const row = one.first(projectId, mac);
        return row === undefined ? [] : [toDevice(project, row)];
      });
    },

    async overdue(servedMs, limit) {
      const query = sql
        .selectFrom('devices')
        .innerJoin('projects', 'projects.id', 'devices.project_id')
        .select(['projects.name', 'mac', 'revision', 'last_seen_at', 'report', 'devices.doc'])
        .where('due_ms', '<', servedMs)
        .orderBy('due_ms')
        .limit(limit);
      return connection.all(query).map(({ name, ...row }) => toDevice(name, row).record);
    },

    remove: (project, mac, audit) =>
      committer.write('at-once', () => {
        const projectId = projects.idOf(project);
        const wasThere =
          connection.run(sql.deleteFrom('devices').where('project_id', '=', projectId).where('mac', '=', mac)) > 0;
        counts.delete(projectId);
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

function toDevice(project: string, { mac, revision, last_seen_at, report, doc }: Row): SeenDevice {
  return {
    // Written by `save`.
    record: deviceRecord({ project, mac, revision }, JSON.parse(doc) as DeviceDoc),
    lastSeenAt: last_seen_at ?? undefined,
    // Written by `touch`.
    report: report === null ? undefined : (JSON.parse(report) as StoredReport),
  };
}

function isSame(a: Told, b: Told): boolean {
  return a.standing === b.standing && a.name === b.name && a.runs === b.runs && a.device_group === b.device_group;
}

/** Returns the earliest time at which a pending attempt is overdue. */
function dueOf(attempts: readonly Attempt[]): number | null {
  const due = attempts.filter(({ state }) => state === 'sent' || state === 'received').map(({ dueMs }) => dueMs);
  return due.length === 0 ? null : Math.min(...due);
}
