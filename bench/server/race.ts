import type { LoadResult } from './load.ts';
import type { Peer } from './peers.ts';

/** Cost of a request on one server. */
export interface Cost {
  /** CPU of all its processes, in microseconds. */
  readonly cpuMicros: number;
  readonly perSecond: number;
}

export interface Contender {
  readonly peer: Peer;
  readonly load: () => Promise<LoadResult>;
}

/** Warm-up rounds: code is compiled during the first requests, which does not matter for a long-running server. */
const warmRounds = 6;

/** Sends load to the servers in turn, so that a slowdown of the machine affects all of them. Returns the medians of the rounds. */
export async function race(contenders: readonly Contender[], rounds: number): Promise<ReadonlyMap<string, Cost>> {
  const costs = new Map<string, Cost[]>(contenders.map(({ peer }) => [peer.name, []]));
  for (let round = 0; round < warmRounds; round++) for (const contender of contenders) await contender.load();
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) costs.get(contender.peer.name)?.push(await measure(contender));
  }
  return new Map([...costs].map(([name, all]) => [name, medianOf(all)]));
}

async function measure({ peer, load }: Contender): Promise<Cost> {
  const cpuSeconds = () => cpuSecondsOf(peer);
  const before = cpuSeconds();
  const { requests, seconds } = await load();
  return { cpuMicros: (1e6 * (cpuSeconds() - before)) / requests, perSecond: requests / seconds };
}

/** CPU of the servers and of their database. */
export function cpuSecondsOf({ servers, engine }: Peer): number {
  return servers.reduce((sum, server) => sum + server.cpuSeconds(), engine?.cpuSeconds() ?? 0);
}

function medianOf(costs: readonly Cost[]): Cost {
  return {
    cpuMicros: median(costs.map((cost) => cost.cpuMicros)),
    perSecond: median(costs.map((cost) => cost.perSecond)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
