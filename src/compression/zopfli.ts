import type { Compressor } from './compressor.ts';

/** As many passes as `zopfli --i15`, the command's default. */
const iterations = 15;

/** The smallest gzip that eboot can inflate, at some seconds of CPU a megabyte. Loaded only when asked for. */
export const zopfli: Compressor = async (bytes) => {
  const { gzipAsync } = await import('@gfx/zopfli');
  return gzipAsync(bytes, { numiterations: iterations });
};
