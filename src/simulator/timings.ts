/** Pauses and timeouts on the device, in milliseconds. */
export interface Timings {
  /** Pause in `ArduinoOTAClass::_runUpdate` between the UDP response and the connection to the host. */
  readonly connectPauseMs: number;
  /** `WiFiClient::connect` timeout. */
  readonly connectTimeoutMs: number;
  /** Pause between the last acknowledgement and `OK`. */
  readonly verdictPauseMs: number;
  /** Pause between `OK` and the end of the connection. */
  readonly closePauseMs: number;
  /** How long the device keeps waiting for data, and ignores invitations, after an interrupted upload. */
  readonly brokenPauseMs: number;
  /** Time from a restart until the device responds again: eboot's copy, the sketch's setup, Wi-Fi. */
  readonly restartMs: number;
  /** Pause in the web updater between its response and the restart. */
  readonly webRestartPauseMs: number;
  /** Timeout for the response header in the HTTP client (`_httpClientTimeout`). */
  readonly httpHeaderTimeoutMs: number;
  /** Longest gap in the body that the HTTP client accepts, since core 3.0.0. */
  readonly httpBodyTimeoutMs: number;
  /** `HTTP_MAX_POST_WAIT`, and the timeout for `Stream` reads in the web server. */
  readonly webReadTimeoutMs: number;
}

/** Timings observed with the real device code. */
export const deviceTimings: Timings = {
  connectPauseMs: 100,
  connectTimeoutMs: 5000,
  verdictPauseMs: 1000,
  closePauseMs: 1000,
  brokenPauseMs: 1000,
  restartMs: 1500,
  webRestartPauseMs: 100,
  httpHeaderTimeoutMs: 8000,
  httpBodyTimeoutMs: 60_000,
  webReadTimeoutMs: 5000,
};

/** Short timings for tests, with the same order of events. Timeouts are long enough for a busy machine. */
export const quickTimings: Timings = {
  connectPauseMs: 1,
  connectTimeoutMs: 1000,
  verdictPauseMs: 2,
  closePauseMs: 2,
  brokenPauseMs: 5,
  restartMs: 5,
  webRestartPauseMs: 1,
  httpHeaderTimeoutMs: 3000,
  httpBodyTimeoutMs: 3000,
  webReadTimeoutMs: 3000,
};
