import { join } from 'node:path';
import { type FilledData, fillData, writeArtifact } from './fleet.ts';
import { load } from './load.ts';
import {
  acceleratedPeer,
  bareAcceleratedPeer,
  barePeer,
  ownPeer,
  type Peer,
  phpPeer,
  recordingPeer,
  staticPeer,
} from './peers.ts';
import { type Contender, type Cost, race } from './race.ts';
import { sqliteStorage } from './storage.ts';
import { indices, microseconds, perSecond, type Row, ratio } from './table.ts';

const devicesAtOnce = 32;
const requestsOfEach = 60;
const rounds = 5;
const fleet = { devices: 1000, releases: 3, sizeBytes: 470 * 1024 };

/** Downloads of a new build by devices that run an old build. Our server looks up the device, makes a decision, and records the attempt. */
export async function benchDownloads(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const data = join(folder, 'downloads');
  const behind = join(folder, 'behind-nginx');
  const filled = await fillData(sqliteStorage(data), fleet);
  const filledBehind = await fillData(sqliteStorage(behind), fleet);
  const devices = devicesOf(filled);
  const php = open(await phpPeer(join(folder, 'downloads-php'), filled, devices));
  const nginx = open(await staticPeer(join(folder, 'downloads-static'), filled));
  const own = open(await ownPeer(sqliteStorage(data), 'ours'));
  const accelerated = open(await acceleratedPeer(join(folder, 'downloads-behind'), behind));
  const file = join(folder, 'door.bin');
  await writeArtifact(file, filled);
  const bare = open(await barePeer('bare', 'body', file));
  const recording = open(await recordingPeer(file, join(folder, 'recorded.db')));
  const bareBehind = open(await bareAcceleratedPeer(join(folder, 'downloads-bare'), filled));
  const contenders: Contender[] = [
    ...[php, nginx, own, bare, recording, bareBehind].map((peer) => ({ peer, load: () => download(peer, devices) })),
    { peer: accelerated, load: () => download(accelerated, devicesOf(filledBehind)) },
  ];
  const costs = await race(contenders, rounds);
  const costOf = ({ name }: Peer) => costs.get(name) as Cost;
  const [theirs, plain, ours, front] = [costOf(php), costOf(nginx), costOf(own), costOf(accelerated)];
  const [least, leastRecorded, leastFront] = [costOf(bare), costOf(recording), costOf(bareBehind)];
  return [
    [
      'download of 470 KB, CPU',
      microseconds(ours),
      ratio(ours.cpuMicros, theirs.cpuMicros),
      `PHP ${microseconds(theirs)}`,
      '<= 0.35x',
    ],
    [
      'download of 470 KB, requests/s',
      perSecond(ours),
      ratio(ours.perSecond, theirs.perSecond),
      `PHP ${perSecond(theirs)}`,
      '>= 3x',
    ],
    comparison('download of 470 KB', 'node:http without decisions', least, theirs, 'PHP'),
    comparison(
      'download of 470 KB',
      'node:http that stores, logs and sends without decisions',
      leastRecorded,
      theirs,
      'PHP',
    ),
    [
      'behind nginx (X-Accel-Redirect), requests/s',
      perSecond(front),
      ratio(front.perSecond, plain.perSecond),
      `nginx static ${perSecond(plain)}`,
      '>= 0.9x',
    ],
    comparison('behind nginx', 'node:http without decisions, behind nginx', leastFront, plain, 'nginx static'),
  ];
}

/** Compares the lower bound, a server that makes no decisions, with a peer. */
function comparison(what: string, name: string, least: Cost, peer: Cost, peerName: string): Row {
  const both = (cost: Cost) => `${microseconds(cost)}, ${perSecond(cost)}`;
  const ratios = `${ratio(least.cpuMicros, peer.cpuMicros)}, ${ratio(least.perSecond, peer.perSecond)}`;
  return [`${what}, for comparison: ${name}`, both(least), ratios, `${peerName} ${both(peer)}`, ''];
}

function devicesOf(filled: FilledData) {
  return indices(devicesAtOnce).map((index) => filled.words(index, 'old'));
}

function download({ url }: Peer, devices: ReturnType<typeof devicesOf>) {
  return load({ url, devices, requests: requestsOfEach, status: 200 });
}
