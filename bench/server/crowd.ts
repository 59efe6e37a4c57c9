import { setTimeout as pause } from 'node:timers/promises';
import { fillData } from './fleet.ts';
import { load } from './load.ts';
import { type OpenPeer, ownPeer, type Peer } from './peers.ts';
import { median } from './race.ts';
import { slowDevices } from './slow-devices.ts';
import { bothStorages, type OpenEngines, type Storage } from './storage.ts';
import { indices, type Row, ratio } from './table.ts';

const slowOnes = 5000;
const bytesPerSecond = 2048;
const checkers = 4;
const requestsOfEach = 500;
const rounds = 5;

/** Thousands of devices on slow links download at the same time while others check for updates. */
export async function benchCrowd(folder: string, open: OpenPeer, engines: OpenEngines): Promise<Row[]> {
  const rows: Row[] = [];
  for (const storage of await bothStorages(folder, 'crowd', engines)) rows.push(...(await crowdOn(storage, open)));
  return rows;
}

async function crowdOn(storage: Storage, open: OpenPeer): Promise<Row[]> {
  const filled = await fillData(storage, { devices: slowOnes + checkers, releases: 3, sizeBytes: 470 * 1024 });
  const own = open(await ownPeer(storage, 'ours', ['--connections-per-address', String(2 * slowOnes)]));
  const waiting = indices(checkers, slowOnes).map((index) => filled.words(index, 'offered'));
  const p99 = async () => {
    const { latencyMs } = await load({ url: own.url, devices: waiting, requests: requestsOfEach, status: 304 });
    return latencyMs(99);
  };
  await p99();
  const idleMs = await medianOf(p99);
  const idleMb = memoryOf(own);
  const slow = await slowDevices(
    own,
    indices(slowOnes).map((index) => filled.words(index, 'old')),
    bytesPerSecond,
  );
  try {
    let mostMb = memoryOf(own);
    const busyMs = await medianOf(async () => {
      const ms = await p99();
      mostMb = Math.max(mostMb, memoryOf(own));
      await pause(1000);
      return ms;
    });
    const what = `${storage.name}, ${slow.receiving} devices at 2 KB/s`;
    return [
      [`${what}, memory`, `${mostMb.toFixed(0)} MB`, '', `idle ${idleMb.toFixed(0)} MB`, '< 300 MB'],
      [
        `${what}, p99 of a check`,
        `${busyMs.toFixed(1)} ms`,
        ratio(busyMs, idleMs),
        `idle ${idleMs.toFixed(1)} ms`,
        '< 5x',
      ],
    ];
  } finally {
    await slow.stop();
    for (const server of own.servers) await server.stop();
  }
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) values.push(await measure());
  return median(values);
}

function memoryOf({ servers }: Peer): number {
  return servers.reduce((sum, server) => sum + server.memoryMb(), 0);
}
