/** The pauses that a device makes, in milliseconds. */
export interface Timings {
  /** `ArduinoOTAClass::_runUpdate`: between its `OK` on UDP and its call back. */
  readonly dialPauseMs: number;
  /** How long `WiFiClient::connect` tries. */
  readonly dialTimeoutMs: number;
  /** Between the last acknowledgement and `OK`. */
  readonly verdictPauseMs: number;
  /** Between `OK` and the end of the connection. */
  readonly closePauseMs: number;
  /** How long it goes on waiting for data, deaf to invitations, after an upload broke off. */
  readonly brokenPauseMs: number;
  /** From the restart until it answers again: eboot's copy, the sketch's setup, Wi-Fi. */
  readonly restartMs: number;
  /** The web updater, between its answer and the restart. */
  readonly webRestartPauseMs: number;
  /** The HTTP client waits this long for the header (`_httpClientTimeout`). */
  readonly httpHeaderTimeoutMs: number;
  /** The HTTP client accepts gaps of this length in the body. */
  readonly httpBodyTimeoutMs: number;
  /** `HTTP_MAX_POST_WAIT`, and the time-out of `Stream` reads in the web server. */
  readonly webReadTimeoutMs: number;
}

/** As the real device code was seen to behave. */
export const deviceTimings: Timings = {
  dialPauseMs: 100,
  dialTimeoutMs: 5000,
  verdictPauseMs: 1000,
  closePauseMs: 1000,
  brokenPauseMs: 1000,
  restartMs: 1500,
  webRestartPauseMs: 100,
  httpHeaderTimeoutMs: 8000,
  httpBodyTimeoutMs: 60_000,
  webReadTimeoutMs: 5000,
};

/** The same order of things without the waiting, for tests. What ends a wait for others is left some time: machines are busy. */
export const quickTimings: Timings = {
  dialPauseMs: 1,
  dialTimeoutMs: 1000,
  verdictPauseMs: 2,
  closePauseMs: 2,
  brokenPauseMs: 5,
  restartMs: 5,
  webRestartPauseMs: 1,
  httpHeaderTimeoutMs: 3000,
  httpBodyTimeoutMs: 3000,
  webReadTimeoutMs: 3000,
};
