import { join } from 'node:path';
import { fillData } from './fleet.ts';
import { type LoadResult, load } from './load.ts';
import { type OpenPeer, ownPeer, type Peer, phpPeer } from './peers.ts';
import { type Cost, race } from './race.ts';
import type { OpenEngines } from './storage.ts';
import { indices, microseconds, perSecond, type Row, ratio } from './table.ts';

const devicesAtOnce = 8;
const requestsOfEach = 1000;
const rounds = 5;

/** Repeated update checks on PostgreSQL. The CPU of the database counts for each server. */
export async function benchPostgres(folder: string, open: OpenPeer, engines: OpenEngines): Promise<Row[]> {
  const { cluster, storage } = await engines();
  const own = await storage('checks', join(folder, 'checks'));
  const filled = await fillData(own, { devices: 1000, releases: 3, sizeBytes: 470 * 1024 });
  const devices = indices(devicesAtOnce).map((index) => filled.words(index, 'offered'));
  const php = open(await phpPeer(join(folder, 'checks-php'), filled, devices, { cluster, name: 'php' }));
  const one = open(await ownPeer(own, 'one process'));
  const [first, second] = [open(await ownPeer(own, 'first')), open(await ownPeer(own, 'second'))];
  const pair: Peer = { ...first, name: 'two processes', servers: [...first.servers, ...second.servers] };
  const half = devicesAtOnce / 2;
  const check = (url: string, some: typeof devices) =>
    load({ url, devices: some, requests: requestsOfEach, status: 304 });
  const costs = await race(
    [
      ...[php, one].map((peer) => ({ peer, load: () => check(peer.url, devices) })),
      {
        peer: pair,
        load: async () =>
          together(
            await Promise.all([check(first.url, devices.slice(0, half)), check(second.url, devices.slice(half))]),
          ),
      },
    ],
    rounds,
  );
  const [theirs, single, both] = [php, one, pair].map(({ name }) => costs.get(name)) as [Cost, Cost, Cost];
  const reference = `PHP with PostgreSQL ${microseconds(theirs)}`;
  const singly = `one process ${microseconds(single)}`;
  return [
    ['PostgreSQL: check, CPU', microseconds(single), ratio(single.cpuMicros, theirs.cpuMicros), reference, '<= 1.5x'],
    [
      'PostgreSQL: check, requests/s',
      perSecond(single),
      ratio(single.perSecond, theirs.perSecond),
      `PHP with PostgreSQL ${perSecond(theirs)}`,
      '',
    ],
    ['two processes: check, CPU', microseconds(both), ratio(both.cpuMicros, single.cpuMicros), singly, '<= 1.1x'],
    [
      'two processes: check, requests/s',
      perSecond(both),
      ratio(both.perSecond, single.perSecond),
      `one process ${perSecond(single)}`,
      '',
    ],
  ];
}

/** Result of loads that were sent at the same time. */
function together(results: readonly LoadResult[]): LoadResult {
  return {
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    latencyMs: (percent) => Math.max(...results.map(({ latencyMs }) => latencyMs(percent))),
  };
}
