import { checkInOnce } from './check-ins.ts';
import { type FilledData, fillData } from './fleet.ts';
import { load } from './load.ts';
import { type OpenPeer, ownPeer, type Peer } from './peers.ts';
import { cpuSecondsOf, median } from './race.ts';
import { bothStorages, type OpenEngines, type Storage } from './storage.ts';
import { indices, type Row, ratio } from './table.ts';

/** Fleet sizes, with the number of releases. */
const sizes = [
  { devices: 1_000, releases: 3 },
  { devices: 100_000, releases: 300 },
  { devices: 1_000_000, releases: 300 },
];
const sampleSize = 1000;
const checkers = 8;
const requestsOfEach = 500;
const rounds = 3;

/** Cost of an update check and of a decision, in fleets of several sizes. */
export async function benchScale(folder: string, open: OpenPeer, engines: OpenEngines): Promise<Row[]> {
  const rows: Row[] = [];
  const smallest = new Map<string, number>();
  for (const { devices, releases } of sizes) {
    for (const storage of await bothStorages(folder, `scale-${devices}`, engines)) {
      const filled = await fillData(storage, { devices, releases, sizeBytes: 64 * 1024 });
      const { checkMicros, firstMicros, againMicros, memoryMb } = await measure(storage, filled, devices, open);
      const least = smallest.get(storage.name) ?? checkMicros;
      smallest.set(storage.name, least);
      const what = `${storage.name}, ${devices.toLocaleString('en')} devices, ${releases} releases`;
      rows.push(
        [`${what}: a check`, us(checkMicros), ratio(checkMicros, least), `${memoryMb.toFixed(0)} MB`, '<= 1.3x'],
        [`${what}: a decision after a restart`, us(againMicros), '', '', ''],
        [`${what}: a stored decision`, us(firstMicros), '', '', ''],
      );
    }
  }
  return rows;
}

function us(micros: number): string {
  return `${micros.toFixed(0)} us`;
}

/** CPU of the server's processes per request, in microseconds. */
export async function measure(storage: Storage, filled: FilledData, devices: number, open: OpenPeer) {
  // The sample is spread over the fleet, so that no two devices share a page of the database.
  const sample = indices(sampleSize).map((index) =>
    filled.words(Math.floor((index * devices) / sampleSize), 'offered'),
  );
  const first = open(await ownPeer(storage, 'ours'));
  await warm(first, filled);
  const firstMicros = await cpuMicros(first, () => checkInOnce(first, sample, 304), sampleSize);
  const checking = sample.slice(0, checkers);
  const check = () => load({ url: first.url, devices: checking, requests: requestsOfEach, status: 304 });
  const checks: number[] = [];
  for (let round = 0; round < rounds; round++) checks.push(await cpuMicros(first, check, checkers * requestsOfEach));
  const memoryMb = first.servers.reduce((sum, server) => sum + server.memoryMb(), 0);
  await stop(first);

  const again = open(await ownPeer(storage, 'ours'));
  await warm(again, filled);
  const againMicros = await cpuMicros(again, () => checkInOnce(again, sample, 304), sampleSize);
  await stop(again);
  return { checkMicros: median(checks), firstMicros, againMicros, memoryMb };
}

/** Warm-up, because code is compiled during the first requests; uses a device outside the samples. */
function warm(peer: Peer, filled: FilledData) {
  return load({ url: peer.url, devices: [filled.words(1, 'offered')], requests: 4000, status: 304 });
}

async function cpuMicros(peer: Peer, work: () => Promise<unknown>, requests: number): Promise<number> {
  const seconds = () => cpuSecondsOf(peer);
  const before = seconds();
  await work();
  return (1e6 * (seconds() - before)) / requests;
}

async function stop({ servers }: Peer): Promise<void> {
  for (const server of servers) await server.stop();
}
