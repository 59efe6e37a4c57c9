/** What goes wrong on the way to the device, or in it. Absent means: it goes well. */
export interface Faults {
  readonly udp?: UdpFaults | undefined;
  /** The device hears nothing and says nothing, as one that is busy with something else. */
  readonly deaf?: boolean | undefined;
  /** Answers every invitation with this text instead of the right one. */
  readonly invitationAnswer?: string | undefined;
  /** The call back over TCP: never made (a firewall), or made from another local address. */
  readonly callBack?: 'never' | { readonly from: string } | undefined;
  /** Bytes that the device sends first on the connection that it made. */
  readonly greeting?: Uint8Array | undefined;
  readonly transfer?: TransferFault | undefined;
  /** What is sent in the place of `OK`: a text, or nothing but the end of the connection. */
  readonly verdict?: 'none' | { readonly text: string } | undefined;
  /** Devices that start the new sketch and are never heard of again: it crashes over and over, or has no network. */
  readonly vanish?: BadUpdate | undefined;
  /** Devices that come back with the sketch that they had: the command for eboot was lost with the power. */
  readonly fallBack?: BadUpdate | undefined;
  /** So many uploads meet these faults, and the ones after them none; a bad sketch stays bad. All of them, when it is absent. */
  readonly uploads?: number | undefined;
}

/** A new sketch that is good for most devices. Which of them it is not good for goes by their seeds: always the same ones. */
export interface BadUpdate {
  /** Of the devices, from 0 to 1. */
  readonly share: number;
  /** Only the one that an update server calls by this version (`x-version`); any, when it is absent. */
  readonly version?: string | undefined;
}

/** Datagrams, in both directions together unless `direction` names one. Shares are from 0 to 1 and go by the seed. */
export interface UdpFaults {
  readonly loseFirst?: number | undefined;
  readonly loseShare?: number | undefined;
  readonly duplicateShare?: number | undefined;
  /** Held back until the next one has passed, or for 20 ms. */
  readonly reorderShare?: number | undefined;
  readonly direction?: 'to-device' | 'from-device' | undefined;
}

/**
 * - reset: the connection is torn down (RST);
 * - end: the device closes it in order (FIN);
 * - half-open: the device neither reads nor writes any more, and the connection stays;
 * - stall: it does nothing for `stallMs`, then goes on.
 */
export interface TransferFault {
  readonly what: 'reset' | 'end' | 'half-open' | 'stall';
  /** Share of the bytes that have arrived by then, 0 to 1, or after all bytes and their acknowledgement. */
  readonly at: number | 'after-last-ack';
  readonly stallMs?: number | undefined;
}
