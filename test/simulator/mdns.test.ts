import { createSocket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { quickTimings, startVirtualEsp, syntheticSketch } from '../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../src/simulator/options.ts';
import { Mdns, type SeenService } from '../../src/upload/mdns.ts';
import { afterwards, bareUpload, md5 } from './bare-host.ts';

/** A port of its own for each test, so that the machine's mDNS, and other tests, are not disturbed. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
