import { join } from 'node:path';
import { fillData } from './fleet.ts';
import type { Peer } from './peers.ts';
import { median } from './race.ts';
import { measure } from './scale.ts';
import { sqliteStorage } from './storage.ts';
import { type Row, ratio } from './table.ts';

const rounds = 3;

/** Compares the same enrolled fleet with and without an active rollout of five stages, alternately. */
export async function benchRollout(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const fleet = { devices: 100_000, releases: 3, sizeBytes: 64 * 1024 };
  const places = [false, true].map((rollout) => ({ rollout, data: join(folder, `rollout-${rollout}`) }));
  const filled = await Promise.all(
    places.map(({ data, rollout }) => fillData(sqliteStorage(data), { ...fleet, rollout })),
  );
  const figures: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [index, { data }] of places.entries()) {
      const fill = filled[index];
      if (fill === undefined) throw new Error('no data was created');
      const { checkMicros } = await measure(sqliteStorage(data), fill, fleet.devices, open);
      figures[index]?.push(checkMicros);
    }
  }
  const [without, withRollout] = [median(figures[0]), median(figures[1])];
  const what = '100,000 enrolled devices, an active rollout of 5 stages: a check';
  const reference = `without: ${without.toFixed(0)} us`;
  return [[what, `${withRollout.toFixed(0)} us`, ratio(withRollout, without), reference, '<= 1.15x']];
}
