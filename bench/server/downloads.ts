import { join } from 'node:path';
import { type FilledData, fillData } from './fleet.ts';
import { load } from './load.ts';
import { acceleratedPeer, ownPeer, type Peer, phpPeer, staticPeer } from './peers.ts';
import { type Contender, type Cost, race } from './race.ts';
import { indices, microseconds, perSecond, type Row, ratio } from './table.ts';

const devicesAtOnce = 32;
const requestsOfEach = 60;
const rounds = 5;
const fleet = { devices: 1000, releases: 3, sizeBytes: 470 * 1024 };

/** A device runs an old build and is sent the new one; ours knows the device, decides, and writes down that it sent it. */
export async function benchDownloads(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const data = join(folder, 'downloads');
  const behind = join(folder, 'behind-nginx');
  const filled = await fillData(data, fleet);
  const filledBehind = await fillData(behind, fleet);
  const devices = devicesOf(filled);
  const php = open(await phpPeer(join(folder, 'downloads-php'), filled, devices));
  const nginx = open(await staticPeer(join(folder, 'downloads-static'), filled));
  const own = open(await ownPeer(data, 'ours'));
  const accelerated = open(await acceleratedPeer(join(folder, 'downloads-behind'), behind));
  const contenders: Contender[] = [
    ...[php, nginx, own].map((peer) => ({ peer, load: () => download(peer, devices) })),
    { peer: accelerated, load: () => download(accelerated, devicesOf(filledBehind)) },
  ];
  const costs = await race(contenders, rounds);
  const [theirs, plain, ours, front] = [php, nginx, own, accelerated].map(({ name }) => costs.get(name)) as [
    Cost,
    Cost,
    Cost,
    Cost,
  ];
  return [
    [
      'download of 470 KB, CPU',
      microseconds(ours),
      ratio(ours.cpuMicros, theirs.cpuMicros),
      `PHP ${microseconds(theirs)}`,
      '<= 0.2x',
    ],
    [
      'download of 470 KB, requests/s',
      perSecond(ours),
      ratio(ours.perSecond, theirs.perSecond),
      `PHP ${perSecond(theirs)}`,
      '>= 3x',
    ],
    [
      'behind nginx (X-Accel-Redirect), requests/s',
      perSecond(front),
      ratio(front.perSecond, plain.perSecond),
      `nginx static ${perSecond(plain)}`,
      '>= 0.9x',
    ],
    [
      'behind nginx, CPU, for comparison',
      microseconds(front),
      ratio(front.cpuMicros, plain.cpuMicros),
      `nginx static ${microseconds(plain)}`,
      '',
    ],
  ];
}

function devicesOf(filled: FilledData) {
  return indices(devicesAtOnce).map((index) => filled.words(index, 'old'));
}

function download({ url }: Peer, devices: ReturnType<typeof devicesOf>) {
  return load({ url, devices, requests: requestsOfEach, status: 200 });
}
