/**
 * The one thread of a sketch: what ArduinoOTA, the web server and the HTTP client do, they do one after the other, since each of them blocks
 * `loop()` while it works.
 */
export class SketchLoop {
  #last: Promise<void> = Promise.resolve();

  /** Runs a task when those before it are done. What it throws when `signal` aborts is dropped: the device restarted under it. */
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
