import { sql } from 'kysely';
import type { FailureLimit, FailureStore } from '../store.ts';
import type { Engine } from './engine.ts';

const dayMs = 86_400_000;

/**
 * Limits on failures. Each failure moves the time at which all failures of its bucket are forgotten by the time that one failure takes to be
 * forgotten, so one number per bucket is enough, and one statement counts a failure (generic cell rate algorithm).
 */
export function sqlFailures({ db, nowMs }: Pick<Engine, 'db' | 'nowMs'>): FailureStore {
  return {
    async take(bucket, limit) {
      const now = nowMs();
      const oneMs = forgottenAfterMs(limit);
      const query = sql<{ bucket: string }>`
        INSERT INTO failure_buckets (bucket, full_at) VALUES (${bucket}, ${now} + ${sql.lit(oneMs)})
        ON CONFLICT (bucket) DO UPDATE SET full_at =
          CASE WHEN failure_buckets.full_at > ${now} THEN failure_buckets.full_at ELSE ${now} END + ${sql.lit(oneMs)}
        WHERE failure_buckets.full_at <= ${now} + ${sql.lit(oneMs * (limit.burst - 1))}
        RETURNING bucket`;
      return (await query.execute(db)).rows.length > 0;
    },

    async hasAny(bucket, limit) {
      const latest = sql<number>`${nowMs()} + ${sql.lit(forgottenAfterMs(limit) * (limit.burst - 1))}`;
      const query = db.selectFrom('failure_buckets').select('bucket').where('bucket', '=', bucket);
      return (await query.where('full_at', '>', latest).executeTakeFirst()) === undefined;
    },

    async removeFull() {
      await db.deleteFrom('failure_buckets').where('full_at', '<=', nowMs()).execute();
    },
  };
}

/** Returns the time after which one failure is forgotten, in milliseconds: at most a day, also if `perSecond` is 0. */
function forgottenAfterMs({ perSecond }: FailureLimit): number {
  return Math.ceil(Math.min(1000 / perSecond, dayMs));
}
