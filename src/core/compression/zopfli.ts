import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Compressor } from './compressor.ts';

/** As many passes as `zopfli --i15`, the command's default. */
const iterations = 15;

/** Small enough to travel as an address: a file of its own would have another place in dist/ than among the sources. */
const work = `
import { parentPort, workerData } from 'node:worker_threads';
const { default: zopfli } = await import(workerData.zopfli);
parentPort.postMessage(await zopfli.gzipAsync(workerData.bytes, { numiterations: workerData.iterations }));
`;

/**
 * The smallest gzip that eboot can inflate, at some seconds of CPU a megabyte: in a thread of its own, so that this one can show that it goes on,
 * and end it. Loaded only when asked for.
 */
export const zopfli: Compressor = async (bytes, signal) => {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(work)}`), {
    workerData: { zopfli: import.meta.resolve('@gfx/zopfli'), bytes, iterations },
    execArgv: [],
  });
  try {
    const [compressed]: Uint8Array[] = await once(worker, 'message', { signal });
    // A worker sends what it was asked for.
    return compressed as Uint8Array;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await worker.terminate();
  }
};
