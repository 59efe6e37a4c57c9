import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Compressor } from './compressor.ts';

/** Number of iterations, as in `zopfli --i15`, the default of that command. */
const iterations = 15;

/** Worker source, passed as a data: URL because a separate file would have different paths in dist/ and src/. */
const work = `
import { parentPort, workerData } from 'node:worker_threads';
const { default: zopfli } = await import(workerData.zopfli);
parentPort.postMessage(await zopfli.gzipAsync(workerData.bytes, { numiterations: workerData.iterations }));
`;

/**
 * Compresses to the smallest gzip file that eboot can inflate, which takes a few seconds of CPU time per megabyte. The compression runs in
 * a worker so that the calling thread can show progress and cancel it. zopfli is loaded only when it is used.
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
