import { createHash } from 'node:crypto';
import type { ImageKind } from '../../core/model/artifact.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { attemptRepeatedly, type DeliveryAttempt } from '../attempts.ts';
import type { DeliveryOptions, DeliveryTarget } from '../delivery.ts';
import { deviceText, errorCode } from '../device-text.ts';
import { pause } from '../pause.ts';
import { ProgressReport } from '../progress.ts';
import { resolveHost } from '../resolve-host.ts';
import type { RetryBudget } from '../retry-budget.ts';
import { type DeliveryTimings, defaultTimings } from '../timings.ts';
import type { DeliveryVerdict, ForeignProtocol } from '../verdict.ts';
import { exchangeWithDevice, type WebExchange } from './exchange.ts';
import { basicAuthorization, pageRequest, updateRequest, type WebTarget } from './form.ts';
import type { WebResponse } from './response.ts';
import { elegantOtaStart, fieldsFor, olderElegantOta, type UpdaterForm, webUpdater } from './updaters.ts';
import { visibleText } from './visible-text.ts';

const defaultPort = 80;
const defaultUser = 'admin';

/** Delivers an artifact through the upload form of a web updater, by default of `ESP8266HTTPUpdateServer`. */
export async function deliverByWeb(
  target: DeliveryTarget,
  image: Uint8Array,
  options: DeliveryOptions,
): Promise<DeliveryVerdict> {
  const { signal = new AbortController().signal, password } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const port = target.port ?? defaultPort;
  const place = { method: 'web', port, path: target.path } as const;
  const address = await resolveHost(target.host, place, timings.lookupMs, signal);
  if (address === undefined) return { kind: 'unreachable', reason: `no IPv4 address found for ${target.host}` };
  const hasPassword = password !== undefined && password !== '';
  const authorization = hasPassword ? basicAuthorization(target.user ?? defaultUser, password) : undefined;
  const updater = webUpdater(target.preset, target.field);
  const delivery = new WebDelivery({
    address,
    port,
    hostIp: target.hostIp,
    host: port === defaultPort ? target.host : `${target.host}:${port}`,
    authorization,
    updater,
    ...pathsOf(target),
    isElegantOta: target.preset === 'elegantota',
    image,
    md5: createHash('md5').update(image).digest('hex'),
    kind: options.kind,
    secrets: hasPassword ? [password, authorization?.replace('Basic ', '') ?? ''] : [],
    timings,
    progress: new ProgressReport(image.length, options.onProgress),
    signal,
  });
  return attemptRepeatedly(timings, signal, (budget) => delivery.attempt(budget));
}

function pathsOf({ path, preset }: DeliveryTarget): Pick<WebRequest, 'path' | 'prefix'> {
  if (path !== undefined && !/^\/[\x21-\x7e]*$/.test(path)) throw new OtaError('UPDATE_PATH_INVALID', { path });
  // For ElegantOTA, `path` is the path of its page. The other paths of ElegantOTA have the same prefix.
  if (preset === 'elegantota') return { path: undefined, prefix: path?.replace(/\/(?:update\/?)?$/, '') ?? '' };
  return { path, prefix: '' };
}

interface WebRequest {
  readonly address: string;
  readonly port: number;
  readonly hostIp: string | undefined;
  /** Value of the `Host` header. */
  readonly host: string;
  readonly authorization: string | undefined;
  readonly updater: UpdaterForm;
  /** Path of the form, used instead of the path in `updater`. */
  readonly path: string | undefined;
  /** Prefix of all paths. */
  readonly prefix: string;
  readonly isElegantOta: boolean;
  readonly image: Uint8Array;
  readonly md5: string;
  readonly kind: ImageKind;
  readonly secrets: readonly string[];
  readonly timings: DeliveryTimings;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
}

class WebDelivery {
  readonly #request: WebRequest;
  #attempts = 0;

  constructor(request: WebRequest) {
    this.#request = request;
  }

