/** Timeouts and retry limits for a delivery; times in milliseconds. */
export interface DeliveryTimings {
  /** Time limit for resolving a device name. */
  readonly lookupMs: number;
  /** Interval between invitations until a response arrives. */
  readonly invitationIntervalMs: number;
  /** Time after which a device that does not respond to invitations counts as unreachable. */
  readonly invitationMs: number;
  /** How long the response to a challenge is repeated before a new challenge is requested. */
  readonly authenticationMs: number;
  /** How long the device may take to connect after its `OK`; `WiFiClient::connect` tries for 5 s. */
  readonly callBackMs: number;
  /** Time limit for opening a TCP connection to the web updater. */
  readonly connectMs: number;
  /**
   * Time limit for a transfer without progress, and for the verdict. Devices have no timeout of their own (ArduinoOTA.cpp waits forever),
   * so a stalled upload ends only when this limit is reached.
   */
  readonly stallMs: number;
  /** Time limit for the rest of an error message after its first part. */
  readonly finalReplyMs: number;
  /** Time without an acknowledgement after which data beyond the limit for unacknowledged bytes is sent. */
  readonly ackGapMs: number;
  /** Pause between attempts. */
  readonly pauseMs: number;
  /** Total time that all attempts of one upload may spend waiting without progress. */
  readonly retryBudgetMs: number;
  /** Maximum number of attempts. Only network faults are retried. */
  readonly attempts: number;
}

/**
 * Defaults suitable for a weak Wi-Fi network: a missing callback fails within 25 s, an unreachable device within 20 s, a lost connection
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
