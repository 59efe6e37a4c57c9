/** A process of its own for {@link file://./fleet.ts}: virtual devices on a link of 50 ms; their ports on stdout, and then it lives until it is ended. */
import { startVirtualEsp } from '../src/simulator/index.ts';

const count = Number(process.argv[2]);
const link = { rttMs: 50, windowBytes: 5840 };
const image = { sizeBytes: 64 * 1024 };
const devices = await Promise.all(Array.from({ length: count }, () => startVirtualEsp({ link, image })));
console.log(JSON.stringify(devices.map(({ otaPort }) => otaPort)));