  /**
   * Makes one attempt. The form page is requested first, because it shows whether the updater supports filesystem images. The request
   * also detects an incorrect password, which the device would otherwise report only after the whole upload.
   */
  async attempt(budget: RetryBudget): Promise<DeliveryAttempt> {
    const { progress, updater, kind } = this.#request;
    this.#attempts++;
    progress.begin();
    if (updater.file(kind) === undefined) return foreign('noFilesystemForm');
    const page = await this.#requestPage(budget);
    const unfit = this.#checkPage(page);
    if (unfit !== undefined) return unfit;
    return this.#request.isElegantOta ? this.#startElegantOta(budget) : this.#send(updater, budget);
  }

  /** Begins an update of ElegantOTA 3. Earlier versions do not have the path of this request, and need only the form. */
  async #startElegantOta(budget: RetryBudget): Promise<DeliveryAttempt> {
    const { updater, kind, md5, address, port } = this.#request;
    const started = await this.#exchange([pageRequest(this.#place(elegantOtaStart(kind, md5)))], budget);
    if (started.outcome === 'unconnected') return fault(notConnected(started, address, port));
    const { response } = started;
    if (response === undefined) {
      return fault({ kind: 'unknown', reason: 'no response to the start of the update', mayHaveUpdated: false });
    }
    if (response.status === 401) return this.#wrongPassword();
    const reason = updater.failureOf(response);
    if (reason !== undefined) return { outcome: 'verdict', verdict: this.#rejection(reason) };
    return this.#send(updater.isAccepted(response.body) ? updater : olderElegantOta, budget);
  }

  async #send(updater: UpdaterForm, budget: RetryBudget): Promise<DeliveryAttempt> {
    const { image, kind, md5, progress, path = updater.path } = this.#request;
    const file = updater.file(kind);
    if (file === undefined) return foreign('noFilesystemForm');
    const { head, tail, image: body } = updateRequest(image, { file, ...fieldsFor(updater, md5) }, this.#place(path));
    progress.phase('sending');
    const sent = await this.#exchange([head, body, tail], budget, (bytes) => progress.transferred(bytes - head.length));
    return this.#checkUpdate(sent, updater);
  }

