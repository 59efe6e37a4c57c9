import { documentSchemas } from '../document-schemas.ts';
import type { RolloutRecord } from '../records.ts';
import { isPromotable } from '../release-record.ts';
import type { RolloutStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import { writeCurrent } from './current-releases.ts';
import type { KnownBuilds } from './known-builds.ts';
import type { ProjectIds } from './project-ids.ts';
import type { ReleaseReader } from './releases.ts';
import { storedJson } from './stored-json.ts';

/** Part of a rollout that is stored as one JSON document because it is never searched. */
type Doc = Omit<RolloutRecord, 'id' | 'revision' | 'isCounted' | 'project' | 'channel' | 'state'>;

interface Row {
  readonly id: number;
  readonly name: string;
  readonly channel: string;
  readonly state: string;
  readonly doc: string;
}

const underWay = ['active', 'paused', 'halted'] as const;

export function sqliteRollouts(
  connection: Connection,
  committer: Committer,
  projects: ProjectIds,
  releases: ReleaseReader,
  knownBuilds: Pick<KnownBuilds, 'trust'>,
): RolloutStore {
  const { db } = connection;
  const rows = db
    .selectFrom('rollouts')
    .innerJoin('projects', 'projects.id', 'rollouts.project_id')
    .select(['rollouts.id', 'projects.name', 'channel', 'state', 'rollouts.doc']);

  return {
    create: (rollout, audit) =>
      committer.write('sync', () => {
        const projectId = projects.idOf(rollout.project);
        const busy = rows
          .where('rollouts.project_id', '=', projectId)
          .where('channel', '=', rollout.channel)
          .where('state', 'in', underWay);
        if (connection.first(busy) !== undefined) return undefined;
        const { project, channel, state, ...doc } = rollout;
        const values = { project_id: projectId, channel, state, doc: JSON.stringify(doc satisfies Doc) };
        const id = connection.insert(db.insertInto('rollouts').values(values));
        const created = { ...rollout, id, revision: 1, isCounted: false };
        knownBuilds.trust(rollout.releaseIds);
        writeAudit(connection, audit(created));
        return created;
      }),

    save: (rollout, change) =>
      committer.write(change === undefined ? 'lazy' : 'sync', () => {
        const { id, revision, isCounted, project, channel, state, ...doc } = rollout;
        const saved = { ...rollout, revision: revision + 1 };
        const values = { state, doc: JSON.stringify(doc satisfies Doc) };
        connection.run(db.updateTable('rollouts').set(values).where('id', '=', id));
        if (change === undefined) return saved;
        const current = (change.promote ?? [])
          .flatMap((releaseId) => releases.byId(releaseId) ?? [])
          .filter(isPromotable);
        for (const release of current) writeCurrent(connection, projects.idOf(project), channel, release);
        writeAudit(connection, change.audit);
        return saved;
      }),

    async ofProject(project, limit) {
      const query = rows.where('rollouts.project_id', '=', projects.idOf(project));
      return (await query.orderBy('rollouts.id', 'desc').limit(limit).execute()).map(toRollout);
    },

    async find(project, id) {
      const query = rows.where('rollouts.project_id', '=', projects.idOf(project)).where('rollouts.id', '=', id);
      const row = await query.executeTakeFirst();
      return row && toRollout(row);
    },

    async current() {
      const newest = db
        .selectFrom('rollouts')
        .select(({ fn }) => fn.max('id').as('id'))
        .groupBy(['project_id', 'channel']);
      return (await rows.where('rollouts.id', 'in', newest).orderBy('rollouts.id').execute()).map(toRollout);
    },

    counts: async () => [],
    countNext: async () => 'complete',
    soaked: async () => [],
    addresses: async () => [],
  };
}

function toRollout({ id, name, channel, state, doc }: Row): RolloutRecord {
  const read = storedJson<Doc>(doc, `the document of rollout ${id}`, documentSchemas.rollouts.doc);
  // The state was written by `create` or `save`.
  return { ...read, id, revision: 1, isCounted: false, project: name, channel, state: state as RolloutRecord['state'] };
}
