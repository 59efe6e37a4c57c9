import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { apiRoot } from '../../domain/release.ts';
import { OtaError } from '../../errors.ts';
import { apiProblem, type Problem } from './answers.ts';

/** A server, and the token that is sent to its origin and to no other. */
export interface ServerOptions {
  readonly url: URL;
  readonly token: string;
  readonly signal: AbortSignal;
  /** Waits between attempts when the network fails; as many attempts as waits, and one. */
  readonly pausesMs?: readonly number[];
  /** What one request may take. */
  readonly limitMs?: number;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the root of the API. */
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of the server, whether it did what it was asked or not. */
export type ApiAnswer =
  | { readonly status: number; readonly url: string; readonly json: unknown; readonly problem?: undefined }
  | { readonly status: number; readonly url: string; readonly problem: Problem };

export type Ask = (request: ApiRequest) => Promise<ApiAnswer>;

const defaultPausesMs = [250, 500, 1000, 2000];
const defaultLimitMs = 120_000;
/** A proxy whose server is away, and a server that asks for time. */
const passingStatuses = new Set([429, 502, 503, 504]);
const longestRetryAfterMs = 30_000;

/** What ends by itself; a certificate that is not trusted, or a name that does not exist, does not. */
const passingFaults = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError'],
]);

/**
 * Speaks the API of an update server. Every request of it may be made twice, so those that the network has broken are.
 *
 * @returns a function that throws OtaError SERVER_UNREACHABLE, SERVER_REDIRECTS, SERVER_NOT_OURS
 */
export function connect(options: ServerOptions): Ask {
  const { pausesMs = defaultPausesMs, signal } = options;
  return async (request) => {
    for (let count = 0; ; count++) {
      const waitMs = pausesMs[count];
      const attempt = await askOnce(request, options);
      if ('answer' in attempt && (waitMs === undefined || !passingStatuses.has(attempt.answer.status))) {
        return attempt.answer;
      }
      if ('fault' in attempt && (waitMs === undefined || !attempt.isPassing)) throw attempt.fault;
      const askedMs = 'answer' in attempt ? attempt.retryAfterMs : 0;
      await pause(Math.max(waitMs ?? 0, askedMs), undefined, { signal });
    }
  };
}

type Attempt =
  | { readonly answer: ApiAnswer; readonly retryAfterMs: number }
  | { readonly fault: OtaError; readonly isPassing: boolean };

async function askOnce(request: ApiRequest, options: ServerOptions): Promise<Attempt> {
  const { signal, limitMs = defaultLimitMs } = options;
  const url = addressOf(options.url, request.path);
  try {
    const response = await fetch(url, {
      method: request.method,
      headers: headersOf(request, options.token),
      // A redirect is looked at below: followed by fetch, it would take the request elsewhere.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
      ...bodyOf(request),
    });
    const retryAfterMs = Math.min(longestRetryAfterMs, 1000 * (Number(response.headers.get('Retry-After')) || 0));
    return { answer: await readAnswer(response, url), retryAfterMs };
  } catch (error) {
    if (error instanceof OtaError || signal.aborted) throw error;
    const reason = reasonOf(error);
    const fault = new OtaError('SERVER_UNREACHABLE', { url: options.url.href, reason }, error);
    return { fault, isPassing: passingFaults.has(reason) };
  }
}

/** The server may stand below a path of a web server in front. */
function addressOf(server: URL, path: string): string {
  return server.origin + server.pathname.replace(/\/+$/, '') + apiRoot + path;
}

function headersOf({ json, bytes, headers }: ApiRequest, token: string): Record<string, string> {
  const type = json === undefined ? bytes && 'application/octet-stream' : 'application/json';
  return {
    Authorization: `Bearer ${token}`,
    Accept: 'application/json',
    ...(type === undefined ? {} : { 'Content-Type': type }),
    ...headers,
  };
}

function bodyOf({ json, bytes }: ApiRequest): { body?: string | Uint8Array } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  return bytes === undefined ? {} : { body: bytes };
}

async function readAnswer(response: Response, url: string): Promise<ApiAnswer> {
  const { status } = response;
  const location = response.headers.get('Location');
  if (status >= 300 && status < 400 && location !== null) {
    await response.body?.cancel();
    throw new OtaError('SERVER_REDIRECTS', { url, location });
  }
  const json = parse(await response.text());
  if (response.ok && json !== undefined) return { status, url, json };
  const problem = v.safeParse(apiProblem, json);
  if (problem.success) return { status, url, problem: problem.output.error };
  if (passingStatuses.has(status)) return { status, url, problem: unexplained(status) };
  throw new OtaError('SERVER_NOT_OURS', { url, status });
}

/** A proxy speaks in the server's place. */
function unexplained(status: number): Problem {
  return {
    code: 'unavailable',
    message: `status ${status}`,
    hint: 'Try again in a while; the server or a proxy in front of it is busy.',
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch wraps what the system says into a TypeError, twice sometimes. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error.name === 'TimeoutError') return error.name;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
