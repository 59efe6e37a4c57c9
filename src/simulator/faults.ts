/** Injected failures of the network or the device. Undefined fields inject nothing. */
export interface Faults {
  readonly udp?: UdpFaults | undefined;
  /** Ignores all invitations and web requests, as a busy device does. */
  readonly noResponse?: boolean | undefined;
  /** Text sent in response to every invitation instead of the correct response. */
  readonly invitationResponse?: string | undefined;
  /** TCP connection to the host: never made, as behind a firewall, or made from another local address. */
  readonly callBack?: 'never' | { readonly from: string } | undefined;
  /** Bytes that the device sends as soon as it has connected to the host over TCP. */
  readonly greeting?: Uint8Array | undefined;
  readonly transfer?: TransferFault | undefined;
  /** Replacement for the final response (`OK` in ArduinoOTA): a text, or `none` to close the connection without a response. */
  readonly verdict?: 'none' | { readonly text: string } | undefined;
  /** Devices that start the new sketch and never respond again, because the sketch keeps crashing or has no network. */
  readonly offline?: BadUpdate | undefined;
  /** Devices that restart with their previous sketch, because a power failure erased the eboot command. */
  readonly notInstalled?: BadUpdate | undefined;
  /** Number of uploads that the faults affect; all if undefined. Does not apply to `udp`, `offline` and `notInstalled`. */
  readonly uploads?: number | undefined;
}

/** New sketch that fails on some devices. The device's seed decides, so the same devices fail in every run. */
export interface BadUpdate {
  /** Share of devices on which the sketch fails, from 0 to 1. */
  readonly share: number;
  /** Version that the update server sends with the sketch (`x-version`). Undefined: every sketch update. */
  readonly version?: string | undefined;
}

/** Datagram faults, counted over both directions together unless `direction` is set. Shares are 0 to 1; the seed selects the datagrams. */
export interface UdpFaults {
  /** Number of datagrams lost at the start. */
  readonly loseFirst?: number | undefined;
  readonly loseShare?: number | undefined;
  readonly duplicateShare?: number | undefined;
  /** Share of datagrams held back until the next datagram has passed, for at most 20 ms. */
  readonly reorderShare?: number | undefined;
  readonly direction?: 'to-device' | 'from-device' | undefined;
}

/**
 * Fault on the TCP connection that transfers the update.
 *
 * - reset: the connection is reset (RST);
 * - end: the device closes the connection normally (FIN);
 * - half-open: the device restarts and leaves the connection open, unread and unanswered;
 * - stall: the device does nothing for `stallMs`, then continues.
 */
export interface TransferFault {
  readonly what: 'reset' | 'end' | 'half-open' | 'stall';
  /** When the fault happens: after this share of all bytes (0 to 1) has been received, or after the last acknowledgement. */
  readonly at: number | 'after-last-ack';
  readonly stallMs?: number | undefined;
}
