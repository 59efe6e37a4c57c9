/**
 * Simulates the single thread of a sketch. ArduinoOTA, the web server and the HTTP client never run at the same time, because each of
 * them blocks `loop()`.
 */
export class SketchLoop {
  #last: Promise<void> = Promise.resolve();

  /** Runs a task after all earlier tasks. After `signal` has aborted, task errors are ignored, because the device has restarted. */
  async run(signal: AbortSignal, task: () => Promise<void>): Promise<void> {
    const result = this.#last.then(async () => {
      if (signal.aborted) return;
      try {
        await task();
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
