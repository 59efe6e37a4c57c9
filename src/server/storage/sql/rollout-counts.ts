import { type Insertable, sql } from 'kysely';
import type { RolloutMember } from '../records.ts';
import type { MemberChange } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import type { Tables } from './tables.ts';

type CountRow = Insertable<Tables['rollout_counts']>;
type MemberRow = Insertable<Tables['rollout_members']>;

/** Device with its changed contributions to rollouts. */
interface MembersOfDevice {
  readonly mac: string;
  readonly members: readonly MemberChange[];
}

/**
 * Applies the changed contributions of devices to the kept counts, within the transaction that changes the devices. A rollout whose devices
 * are still being counted, and which has not reached a device yet, counts the device later.
 */
export async function changeMembers(
  db: Database,
  { hasRowLocks }: Pick<Engine, 'hasRowLocks'>,
  devices: readonly MembersOfDevice[],
): Promise<void> {
  const changes = devices.flatMap(({ mac, members }) => members.map((change) => ({ mac, ...change })));
  if (changes.length === 0) return;
  const ids = [...new Set(changes.map(({ rollout }) => rollout))];
  const countings = await db
    .selectFrom('rollout_countings')
    .select(['rollout_id', 'counted_to'])
    .where('rollout_id', 'in', ids)
    .orderBy('rollout_id')
    .$if(hasRowLocks, (query) => query.forShare())
    .execute();
  const countedTo = new Map(countings.map(({ rollout_id, counted_to }) => [rollout_id, counted_to]));
  const counted = changes.filter(({ rollout, mac }) => {
    const to = countedTo.get(rollout);
    return to === null || (to !== undefined && mac <= to);
  });
  await changeCounts(
    db,
    counted.flatMap(({ rollout, before, after }) => [...countRow(rollout, before, -1), ...countRow(rollout, after, 1)]),
  );
  await writeMembers(
    db,
    counted.flatMap(({ rollout, mac, after }) => (after === undefined ? [] : [memberRow(rollout, mac, after)])),
  );
  const gone = counted.filter(({ before, after }) => before !== undefined && after === undefined);
  for (const id of new Set(gone.map(({ rollout }) => rollout))) {
    const macs = gone.filter(({ rollout }) => rollout === id).map(({ mac }) => mac);
    await db.deleteFrom('rollout_members').where('rollout_id', '=', id).where('mac', 'in', macs).execute();
  }
}

/** Adds the contributions of devices that a rollout has not counted yet. */
export async function addMembers(
  db: Database,
  rollout: number,
  members: readonly { readonly mac: string; readonly member: RolloutMember }[],
): Promise<void> {
  await changeCounts(
    db,
    members.flatMap(({ member }) => countRow(rollout, member, 1)),
  );
  await writeMembers(
    db,
    members.map(({ mac, member }) => memberRow(rollout, mac, member)),
  );
}

async function changeCounts(db: Database, changes: readonly CountRow[]): Promise<void> {
  const rows = new Map<string, CountRow>();
  for (const { devices, ...key } of changes) {
    const text = JSON.stringify([key.rollout_id, key.stage, key.kind]);
    rows.set(text, { ...key, devices: (rows.get(text)?.devices ?? 0) + devices });
  }
  // All transactions change the counts in the same order, so that they do not wait for each other in a cycle.
  const sorted = [...rows].filter(([, { devices }]) => devices !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return;
  await db
    .insertInto('rollout_counts')
    .values(sorted.map(([, row]) => row))
    .onConflict((conflict) =>
      conflict
        .columns(['rollout_id', 'stage', 'kind'])
        .doUpdateSet({ devices: sql<number>`rollout_counts.devices + excluded.devices` }),
    )
    .execute();
}

async function writeMembers(db: Database, rows: readonly MemberRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto('rollout_members')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['rollout_id', 'mac']).doUpdateSet(({ ref }) => ({
        stage: ref('excluded.stage'),
        kind: ref('excluded.kind'),
        since_ms: ref('excluded.since_ms'),
        address: ref('excluded.address'),
      })),
    )
    .execute();
}

function countRow(rollout: number, member: RolloutMember | undefined, devices: number): CountRow[] {
  return member === undefined ? [] : [{ rollout_id: rollout, stage: member.stage, kind: member.kind, devices }];
}

export function memberRow(rollout: number, mac: string, { stage, kind, sinceMs, address }: RolloutMember): MemberRow {
  const since_ms = sinceMs === undefined ? null : Math.floor(sinceMs);
  return { rollout_id: rollout, mac, stage, kind, since_ms, address: address ?? null };
}
