import { X509Certificate } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { defaultTransferLimits, type TransferLimits } from '../../core/model/transfer-pace.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { apiRoot, apiVersion, apiVersionHeader } from '../release.ts';
import { distrust } from './distrust.ts';
import { ExchangeLimitError, type ExchangeResponse, exchange } from './exchange.ts';
import { type HttpProxy, proxyFor } from './proxy.ts';
import { apiProblem, type Problem } from './responses.ts';

/** Server, and the access token for it. The token is sent only to the server's origin. */
export interface ClientOptions {
  readonly url: URL;
  readonly token: string;
  /** PEM file with the only trusted certificate authority. Defaults to the authorities that Node.js trusts. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Delays before retries after a network fault or a transient status. The number of delays is the maximum number of retries. */
  readonly pausesMs?: readonly number[];
  /** Limits on the duration of one attempt. Defaults to 60 s plus the time for all bytes at 2 KB/s. */
  readonly limits?: TransferLimits | undefined;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path of the request, below the API root. */
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** True if sending the request twice returns the same response as sending it once. Defaults to false for POST and DELETE. */
  readonly isRepeatable?: boolean;
}

/** Server response: an error, or the JSON body of a successful response. */
export type ApiResponse =
  | { readonly status: number; readonly url: string; readonly json: unknown; readonly problem?: undefined }
  | { readonly status: number; readonly url: string; readonly problem: Problem };

export type SendApiRequest = (request: ApiRequest) => Promise<ApiResponse>;

const defaultPausesMs = [250, 500, 1000, 2000];
/** Limit for JSON. A response with 1,000 devices is smaller. The whole response is held in memory. */
const mostResponseBytes = 32 * 1024 * 1024;
/** Limit for a stream. A backup of a server with thousands of releases is smaller. A stream is not held in memory. */
const mostStreamBytes = 64 * 1024 ** 3;
/** Response statuses for a request that was not processed and may be sent again after a delay. */
const busyStatuses = new Set([429, 503]);
/** Response statuses of a proxy that received no response from the server. The server may have processed the request. */
const gatewayStatuses = new Set([502, 504]);
const longestRetryAfterMs = 30_000;

/** Transient network faults. Untrusted certificates and unresolvable host names are not transient. */
const passingFaults = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * Creates a client for an update server's API. After a transient network fault or status, a request is retried at most `pausesMs.length`
 * times. A non-repeatable request is retried only if no connection was made or the response status is 503 or a proxy's 429, because the
 * server has then not processed the request. A request is not repeated if the server is silent, is slow or sends too much. `signal` cancels attempts
 * and delays.
 *
 * @returns a function that throws OtaError SERVER_UNREACHABLE, PROXY_UNUSABLE, SERVER_NOT_TRUSTED, SERVER_REDIRECTS or SERVER_NOT_OURS; FILE_NOT_FOUND,
 *   FILE_UNREADABLE or TLS_FILE_UNUSABLE for the certificate authority file; and an AbortError after `signal` aborts
 */
export function connect(options: ClientOptions): SendApiRequest {
  const { pausesMs = defaultPausesMs, signal } = options;
  return async (request) => {
    for (let count = 0; ; count++) {
      const attempt = await sendOnce(request, options);
      const waitMs = mayRepeat(request, attempt) ? pausesMs[count] : undefined;
      if (waitMs !== undefined) await pause(Math.max(waitMs, attempt.retryAfterMs), undefined, { signal });
      else if ('fault' in attempt) throw attempt.fault;
      else return attempt.response;
    }
  };
}

function mayRepeat(
  { method, isRepeatable = method !== 'POST' && method !== 'DELETE' }: ApiRequest,
  attempt: Attempt,
): boolean {
  if ('fault' in attempt) return attempt.isPassing && (isRepeatable || attempt.isUnsent);
  const { status, problem } = attempt.response;
  // A wait of seconds does not help: the token is invalid, or the server has too many unfinished uploads. A 429 of a proxy has another code.
  if (problem?.code === 'too-many-requests') return false;
  return busyStatuses.has(status) || (isRepeatable && gatewayStatuses.has(status));
}

