/** Properties of the network between a host and the device, plus the flash speed. */
export interface LinkModel {
  /** Round-trip time in milliseconds. */
  readonly rttMs: number;
  /**
   * The device's TCP receive window: four lwIP segments, which is 2144 with "lower memory" (MSS 536) and 5840 with "higher bandwidth"
   * (MSS 1460).
   */
  readonly windowBytes: number;
  /** Milliseconds to erase and write 4096 bytes of flash; about 40 on real chips. */
  readonly flashMsPerSector: number;
}

/** Link without delays, with the "higher bandwidth" window. */
export const immediateLink: LinkModel = { rttMs: 0, windowBytes: 5840, flashMsPerSector: 0 };
