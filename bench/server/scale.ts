import { join } from 'node:path';
import { checkInOnce } from './check-ins.ts';
import { type FilledData, fillData } from './fleet.ts';
import { load } from './load.ts';
import { ownPeer, type Peer } from './peers.ts';
import { median } from './race.ts';
import { indices, type Row } from './table.ts';

/** Fleet sizes, with the number of releases. */
const sizes = [
  { devices: 1_000, releases: 3 },
  { devices: 10_000, releases: 30 },
  { devices: 100_000, releases: 300 },
];
const sampleSize = 1000;
const checkers = 8;
const requestsOfEach = 500;
const rounds = 3;

/** Cost of an update check and of a decision, in fleets of several sizes. */
export async function benchScale(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { devices, releases } of sizes) {
    const data = join(folder, `scale-${devices}`);
    const filled = await fillData(data, { devices, releases, sizeBytes: 64 * 1024 });
    const { checkMicros, firstMicros, againMicros, memoryMb } = await measure(data, filled, devices, open);
    const what = `${devices.toLocaleString('en')} devices, ${releases} releases`;
    rows.push(
      [`${what}: a check`, `${checkMicros.toFixed(0)} us`, '', `${memoryMb.toFixed(0)} MB`, 'does not grow'],
      [`${what}: an uncached decision`, `${againMicros.toFixed(0)} us`, '', '', '< 1000 us'],
      [`${what}: a stored decision`, `${firstMicros.toFixed(0)} us`, '', '', '< 1000 us'],
    );
  }
  return rows;
}

/** CPU of the server's processes per request, in microseconds. */
export async function measure(data: string, filled: FilledData, devices: number, open: (peer: Peer) => Peer) {
  // The sample is spread over the fleet, so that no cache contains its devices.
  const sample = indices(sampleSize).map((index) =>
    filled.words(Math.floor((index * devices) / sampleSize), 'offered'),
  );
  const first = open(await ownPeer(data, 'ours'));
  await warm(first, filled);
  const firstMicros = await cpuMicros(first, () => checkInOnce(first, sample, 304), sampleSize);
  const checking = sample.slice(0, checkers);
  const check = () => load({ url: first.url, devices: checking, requests: requestsOfEach, status: 304 });
  const checks: number[] = [];
  for (let round = 0; round < rounds; round++) checks.push(await cpuMicros(first, check, checkers * requestsOfEach));
  const memoryMb = first.servers.reduce((sum, server) => sum + server.memoryMb(), 0);
  await stop(first);

  // A restarted server has no devices in its cache.
  const again = open(await ownPeer(data, 'ours'));
  await warm(again, filled);
  const againMicros = await cpuMicros(again, () => checkInOnce(again, sample, 304), sampleSize);
  await stop(again);
  return { checkMicros: median(checks), firstMicros, againMicros, memoryMb };
}

/** Warm-up, because code is compiled during the first requests; uses a device outside the samples. */
function warm(peer: Peer, filled: FilledData) {
  return load({ url: peer.url, devices: [filled.words(1, 'offered')], requests: 4000, status: 304 });
}

async function cpuMicros({ servers }: Peer, work: () => Promise<unknown>, requests: number): Promise<number> {
  const seconds = () => servers.reduce((sum, server) => sum + server.cpuSeconds(), 0);
  const before = seconds();
  await work();
  return (1e6 * (seconds() - before)) / requests;
}

async function stop({ servers }: Peer): Promise<void> {
  for (const server of servers) await server.stop();
}