  #place(path: string): WebTarget {
    const { host, authorization, updater, address, prefix } = this.#request;
    const referer = updater.needsReferer === true ? `http://${address}/` : undefined;
    return { host, path: prefix + path, authorization, referer };
  }

  /** Requests the form page. After a failed attempt, the connection is retried for a while, because the device may be restarting. */
  async #requestPage(budget: RetryBudget): Promise<WebExchange> {
    const { updater, timings, signal, path = updater.path } = this.#request;
    const startedAt = performance.now();
    for (;;) {
      const page = await this.#exchange([pageRequest(this.#place(updater.page ?? path))], budget);
      const isWaiting = this.#attempts > 1 && performance.now() - startedAt < timings.invitationMs;
      if (page.outcome !== 'unconnected' || !isWaiting || budget.isOver) return page;
      await budget.spendDuring(() => pause(timings.pauseMs, signal));
    }
  }

  async #exchange(
    parts: readonly Uint8Array[],
    budget: RetryBudget,
    onSent?: (bytes: number) => void,
  ): Promise<WebExchange> {
    const { address, port, hostIp, timings, signal } = this.#request;
    const limits = { connectMs: budget.limit(timings.connectMs), stallMs: budget.limit(timings.stallMs) };
    const result = await exchangeWithDevice({
      address,
      port,
      hostIp,
      parts,
      ...limits,
      limits: timings,
      signal,
      ...(onSent && { onSent }),
    });
    if (result.outcome !== 'completed') budget.spend(result.silentMs);
    return result;
  }

  /**
   * Checks the response to the form page request.
   *
   * @returns undefined if the update may be sent
   */
  #checkPage(page: WebExchange): DeliveryAttempt | undefined {
    const { kind, port, address, updater } = this.#request;
    if (page.outcome === 'unconnected') return fault(notConnected(page, address, port));
    const { response } = page;
    if (response === undefined) {
      if (page.text !== '') return foreign('noWebUpdater', this.#clean(page.text));
      return fault({ kind: 'unreachable', reason: `port ${port} of ${address} is open, but no web server responds` });
    }
    if (page.outcome === 'exceeded') return exceeded(page, false);
    if (response.status === 401) return this.#wrongPassword();
    if (response.status === 404) return foreign('noWebUpdater', '404 Not Found');
    const listsKinds = updater.pageListsKinds === true && response.status === 200;
    const acceptsSketchesOnly = listsKinds && !/name=(['"]?)filesystem\1/.test(response.body);
    if (kind === 'filesystem' && acceptsSketchesOnly) return foreign('noFilesystemForm');
    return undefined;
  }

  #checkUpdate(sent: WebExchange, updater: UpdaterForm): DeliveryAttempt {
    const { address, port, progress } = this.#request;
    if (sent.outcome === 'unconnected') return fault(notConnected(sent, address, port));
    const verdict = sent.response === undefined ? undefined : this.#checkResponse(sent.response, sent.isSent, updater);
    if (verdict !== undefined) {
      if (verdict.kind === 'accepted') progress.transferred(this.#request.image.length);
      return { outcome: 'verdict', verdict };
    }
    if (sent.outcome === 'exceeded') return exceeded(sent);
    const why = endings[sent.outcome](sent);
    if (sent.isSent) {
      const verdict: DeliveryVerdict = {
        kind: 'unknown',
        reason: `${why}, after the whole update was sent`,
        mayHaveUpdated: true,
      };
      return { outcome: 'verdict', verdict };
    }
    return fault({ kind: 'unknown', reason: `${why}, before the whole update was sent`, mayHaveUpdated: false });
  }

  /**
   * Reads the result from the response body, because success and failure often have the same status
   * (`ESP8266HTTPUpdateServerTemplate::setup`).
   */
  #checkResponse(response: WebResponse, isSent: boolean, updater: UpdaterForm): DeliveryVerdict | undefined {
    const { status, body, isWhole } = response;
    const failure = updater.failureOf(response);
    if (failure !== undefined) return this.#rejection(failure);
    if (status === 401) return this.#wrongPassword().verdict;
    if (status === 200 && isSent && updater.isAccepted(body)) return { kind: 'accepted' };
    if (!isWhole) return undefined;
    const received = this.#clean(`${status} ${visibleText(body)}`);
    if (status === 404 || status === 405) return { kind: 'wrongProtocol', which: 'noWebUpdater', received };
    return {
      kind: 'unknown',
      reason: `unexpected response from the web server ("${received}")`,
      mayHaveUpdated: isSent,
    };
  }

  #rejection(reason: string): DeliveryVerdict {
    return { kind: 'rejected', by: 'updater', reason: this.#clean(reason), code: errorCode(reason) };
  }

  #wrongPassword(): DeliveryAttempt {
    const { authorization, updater } = this.#request;
    if (updater.lockedReason !== undefined) {
      return { outcome: 'verdict', verdict: this.#rejection(updater.lockedReason) };
    }
    const reason =
      authorization === undefined
        ? 'the device requires a password, but none was set'
        : '401 Unauthorized (wrong user or password)';
    return { outcome: 'verdict', verdict: { kind: 'rejected', by: 'password', reason } };
  }

  #clean(text: string): string {
    return deviceText(text, this.#request.secrets);
  }
}

const endings: Record<'completed' | 'ended' | 'silent', (sent: WebExchange) => string> = {
  completed: () => 'the response contains no result',
  ended: ({ error }) => (error === undefined ? 'the device closed the connection' : `the connection failed (${error})`),
  silent: ({ silentMs }) => `no data from the device for ${(silentMs / 1000).toFixed(0)} s`,
};

/** The attempt is not repeated, because the device would keep the next connection busy too. */
function exceeded({ error = '', isSent }: WebExchange, mayHaveUpdated = isSent): DeliveryAttempt {
  return { outcome: 'verdict', verdict: { kind: 'unknown', reason: error, mayHaveUpdated } };
}

function notConnected({ error }: WebExchange, address: string, port: number): DeliveryVerdict {
  return { kind: 'unreachable', reason: `no connection to ${address}, TCP port ${port} (${error ?? 'no response'})` };
}

function fault(verdict: DeliveryVerdict): DeliveryAttempt {
  return { outcome: 'fault', verdict };
}

function foreign(which: ForeignProtocol, received?: string): DeliveryAttempt {
  return { outcome: 'verdict', verdict: { kind: 'wrongProtocol', which, received } };
}
