/** Pauses and timeouts on the device, in milliseconds. */
export interface Timings {
  /** Pause in `ArduinoOTAClass::_runUpdate` between the UDP response and the TCP connection to the host. */
  readonly connectPauseMs: number;
  /** Timeout of `WiFiClient::connect`. */
  readonly connectTimeoutMs: number;
  /** Pause between the last acknowledgment and the final `OK`. */
  readonly verdictPauseMs: number;
  /** Pause between `OK` and closing the connection. */
  readonly closePauseMs: number;
  /** Time that a device waits for data after an interrupted upload. During this time, it ignores invitations. */
  readonly brokenPauseMs: number;
  /** Time from a restart until the device responds again, for eboot's copy, the sketch's setup and Wi-Fi. */
  readonly restartMs: number;
  /** Pause of the web updater between its response and the restart. */
  readonly webRestartPauseMs: number;
  /** Timeout for the response header in the HTTP client (`_httpClientTimeout`). */
  readonly httpHeaderTimeoutMs: number;
  /** Maximum time without body data that the HTTP client accepts, since core 3.0.0. */
  readonly httpBodyTimeoutMs: number;
  /** Timeout `HTTP_MAX_POST_WAIT`, and timeout for `Stream` reads in the web server. */
  readonly webReadTimeoutMs: number;
}

/** Timings measured with the code of a real device. */
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

/** Short timings for tests. The order of events is the same as with real timings. Timeouts are long enough for a busy machine. */
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
