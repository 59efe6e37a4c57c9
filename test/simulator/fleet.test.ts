import test from 'ava';
import { startVirtualDevice, syntheticSketch, type VirtualDevice } from '../../src/simulator/index.ts';
import { afterwards, bareUpload, md5 } from './bare-host.ts';
import { patientTimings } from './patient-timings.ts';

const megabyte = 1024 * 1024;

async function fleet(count: number): Promise<VirtualDevice[]> {
  const start = () => startVirtualDevice({ image: { sizeBytes: 40_000 }, webPort: 0, timings: patientTimings });
  return Promise.all(Array.from({ length: count }, start));
}

test.serial('shares memory among two hundred 4 MB devices with distinct names and ports', async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  const all = await fleet(200);
  t.true(process.memoryUsage().arrayBuffers - before < 20 * megabyte);
  for (const distinct of ['mac', 'hostname', 'otaPort', 'webPort'] as const) {
    t.is(new Set(all.map((device) => device[distinct])).size, 200);
  }
  await Promise.all(all.map((device) => device.close()));
});

test.serial('updates twenty devices at the same time, each with its own image', async (t) => {
  const all = await fleet(20);
  const images = [5, 6].map((seed) => syntheticSketch({ sizeBytes: 100_000, seed }));
  const booted = Promise.all(all.map(afterwards));
  await Promise.all(all.map((device, index) => bareUpload(t, device, images[index % 2] ?? new Uint8Array())));
  await booted;
  const [even = '', odd = ''] = images.map(md5);
  t.deepEqual(
    all.map((device) => device.state.sketchMd5),
    all.map((_, index) => (index % 2 === 0 ? even : odd)),
  );
  await Promise.all(all.map((device) => device.close()));
});
