/** Injected faults of the network or the device. An undefined field injects no fault. */
export interface Faults {
  readonly udp?: UdpFaults | undefined;
  /** Fault in which the device ignores all invitations and web requests. */
  readonly noResponse?: boolean | undefined;
  /** Text that replaces the response to every invitation. */
  readonly invitationResponse?: string | undefined;
  /** Fault of the TCP connection to the host. The connection is blocked, as by a firewall, or has a different local address. */
  readonly callBack?: 'never' | { readonly from: string } | undefined;
  /** Bytes that the device sends immediately after it has connected to the host over TCP. */
  readonly greeting?: Uint8Array | undefined;
  readonly transfer?: TransferFault | undefined;
  /** Replacement for the final response (`OK` in ArduinoOTA). `none` closes the connection without a response. */
  readonly verdict?: 'none' | { readonly text: string } | undefined;
  /** Fault in which the device starts the new sketch but never responds again, because the sketch crashes or has no network. */
  readonly offline?: BadUpdate | undefined;
  /** Fault in which the device restarts with its previous sketch, because a power failure erased the eboot command. */
  readonly notInstalled?: BadUpdate | undefined;
  /** Number of uploads with faults; undefined for all uploads. Does not apply to `udp`, `offline` and `notInstalled`. */
  readonly uploads?: number | undefined;
}

/**
 * New sketch that fails on some devices. The seed of a device determines whether the sketch fails, so that every run has the same
 * failures.
 */
export interface BadUpdate {
  /** Share of devices on which the sketch fails, from 0 to 1. */
  readonly share: number;
  /** Version that the update server sends with the faulty sketch (`x-version`). Undefined: every sketch update fails. */
  readonly version?: string | undefined;
}

/** Datagram faults. Both directions are counted together unless `direction` is set. Shares are 0 to 1, and the seed selects the datagrams. */
export interface UdpFaults {
  /** Number of datagrams that are lost at the start. */
  readonly loseFirst?: number | undefined;
  readonly loseShare?: number | undefined;
  readonly duplicateShare?: number | undefined;
  /** Share of datagrams that are delayed until the next datagram has passed, for at most 20 ms. */
  readonly reorderShare?: number | undefined;
  readonly direction?: 'to-device' | 'from-device' | undefined;
}

/**
 * Fault on the TCP connection that transfers the update.
 *
 * - reset: the connection is reset (RST);
 * - end: the device closes the connection normally (FIN);
 * - half-open: the device restarts without closing the connection, and then ignores it;
 * - stall: the device does nothing for `stallMs`, then continues.
 */
export interface TransferFault {
  readonly what: 'reset' | 'end' | 'half-open' | 'stall';
  /** Time of the fault: after this share of all bytes (0 to 1) has been received, or after the last acknowledgment. */
  readonly at: number | 'after-last-ack';
  readonly stallMs?: number | undefined;
}
