import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Compressor } from './compressor.ts';

/** Number of iterations, equal to the default of the `zopfli` command (`--i15`). */
const iterations = 15;

/** Worker source, passed as a data: URL because the path of a separate file would differ between dist/ and src/. */
const work = `
import { parentPort, workerData } from 'node:worker_threads';
const { default: zopfli } = await import(workerData.zopfli);
parentPort.postMessage(await zopfli.gzipAsync(workerData.bytes, { numiterations: workerData.iterations }));
`;

/**
 * Compresses with Zopfli, which makes smaller gzip files than zlib. Compression takes a few seconds of CPU time per megabyte and runs in a
 * worker, so that the calling thread can show progress and cancel the work.
 */
export const zopfli: Compressor = async (bytes, signal) => {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(work)}`), {
    workerData: { zopfli: import.meta.resolve('@gfx/zopfli'), bytes, iterations },
    execArgv: [],
  });
  try {
    const [compressed]: Uint8Array[] = await once(worker, 'message', { signal });
    // Only the worker posts messages here, and each message contains the compressed bytes.
    return compressed as Uint8Array;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await worker.terminate();
  }
};
