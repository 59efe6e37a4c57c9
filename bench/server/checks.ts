import { join } from 'node:path';
import { fillData } from './fleet.ts';
import { load } from './load.ts';
import { barePeer, ownPeer, type Peer, phpPeer } from './peers.ts';
import { type Cost, race } from './race.ts';
import { sqliteStorage } from './storage.ts';
import { indices, microseconds, perSecond, type Row, ratio } from './table.ts';

const devicesAtOnce = 8;
const requestsOfEach = 1000;
const rounds = 5;

/** Repeated update checks of an up-to-date device: by far the most frequent request. */
export async function benchChecks(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const data = join(folder, 'checks');
  const filled = await fillData(sqliteStorage(data), { devices: 1000, releases: 3, sizeBytes: 470 * 1024 });
  const devices = indices(devicesAtOnce).map((index) => filled.words(index, 'offered'));
  const php = open(await phpPeer(join(folder, 'checks-php'), filled, devices));
  const own = open(await ownPeer(sqliteStorage(data), 'ours'));
  const empty = open(await barePeer('bare', 'nothing'));
  const contenders = [php, own, empty].map((peer) => ({
    peer,
    load: () => load({ url: peer.url, devices, requests: requestsOfEach, status: 304 }),
  }));
  const costs = await race(contenders, rounds);
  const [theirs, ours, least] = [php, own, empty].map(({ name }) => costs.get(name)) as [Cost, Cost, Cost];
  return [
    [
      'check, CPU',
      microseconds(ours),
      ratio(ours.cpuMicros, theirs.cpuMicros),
      `PHP ${microseconds(theirs)}`,
      '<= 1.0x',
    ],
    [
      'check, requests/s',
      perSecond(ours),
      ratio(ours.perSecond, theirs.perSecond),
      `PHP ${perSecond(theirs)}`,
      '>= 0.8x',
    ],
    [
      'check, CPU, for comparison',
      microseconds(ours),
      ratio(ours.cpuMicros, least.cpuMicros),
      `node:http without decisions ${microseconds(least)}`,
      '',
    ],
  ];
}
