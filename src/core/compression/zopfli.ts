import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Compressor } from './compressor.ts';

/** Number of iterations of `zopfli --i15`, the command's default. */
const iterations = 15;

/** Source of the worker, passed as a data: URL, because a separate file would have different paths in dist/ and in the sources. */
const work = `
import { parentPort, workerData } from 'node:worker_threads';
const { default: zopfli } = await import(workerData.zopfli);
parentPort.postMessage(await zopfli.gzipAsync(workerData.bytes, { numiterations: workerData.iterations }));
`;

/**
 * Compresses to the smallest gzip that eboot can inflate, which needs some seconds of CPU time per megabyte. It runs in a worker so
 * that the calling thread can show progress and cancel it. zopfli is loaded only on use.
 */
export const zopfli: Compressor = async (bytes, signal) => {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(work)}`), {
    workerData: { zopfli: import.meta.resolve('@gfx/zopfli'), bytes, iterations },
    execArgv: [],
  });
  try {
    const [compressed]: Uint8Array[] = await once(worker, 'message', { signal });
    // The worker sends only the compressed bytes.
    return compressed as Uint8Array;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await worker.terminate();
  }
};
