/** Separate process for {@link file://./upload.ts}: runs all races at the same time, because none needs much CPU. Prints a JSON document. */
import { gzipSync } from 'node:zlib';
import { deliverByEspota } from '../src/delivery/espota/deliver.ts';
import { startVirtualDevice, syntheticSketch } from '../src/simulator/index.ts';
import { sendInLockStep } from './lock-step.ts';

const image = syntheticSketch({ sizeBytes: 400 * 1024, seed: 4 });
const compressed = gzipSync(image, { level: 9 });

/** Duration of an upload on a virtual link in seconds, including the pauses of a real device. */
async function secondsOn(
  link: { rttMs: number; windowBytes: number },
  send: (device: { host: string; otaPort: number }) => Promise<unknown>,
): Promise<number> {
  await using device = await startVirtualDevice({ link });
  const startedAt = performance.now();
  await send(device);
  return (performance.now() - startedAt) / 1000;
}

async function stream({ host, otaPort: port }: { host: string; otaPort: number }, bytes: Uint8Array): Promise<void> {
  const { signal } = new AbortController();
  const verdict = await deliverByEspota({ host, port }, bytes, { kind: 'sketch', signal });
  if (verdict.kind !== 'accepted') throw new Error(JSON.stringify(verdict));
}

const races = [5840, 11_584].flatMap((windowBytes) => [10, 50, 200].map((rttMs) => ({ rttMs, windowBytes })));
const results = await Promise.all(
  races.map(async (link) => ({
    ...link,
    lockStep: await secondsOn(link, (device) => sendInLockStep(device, image)),
    streaming: await secondsOn(link, (device) => stream(device, image)),
    gzip: await secondsOn(link, (device) => stream(device, compressed)),
  })),
);
console.log(JSON.stringify(results));
