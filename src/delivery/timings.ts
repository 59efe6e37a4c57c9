import { defaultTransferLimits, type TransferLimits } from '../core/model/transfer-pace.ts';

/** Timeouts and retry limits for a delivery; times in milliseconds. */
export interface DeliveryTimings extends TransferLimits {
  /** Time limit for resolving a device name. */
  readonly lookupMs: number;
  /** Interval between invitations while the device does not respond. */
  readonly invitationIntervalMs: number;
  /** Time limit for the first response to invitations. After this time, the device counts as unreachable. */
  readonly invitationMs: number;
  /** Time for which the response to a challenge is repeated before a new challenge is requested. */
  readonly authenticationMs: number;
  /** Time limit for the device's connection after its `OK`. `WiFiClient::connect` tries for 5 s. */
  readonly callBackMs: number;
  /** Time limit for connecting to the web updater. */
  readonly connectMs: number;
  /**
   * Time limit for a transfer without progress, and for the verdict. Devices have no timeout (ArduinoOTA.cpp waits forever), so only this
   * limit ends a stalled upload.
   */
  readonly stallMs: number;
  /** Time limit for the remaining parts of an error message after its first part. */
  readonly finalReplyMs: number;
  /** Time without an acknowledgment after which the sender exceeds the limit for unacknowledged bytes. */
  readonly ackGapMs: number;
  /** Pause between attempts. */
  readonly pauseMs: number;
  /** Maximum total time that all attempts of an upload may wait without progress. */
  readonly retryBudgetMs: number;
  /** Maximum number of attempts. Only network faults are retried. */
  readonly attempts: number;
}

/**
 * Defaults for a weak Wi-Fi network. A missing callback fails within 25 s, an unreachable device within 20 s, and a lost connection
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
  ...defaultTransferLimits,
};
