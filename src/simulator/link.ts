/** Properties of the network between a host and a device, and the flash speed of the device. */
export interface LinkModel {
  /** Round-trip time of the network in milliseconds. */
  readonly rttMs: number;
  /**
   * TCP receive window of the device: four lwIP segments. The size is 2144 with "lower memory" (MSS 536), and 5840 with "higher
   * bandwidth" (MSS 1460).
   */
  readonly windowBytes: number;
  /** Time to erase and write 4096 bytes of flash, in milliseconds. Real chips need about 40 ms. */
  readonly flashMsPerSector: number;
}

/** Link without delays, with the receive window of the "higher bandwidth" option. */
export const immediateLink: LinkModel = { rttMs: 0, windowBytes: 5840, flashMsPerSector: 0 };
