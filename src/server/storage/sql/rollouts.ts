import { sql } from 'kysely';
import { documentSchemas } from '../document-schemas.ts';
import type { RolloutRecord } from '../records.ts';
import type { NewAuditEntry, NewRollout, RolloutCount, RolloutStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import { writeCurrentReleases } from './current-releases.ts';
import { deviceColumns, toDevice } from './devices.ts';
import type { Database, Engine } from './engine.ts';
import { finalMembersOf, forgetFinalMembers, hasFinalMembers, memberMacs, storeFinalMembers } from './member-lists.ts';
import { bumpRevision, lockProject, requireRevision } from './projects.ts';
import { releasesByIds, trustReleases } from './releases.ts';
import { addMembers } from './rollout-counts.ts';
import { sendsWithinHour } from './rollout-sends.ts';
import { storedJson } from './stored-json.ts';

/** Part of a rollout that is stored as one JSON document because it is never searched. */
type Doc = Omit<RolloutRecord, 'id' | 'revision' | 'isCounted' | 'project' | 'channel' | 'state'>;

interface Row {
  readonly id: number;
  readonly name: string;
  readonly channel: string;
  readonly state: string;
  readonly revision: number;
  readonly doc: string;
  readonly counted_to: string | null;
}

const underWay = ['active', 'paused', 'halted'] as const;

export function sqlRollouts(engine: Engine): RolloutStore {
  const { db, transaction } = engine;
  return {
    create: (rollout, audit, projectRevision) =>
      transaction((change) => create(change, engine, { rollout, audit, projectRevision })),

    save: (rollout, change, finish) =>
      transaction(async (write) => {
        const next = finish === undefined ? rollout : await finished(write, rollout, finish);
        if (next === undefined || !(await update(write, next))) return 'conflict';
        // Storing many devices takes a while, for which the changes of devices must not wait.
        const projectId = change && (await lockProject(write, engine, rollout.project))?.id;
        const { id, revision, channel } = next;
        const saved = { ...next, id, revision: revision + 1 };
        if (change === undefined || projectId === undefined) return saved;
        await writeCurrentReleases(write, { projectId, channel }, await releasesByIds(write, change.promote ?? []));
        await writeAudit(write, [change.audit]);
        await bumpRevision(write, projectId);
        return saved;
      }),

    async ofProject(project, limit, { state, channel } = {}) {
      const query = rolloutRows(db)
        .where('projects.name', '=', project)
        .$if(state !== undefined, (rows) => rows.where('state', '=', state ?? ''))
        .$if(channel !== undefined, (rows) => rows.where('channel', '=', channel ?? ''));
      return (await query.orderBy('rollouts.id', 'desc').limit(limit).execute()).map(toRollout);
    },

    async find(project, id) {
      const query = rolloutRows(db).where('projects.name', '=', project).where('rollouts.id', '=', id);
      const row = await query.executeTakeFirst();
      return row && toRollout(row);
    },

    current: (project) => currentRollouts(db, project),

    sendsWithinHour: (id) => sendsWithinHour(engine, id),

    counts: (id) => countsOf(db, id),

    countNext: (id, most, memberOf) => transaction((change) => countNext(change, engine, { id, most, memberOf })),

    soaked: (id, kinds, latestMs) => countSoaked(db, { id, kinds, latestMs }),

    async addresses(id, kinds) {
      const members =
        kinds === undefined
          ? sql`rollout_members WHERE rollout_id = ${id}`
          : sql`rollout_members ${engine.indexedBy('rollout_members_since')} WHERE rollout_id = ${id} AND kind IN (${sql.join(kinds)})`;
      const query = sql<{ address: string; devices: number; addresses: number; all_devices: number }>`
        SELECT address, count(*) AS devices, count(*) OVER () AS addresses, sum(count(*)) OVER () AS all_devices
        FROM ${members} AND address IS NOT NULL
        GROUP BY address ORDER BY devices DESC, address LIMIT ${mostAddresses}`;
      const { rows } = await query.execute(db);
      return {
        devices: rows[0]?.all_devices ?? 0,
        addresses: rows[0]?.addresses ?? 0,
        most: rows.map(({ address, devices }) => ({ address, devices })),
      };
    },

    hasFinalMembers: (id) => hasFinalMembers(db, id),

    async finalMembers(filter, page) {
      const macs = await memberMacs(engine, { ...filter, isFinal: true }, page);
      const found = new Map((await finalMembersOf(db, filter, macs)).map((member) => [member.mac, member]));
      return macs.flatMap((mac) => found.get(mac) ?? []);
    },

    finalMembersOf: (filter, macs) => finalMembersOf(db, filter, macs),

    forgetFinalMembers: (project, at, most) =>
      transaction((change) => forgetFinalMembers(change, { project, at, most }), 'crash'),
  };
}

/** Maximum number of listed addresses; further addresses are only counted. */
const mostAddresses = 5;

/** @returns false if the revision differs from the stored one */
async function update(db: Database, rollout: RolloutRecord): Promise<boolean> {
  const { id, revision, isCounted: _, project: __, channel: ___, state, ...doc } = rollout;
  const values = { state, revision: revision + 1, doc: JSON.stringify(doc satisfies Doc) };
  const query = db.updateTable('rollouts').set(values).where('id', '=', id).where('revision', '=', revision);
  return (await query.executeTakeFirst()).numUpdatedRows > 0n;
}

/**
 * Stores the devices of a rollout, and returns the rollout with its final numbers; undefined if the revision differs from the stored one.
 * Holds the row of the rollout, so that no other process stores the devices at the same time.
 */
async function finished(
  db: Database,
  rollout: RolloutRecord,
  finish: (counts: readonly RolloutCount[]) => RolloutRecord,
): Promise<RolloutRecord | undefined> {
  const { id, revision } = rollout;
  const held = db.updateTable('rollouts').set({ revision }).where('id', '=', id).where('revision', '=', revision);
  if ((await held.executeTakeFirst()).numUpdatedRows === 0n) return undefined;
  return finish(await storeFinalMembers(db, id));
}

function countsOf(db: Database, id: number): Promise<readonly RolloutCount[]> {
  return db
    .selectFrom('rollout_counts')
    .select(['stage', 'kind', 'devices'])
    .where('rollout_id', '=', id)
    .where('devices', '>', 0)
    .orderBy('stage')
    .orderBy('kind')
    .execute();
}

interface Soaking {
  readonly id: number;
  readonly kinds: readonly string[];
  readonly latestMs: number;
}

/**
 * Subtracts the members that have not soaked yet from the kept counts. They are fewer than the soaked members: those that became members of
 * their kind within the soak time.
 */
async function countSoaked(db: Database, { id, kinds, latestMs }: Soaking) {
  if (kinds.length === 0) return [];
  const members = db.selectFrom('rollout_members').select('stage').where('rollout_id', '=', id);
  // The members of an earlier rollout were removed, but its counts stay.
  if ((await members.orderBy('mac').limit(1).executeTakeFirst()) === undefined) return [];
  const ofKinds = members.where('kind', 'in', kinds);
  const isLater = ofKinds.where('since_ms', '>', Math.floor(latestMs));
  const others = db
    .selectFrom(isLater.unionAll(ofKinds.where('since_ms', 'is', null)).as('members'))
    .select(({ fn }) => ['stage', fn.countAll<number>().as('devices')])
    .groupBy('stage')
    .as('others');
  const rows = await db
    .selectFrom('rollout_counts')
    .leftJoin(others, 'others.stage', 'rollout_counts.stage')
    .select(({ fn }) => [
      'rollout_counts.stage',
      fn.sum<number>('rollout_counts.devices').as('all'),
      fn.max<number | null>('others.devices').as('unsoaked'),
    ])
    .where('rollout_id', '=', id)
    .where('kind', 'in', kinds)
    .groupBy('rollout_counts.stage')
    .orderBy('rollout_counts.stage')
    .execute();
  const soaked = rows.map(({ stage, all, unsoaked }) => ({ stage, devices: all - (unsoaked ?? 0) }));
  return soaked.filter(({ devices }) => devices > 0);
}

/** Returns the newest rollout on each channel. */
export async function currentRollouts(db: Database, project?: string): Promise<readonly RolloutRecord[]> {
  const newest = db
    .selectFrom('rollouts')
    .select(({ fn }) => fn.max('id').as('id'))
    .groupBy(['project_id', 'channel']);
  const query = rolloutRows(db).where('rollouts.id', 'in', newest).orderBy('rollouts.id');
  const rows = await (project === undefined ? query : query.where('projects.name', '=', project)).execute();
  return rows.map(toRollout);
}

function rolloutRows(db: Database) {
  return db
    .selectFrom('rollouts')
    .innerJoin('projects', 'projects.id', 'rollouts.project_id')
    .innerJoin('rollout_countings', 'rollout_countings.rollout_id', 'rollouts.id')
    .select(['rollouts.id', 'projects.name', 'channel', 'state', 'rollouts.revision', 'rollouts.doc', 'counted_to']);
}

interface Creation {
  readonly rollout: NewRollout;
  readonly audit: (created: RolloutRecord) => NewAuditEntry;
  readonly projectRevision: number | undefined;
}

async function create(
  db: Database,
  engine: Engine,
  { rollout, audit, projectRevision }: Creation,
): Promise<RolloutRecord | undefined> {
  const { project, channel, state, ...doc } = rollout;
  const stored = await lockProject(db, engine, project);
  requireRevision(stored, projectRevision);
  if (stored === undefined) throw new Error(`project ${project} does not exist`);
  const projectId = stored.id;
  const busy = db
    .selectFrom('rollouts')
    .select('id')
    .where('project_id', '=', projectId)
    .where('channel', '=', channel)
    .where('state', 'in', underWay);
  if ((await busy.executeTakeFirst()) !== undefined) return undefined;
  const values = { project_id: projectId, channel, state, revision: 1, doc: JSON.stringify(doc satisfies Doc) };
  const { id } = await db.insertInto('rollouts').values(values).returning('id').executeTakeFirstOrThrow();
  await db.insertInto('rollout_countings').values({ rollout_id: id, counted_to: '' }).execute();
  const created = { ...rollout, id, revision: 1, isCounted: false };
  await trustReleases(db, rollout.releaseIds);
  await writeAudit(db, [audit(created)]);
  await bumpRevision(db, projectId);
  return created;
}

interface Counting {
  readonly id: number;
  readonly most: number;
  readonly memberOf: Parameters<RolloutStore['countNext']>[2];
}

async function countNext(db: Database, engine: Engine, counting: Counting): Promise<'more' | 'complete'> {
  const { id, most, memberOf } = counting;
  // A transaction that changes a device locks this row shared, so this lock waits until all changes up to `counted_to` are counted.
  const row = await db
    .selectFrom('rollout_countings')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_id')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(['counted_to', 'project_id', 'channel', 'projects.name'])
    .where('rollout_id', '=', id)
    .$if(engine.hasRowLocks, (query) => query.forUpdate('rollout_countings'))
    .executeTakeFirst();
  if (row === undefined || row.counted_to === null) return 'complete';
  if (await removeEarlierMembers(db, { ...row, id }, most)) return 'more';
  const devices = await db
    .selectFrom('devices')
    .select(deviceColumns)
    .where('project_id', '=', row.project_id)
    .where('mac', '>', row.counted_to)
    .orderBy('mac')
    .limit(most)
    .execute();
  const members = devices.flatMap((device) => {
    const member = memberOf(toDevice(row.name, device).record);
    return member === undefined ? [] : [{ mac: device.mac, member }];
  });
  await addMembers(db, id, members);
  const counted_to = devices.length < most ? null : (devices.at(-1)?.mac ?? null);
  await db.updateTable('rollout_countings').set({ counted_to }).where('rollout_id', '=', id).execute();
  return counted_to === null ? 'complete' : 'more';
}

/**
 * Removes member data of earlier rollouts on the channel, which are no longer evaluated.
 *
 * @returns false if there was none
 */
async function removeEarlierMembers(
  db: Database,
  { id, project_id, channel }: { readonly id: number; readonly project_id: number; readonly channel: string },
  most: number,
): Promise<boolean> {
  const earlier = db
    .selectFrom('rollouts')
    .select('id')
    .where('project_id', '=', project_id)
    .where('channel', '=', channel)
    .where('id', '<', id);
  const rows = await db
    .selectFrom('rollout_members')
    .select(['rollout_id', 'mac'])
    .where('rollout_id', 'in', earlier)
    .limit(most)
    .execute();
  for (const rollout of new Set(rows.map(({ rollout_id }) => rollout_id))) {
    const macs = rows.filter(({ rollout_id }) => rollout_id === rollout).map(({ mac }) => mac);
    await db.deleteFrom('rollout_members').where('rollout_id', '=', rollout).where('mac', 'in', macs).execute();
  }
  return rows.length > 0;
}

function toRollout({ id, name, channel, state, revision, doc, counted_to }: Row): RolloutRecord {
  const read = storedJson<Doc>(doc, `the document of rollout ${id}`, documentSchemas.rollouts.doc);
  // The state was written by `create` or `save`.
  const found = { id, project: name, channel, state: state as RolloutRecord['state'], revision };
  return { ...read, ...found, isCounted: counted_to === null };
}
