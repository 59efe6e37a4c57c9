/** How the network between a host and the device behaves. */
export interface LinkModel {
  /** There and back, in milliseconds. */
  readonly rttMs: number;
  /**
   * What the device's TCP has room for: 4 segments of lwIP, which is 2144 with "lower memory" (MSS 536), 5840 with "higher
   * bandwidth" (MSS 1460).
   */
  readonly windowBytes: number;
  /** What it takes to erase and write 4096 bytes of flash, in milliseconds; about 40 on real chips. */
  readonly flashMsPerSector: number;
}

/** Loopback as it is: no delay, the window of "higher bandwidth". */
export const immediateLink: LinkModel = { rttMs: 0, windowBytes: 5840, flashMsPerSector: 0 };
