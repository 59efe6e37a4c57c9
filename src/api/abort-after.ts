/**
 * Returns a signal that aborts after `limitMs` milliseconds with a `TimeoutError`, like `AbortSignal.timeout`. `AbortSignal.any`
 * references an `AbortSignal.timeout` signal only weakly. After garbage collection, the timeout signal never aborts, and a request to an
 * unresponsive server never ends (nodejs/node#57736). This function's timer keeps the signal alive but does not keep the process running.
 */
export function abortAfter(limitMs: number): AbortSignal {
  const controller = new AbortController();
  const timeOut = () => controller.abort(new DOMException(`no response within ${limitMs} ms`, 'TimeoutError'));
  setTimeout(timeOut, limitMs).unref();
  return controller.signal;
}
