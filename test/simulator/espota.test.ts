import test from 'ava';
import { quickTimings, startVirtualEsp, syntheticSketch } from '../../src/simulator/index.ts';
import { bareUpload } from './bare-host.ts';
import { holds } from './holds.ts';

test('an upload is acknowledged in bare decimals, ends with OK, and the device runs the new sketch', async (t) => {
  await using esp = await startVirtualEsp({ image: { sizeBytes: 40_000, seed: 1 }, timings: quickTimings });
  const before = esp.state.sketchMd5;
  const image = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
  const booted = esp.nextEvent(({ event }) => event === 'boot' || event === 'bricked', 5000);
  const result = await bareUpload(esp.otaPort, image);
  t.deepEqual(result.datagrams, ['OK']);
  t.regex(result.stream, /^\d+OK$/);
  const event = await booted;
  t.is(event.event, 'boot');
  t.not(esp.state.sketchMd5, before);
  t.true(holds(esp, image));
});
