/** Injected failures of the network or the device. Undefined fields inject nothing. */
export interface Faults {
  readonly udp?: UdpFaults | undefined;
  /** Ignores all invitations and web requests, as a busy device does. */
  readonly noResponse?: boolean | undefined;
  /** Text that is sent in response to every invitation instead of the correct one. */
  readonly invitationResponse?: string | undefined;
  /** TCP connection to the host: never made, as behind a firewall, or made from another local address. */
  readonly callBack?: 'never' | { readonly from: string } | undefined;
  /** Bytes that the device sends first on its TCP connection to the host. */
  readonly greeting?: Uint8Array | undefined;
  readonly transfer?: TransferFault | undefined;
  /** Replacement for the final response (`OK` of ArduinoOTA): a text, or `none` to only close the connection. */
  readonly verdict?: 'none' | { readonly text: string } | undefined;
  /** Devices that start the new sketch and never respond again: it crashes repeatedly, or has no network. */
  readonly offline?: BadUpdate | undefined;
  /** Devices that restart with their previous sketch, because the eboot command was lost in a power failure. */
  readonly notInstalled?: BadUpdate | undefined;
  /** Number of uploads that the faults affect; all if undefined. It does not limit `udp`, `offline` and `notInstalled`. */
  readonly uploads?: number | undefined;
}

/** New sketch that fails on some devices. Their seeds decide which, so that they are always the same ones. */
export interface BadUpdate {
  /** Share of the devices on which the sketch fails, from 0 to 1. */
  readonly share: number;
  /** Version that the update server sends with the sketch (`x-version`). Undefined: every sketch update. */
  readonly version?: string | undefined;
}

/** Faults of datagrams, in both directions together unless `direction` is set. Shares are from 0 to 1; the seed selects the datagrams. */
export interface UdpFaults {
  /** Number of datagrams lost at the start. */
  readonly loseFirst?: number | undefined;
  readonly loseShare?: number | undefined;
  readonly duplicateShare?: number | undefined;
  /** Share of the datagrams held back until the next one has passed, or for 20 ms. */
  readonly reorderShare?: number | undefined;
  readonly direction?: 'to-device' | 'from-device' | undefined;
}

/**
 * Fault of the TCP connection that transfers the update.
 *
 * - reset: the connection is reset (RST);
 * - end: the device closes the connection normally (FIN);
 * - half-open: the device restarts and leaves the connection open, unread and unanswered;
 * - stall: the device does nothing for `stallMs`, then continues.
 */
export interface TransferFault {
  readonly what: 'reset' | 'end' | 'half-open' | 'stall';
  /** When the fault happens: after this share of all bytes was received, 0 to 1, or after the last acknowledgement. */
  readonly at: number | 'after-last-ack';
  readonly stallMs?: number | undefined;
}
