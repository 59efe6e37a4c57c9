/** Separate process for {@link file://./fleet.ts}: virtual devices on a 50 ms link. Prints their ports and runs until it is killed. */
import { startVirtualDevice } from '../src/simulator/index.ts';

const count = Number(process.argv[2]);
const link = { rttMs: 50, windowBytes: 5840 };
const image = { sizeBytes: 64 * 1024 };
const devices = await Promise.all(Array.from({ length: count }, () => startVirtualDevice({ link, image })));
console.log(JSON.stringify(devices.map(({ otaPort }) => otaPort)));
