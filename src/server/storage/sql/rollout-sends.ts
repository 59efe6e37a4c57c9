import { sql } from 'kysely';
import type { LimitedSend } from '../store.ts';
import type { Database, Engine } from './engine.ts';

const minuteMs = 60_000;
/** The minute of a send and the 60 minutes before it, so that no 60 minutes contain more sends than the limit. */
const countedMinutes = 60;

/** Returns how many sends of a rollout began within the last hour. */
export async function sendsWithinHour({ db, nowMs }: Pick<Engine, 'db' | 'nowMs'>, rollout: number): Promise<number> {
  // Without the cast, SQLite divides its time as a floating-point number.
  const since = sql<number>`CAST(${nowMs()} AS bigint) / ${sql.lit(minuteMs)} - ${sql.lit(countedMinutes)}`;
  const query = db
    .selectFrom('rollout_sends')
    .select(({ fn }) => fn.sum<number | null>('sends').as('sends'))
    .where('rollout_id', '=', rollout)
    .where('minute', '>=', since);
  return (await query.executeTakeFirst())?.sends ?? 0;
}

/**
 * Counts a send, within the transaction that begins it. The clock of the database decides, so that processes with different clocks agree.
 *
 * @returns false if the limits do not permit the send; nothing is written then
 */
export async function maySend(db: Database, engine: Engine, { rollout, perHour, isOpenAt }: LimitedSend) {
  // Without the lock, two transactions could both take the last send of the hour.
  if (perHour !== undefined) await engine.lock(db, `rollout-sends-${rollout}`);
  const { rows } = await sql<{ now: number }>`SELECT ${engine.nowMs()} AS now`.execute(db);
  const now = Number(rows[0]?.now);
  if (!isOpenAt(now)) return false;
  if (perHour === undefined) return true;
  const minute = Math.floor(now / minuteMs);
  const ofRollout = db.deleteFrom('rollout_sends').where('rollout_id', '=', rollout);
  await ofRollout.where('minute', '<', minute - countedMinutes).execute();
  const counted = await db
    .selectFrom('rollout_sends')
    .select(({ fn }) => fn.sum<number | null>('sends').as('sends'))
    .where('rollout_id', '=', rollout)
    .executeTakeFirst();
  if ((counted?.sends ?? 0) >= perHour) return false;
  await db
    .insertInto('rollout_sends')
    .values({ rollout_id: rollout, minute, sends: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['rollout_id', 'minute'])
        .doUpdateSet({ sends: sql<number>`rollout_sends.sends + excluded.sends` }),
    )
    .execute();
  return true;
}
