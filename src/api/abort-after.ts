/**
 * A signal that aborts after so long, with the reason of `AbortSignal.timeout`. That one must not stand inside `AbortSignal.any`, which holds
 * it weakly: once it is garbage-collected it never aborts, and a request to a silent server waits without end (nodejs/node#57736). The timer
 * here holds its signal, and does not keep the process running.
 */
export function abortAfter(limitMs: number): AbortSignal {
  const controller = new AbortController();
  const timeOut = () => controller.abort(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError'));
  setTimeout(timeOut, limitMs).unref();
  return controller.signal;
}