/** Sends one GET request and returns the body as a stream, for long non-JSON responses. The request is not retried. */
export async function stream(
  options: ClientOptions,
  path: string,
  mostBytes = mostStreamBytes,
): Promise<{ readonly url: string; readonly status: number; readonly body: AsyncIterable<Uint8Array> }> {
  const url = addressOf(options.url, path);
  const headers = { Authorization: `Bearer ${options.token}` };
  const proxy = await proxyFor(url);
  try {
    const { response, body } = await exchange(url, {
      method: 'GET',
      headers,
      ca: await authorityOf(options),
      proxy,
      signal: options.signal,
      limits: options.limits ?? defaultTransferLimits,
      mostBytes,
    });
    const status = response.statusCode ?? 0;
    // Only the body of a successful response is used, and an unread body would keep the connection open.
    if (status !== 200) response.destroy();
    return { url, status, body: withErrors(body, options, proxy) };
  } catch (error) {
    throw errorOf(error, options, proxy);
  }
}

async function* withErrors(
  body: AsyncIterable<Uint8Array>,
  options: ClientOptions,
  proxy: HttpProxy | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw errorOf(error, options, proxy);
  }
}

type Attempt =
  | { readonly response: ApiResponse; readonly retryAfterMs: number }
  | {
      readonly fault: OtaError;
      readonly isPassing: boolean;
      /** True if no connection was made, so that the server received no part of the request. */
      readonly isUnsent: boolean;
      readonly retryAfterMs: 0;
    };

async function sendOnce(request: ApiRequest, options: ClientOptions): Promise<Attempt> {
  const url = addressOf(options.url, request.path);
  const proxy = await proxyFor(url);
  try {
    const exchanged = await exchange(url, {
      method: request.method,
      headers: headersOf(request, options.token),
      body: request.json === undefined ? request.bytes : JSON.stringify(request.json),
      ca: await authorityOf(options),
      proxy,
      signal: options.signal,
      limits: options.limits ?? defaultTransferLimits,
      mostBytes: mostResponseBytes,
    });
    const { response } = exchanged;
    const retryAfterMs = Math.min(longestRetryAfterMs, 1000 * (Number(response.headers['retry-after']) || 0));
    return { response: await readResponse(exchanged, url), retryAfterMs };
  } catch (error) {
    const fault = errorOf(error, options, proxy);
    if (!(fault instanceof OtaError) || fault.code !== 'SERVER_UNREACHABLE') throw fault;
    return { fault, isPassing: passingFaults.has(reasonOf(error)), isUnsent: isUnsent(error), retryAfterMs: 0 };
  }
}

/** Converts a network error into the error for users. An error for users, and any error after an abort, is returned unchanged. */
function errorOf(error: unknown, { url, signal }: ClientOptions, proxy: HttpProxy | undefined): unknown {
  if (error instanceof OtaError || signal.aborted) return error;
  const reason = reasonOf(error);
  const facts = { url: url.href, reason, proxy: proxy?.url };
  return distrust(url, reason, error) ?? new OtaError('SERVER_UNREACHABLE', facts, error);
}

/** Builds the URL of a request. With a reverse proxy, the API may be below a path. */
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

async function authorityOf({ ca }: ClientOptions): Promise<string | undefined> {
  if (ca === undefined) return undefined;
  const pem = Buffer.from(await readNamedFile(ca, 'certificate')).toString('latin1');
  try {
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new OtaError('TLS_FILE_UNUSABLE', { path: ca, reason: 'it contains no certificate in PEM format' }, cause);
  }
}

async function readResponse({ response, body }: ExchangeResponse, url: string): Promise<ApiResponse> {
  // Responses always have a status. Node.js uses the same type for incoming requests, which have no status.
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (status >= 300 && status < 400 && location !== undefined) {
    response.destroy();
    throw new OtaError('SERVER_REDIRECTS', { url, location });
  }
  const found = Number(response.headers[apiVersionHeader.toLowerCase()] ?? apiVersion);
  if (found > apiVersion) {
    response.destroy();
    throw new OtaError('FORMAT_TOO_NEW', { of: new URL(url).origin, what: 'API', found, known: apiVersion });
  }
  const json = parse(await text(body));
  if (status >= 200 && status < 300 && json !== undefined) return { status, url, json };
  const problem = v.safeParse(apiProblem, json);
  if (problem.success) return { status, url, problem: problem.output.error };
  if (busyStatuses.has(status) || gatewayStatuses.has(status)) return { status, url, problem: unexplained(status) };
  throw new OtaError('SERVER_NOT_OURS', { url, status });
}

/** Returns an error for a response from a proxy. Such a response has no API error body. */
function unexplained(status: number): Problem {
  return {
    code: 'unavailable',
    message: `status ${status}`,
    hint: 'Try again in a few minutes; the server, or a proxy in front of it, is busy.',
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the underlying cause of an error, such as the timeout that caused an abort. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error instanceof ExchangeLimitError) return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** Returns true if the error occurred before a connection to any of the server's addresses was made. */
function isUnsent(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnsent);
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
}
