/** Timeouts and retry limits of a delivery; times in milliseconds. */
export interface DeliveryTimings {
  /** Limit for resolving a device name. */
  readonly lookupMs: number;
  /** Interval between invitations while no response arrives. */
  readonly invitationIntervalMs: number;
  /** Time after which a device that never responds to invitations counts as unreachable. */
  readonly invitationMs: number;
  /** Time for repeating the response to a challenge before a new challenge is requested. */
  readonly authenticationMs: number;
  /** Limit for the device to connect after its `OK`; `WiFiClient::connect` tries for 5 s. */
  readonly callBackMs: number;
  /** Limit for opening a TCP connection to the web updater. */
  readonly connectMs: number;
  /**
   * Limit for a transfer without progress, and for the verdict. A device has no timeout of its own (ArduinoOTA.cpp waits forever), so only
   * this limit ends an upload that could still continue.
   */
  readonly stallMs: number;
  /** Limit for the rest of an error message after its first part. */
  readonly finalReplyMs: number;
  /** Time without an acknowledgement after which more data than planned is sent ahead. */
  readonly ackGapMs: number;
  /** Pause between attempts. */
  readonly pauseMs: number;
  /** Budget for waiting without progress, over all attempts of one upload. */
  readonly retryBudgetMs: number;
  /** Maximum number of attempts. Only network faults are retried. */
  readonly attempts: number;
}

/**
 * Defaults for devices on a weak Wi-Fi network: a missing call-back fails within 25 s, an unreachable device within 20 s, a lost connection
 * within 45 s.
 */
export const defaultTimings: DeliveryTimings = {
  lookupMs: 10_000,
  invitationIntervalMs: 1000,
  invitationMs: 20_000,
  authenticationMs: 5000,
  callBackMs: 10_000,
  connectMs: 10_000,
  stallMs: 25_000,
  finalReplyMs: 1000,
  ackGapMs: 500,
  pauseMs: 1000,
  retryBudgetMs: 40_000,
  attempts: 3,
};
