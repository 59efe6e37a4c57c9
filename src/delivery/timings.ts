/** How long a delivery waits for what, in milliseconds. */
export interface DeliveryTimings {
  /** For the name of a device to become an address. */
  readonly lookupMs: number;
  /** From one invitation to the next, while none is answered. */
  readonly invitationIntervalMs: number;
  /** How long invitations are repeated before the device counts as unreachable. */
  readonly invitationMs: number;
  /** How long the answer to a challenge is repeated before a new challenge is asked for. */
  readonly authenticationMs: number;
  /** For the device to connect after its `OK`; `WiFiClient::connect` tries for 5 s. */
  readonly callBackMs: number;
  /** For a TCP connection of ours (web updater) to come about. */
  readonly connectMs: number;
  /**
   * How long a transfer may stand still, and how long the verdict may take. A device has no time-out of its own (ArduinoOTA.cpp waits for ever), so
   * that only this machine's patience ends an upload that could still go on.
   */
  readonly stallMs: number;
  /** How much longer than the first line of an error its rest may take. */
  readonly lastWordsMs: number;
  /** After so long without an acknowledgement more of the image is sent than was planned to be under way. */
  readonly ackGapMs: number;
  /** Between two attempts. */
  readonly pauseMs: number;
  /** In all that one upload may spend on waiting in which nothing moves, all attempts together. */
  readonly patienceMs: number;
  /** How often the whole upload is begun, after faults of the network only. */
  readonly attempts: number;
}

/** For devices on a weak Wi-Fi: no call-back ends within 25 s, an unreachable device within 20 s, a lost connection within 45 s. */
export const defaultTimings: DeliveryTimings = {
  lookupMs: 10_000,
  invitationIntervalMs: 1000,
  invitationMs: 20_000,
  authenticationMs: 5000,
  callBackMs: 10_000,
  connectMs: 10_000,
  stallMs: 25_000,
  lastWordsMs: 1000,
  ackGapMs: 500,
  pauseMs: 1000,
  patienceMs: 40_000,
  attempts: 3,
};
