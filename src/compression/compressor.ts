/** Compresses bytes; the same input gives the same bytes on every machine. */
export type Compressor = (bytes: Uint8Array) => Promise<Uint8Array>;
