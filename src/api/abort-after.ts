/**
 * Returns a signal that aborts after `limitMs` milliseconds with a `TimeoutError`, like `AbortSignal.timeout`. `AbortSignal.any` holds an
 * `AbortSignal.timeout` signal only weakly: once garbage-collected, that signal never aborts, and a request to a silent server waits
 * forever (nodejs/node#57736). The timer used here keeps its signal alive without keeping the process running.
 */
export function abortAfter(limitMs: number): AbortSignal {
  const controller = new AbortController();
  const timeOut = () => controller.abort(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError'));
  setTimeout(timeOut, limitMs).unref();
  return controller.signal;
}
