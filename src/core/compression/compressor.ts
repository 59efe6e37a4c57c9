/**
 * Compresses bytes; the same input gives the same bytes on every machine.
 *
 * @throws the reason of the signal, when it aborts what takes long
 */
export type Compressor = (bytes: Uint8Array, signal?: AbortSignal) => Promise<Uint8Array>;
