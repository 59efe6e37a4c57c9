/** Properties of the network between a host and the device, and of the flash speed. */
export interface LinkModel {
  /** Round-trip time in milliseconds. */
  readonly rttMs: number;
  /**
   * TCP receive window of the device: 4 segments of lwIP, which is 2144 with "lower memory" (MSS 536) and 5840 with "higher
   * bandwidth" (MSS 1460).
   */
  readonly windowBytes: number;
  /** Time to erase and write 4096 bytes of flash, in milliseconds; about 40 on real chips. */
  readonly flashMsPerSector: number;
}

/** Link without delays, with the window of "higher bandwidth". */
export const immediateLink: LinkModel = { rttMs: 0, windowBytes: 5840, flashMsPerSector: 0 };
