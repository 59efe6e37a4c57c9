/**
 * Compresses bytes. The same input produces the same output on every machine.
 *
 * @throws the signal's abort reason if a slow compressor is aborted
 */
export type Compressor = (bytes: Uint8Array, signal?: AbortSignal) => Promise<Uint8Array>;
