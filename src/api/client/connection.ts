import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { abortAfter } from '../abort-after.ts';
import { apiRoot, apiVersion, apiVersionHeader } from '../release.ts';
import { apiProblem, type Problem } from './answers.ts';
import { distrust } from './distrust.ts';
import { exchange } from './exchange.ts';

/** Server and its access token, which is sent only to the server's origin. */
export interface ClientOptions {
  readonly url: URL;
  readonly token: string;
  /** PEM file with the certificate authority that must have issued the server's certificate; defaults to the authorities Node trusts. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Delays between attempts after a network fault or a transient status; there is one more attempt than there are delays. */
  readonly pausesMs?: readonly number[];
  /** Timeout for one request. */
  readonly limitMs?: number;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the API root. */
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  /** Called with the number of bytes sent so far; a retry starts again at 0. */
  readonly onSent?: (bytes: number) => void;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether sending the request twice gives the same response as sending it once; defaults to false for POST and DELETE. */
  readonly isRepeatable?: boolean;
}

/** Server response: the JSON body of a successful response, or an error. */
export type ApiAnswer =
  | { readonly status: number; readonly url: string; readonly json: unknown; readonly problem?: undefined }
  | { readonly status: number; readonly url: string; readonly problem: Problem };

export type Ask = (request: ApiRequest) => Promise<ApiAnswer>;

const defaultPausesMs = [250, 500, 1000, 2000];
const defaultLimitMs = 120_000;
/** Statuses that a server or proxy sends if it did not process the request and the client should wait. */
const busyStatuses = new Set([429, 503]);
/** Statuses that a proxy sends if it received no response; the server may have processed the request. */
const gatewayStatuses = new Set([502, 504]);
const longestRetryAfterMs = 30_000;

/** Transient network faults. An untrusted certificate or an unknown host name is not transient. */
const passingFaults = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
]);

/**
 * Creates a client for an update server's API. After a transient network fault or status, a request is retried at most `pausesMs.length`
 * times. A request that is not repeatable is retried only if the server cannot have processed it: if no connection was made, or if the
 * response status is 429 or 503. Each attempt times out after `limitMs`; `signal` cancels attempts and delays.
 *
 * @returns a function that throws OtaError SERVER_UNREACHABLE, SERVER_NOT_TRUSTED, SERVER_REDIRECTS or SERVER_NOT_OURS; FILE_NOT_FOUND,
 *   FILE_UNREADABLE or TLS_FILE_UNUSABLE for the certificate authority file; and an AbortError after `signal` aborts
 */
export function connect(options: ClientOptions): Ask {
  const { pausesMs = defaultPausesMs, signal } = options;
  return async (request) => {
    for (let count = 0; ; count++) {
      const attempt = await askOnce(request, options);
      const waitMs = mayRepeat(request, attempt) ? pausesMs[count] : undefined;
      if (waitMs !== undefined) await pause(Math.max(waitMs, attempt.retryAfterMs), undefined, { signal });
      else if ('fault' in attempt) throw attempt.fault;
      else return attempt.answer;
    }
  };
}

function mayRepeat(
  { method, isRepeatable = method !== 'POST' && method !== 'DELETE' }: ApiRequest,
  attempt: Attempt,
): boolean {
  if ('fault' in attempt) return attempt.isPassing && (isRepeatable || attempt.isUnsent);
  const { status } = attempt.answer;
  return busyStatuses.has(status) || (isRepeatable && gatewayStatuses.has(status));
}

/** Sends one GET request without retries and returns the body as a stream, for long non-JSON responses. */
export async function stream(
  options: ClientOptions,
  path: string,
): Promise<{ readonly url: string; readonly status: number; readonly body: AsyncIterable<Uint8Array> }> {
  const url = addressOf(options.url, path);
  const headers = { Authorization: `Bearer ${options.token}` };
  const response = await exchange(url, {
    method: 'GET',
    headers,
    ca: await authorityOf(options),
    signal: options.signal,
  });
  return { url, status: response.statusCode ?? 0, body: response };
}

type Attempt =
  | { readonly answer: ApiAnswer; readonly retryAfterMs: number }
  | {
      readonly fault: OtaError;
      readonly isPassing: boolean;
      /** Whether no connection was made, so the server received no part of the request. */
      readonly isUnsent: boolean;
      readonly retryAfterMs: 0;
    };

async function askOnce(request: ApiRequest, options: ClientOptions): Promise<Attempt> {
  const { signal, limitMs = defaultLimitMs } = options;
  const url = addressOf(options.url, request.path);
  try {
    const response = await exchange(url, {
      method: request.method,
      headers: headersOf(request, options.token),
      body: request.json === undefined ? request.bytes : JSON.stringify(request.json),
      onSent: request.onSent,
      ca: await authorityOf(options),
      signal: AbortSignal.any([signal, abortAfter(limitMs)]),
    });
    const retryAfterMs = Math.min(longestRetryAfterMs, 1000 * (Number(response.headers['retry-after']) || 0));
    return { answer: await readAnswer(response, url), retryAfterMs };
  } catch (error) {
    if (error instanceof OtaError || signal.aborted) throw error;
    const reason = reasonOf(error);
    const distrusted = distrust(options.url, reason, error);
    if (distrusted !== undefined) throw distrusted;
    const fault = new OtaError('SERVER_UNREACHABLE', { url: options.url.href, reason }, error);
    return { fault, isPassing: passingFaults.has(reason), isUnsent: isUnsent(error), retryAfterMs: 0 };
  }
}

/** Builds a request URL. A reverse proxy may serve the API below a path. */
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

async function readAnswer(response: IncomingMessage, url: string): Promise<ApiAnswer> {
  // Responses always have a status, but Node uses the same type for server-side requests.
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
  const json = parse(await text(response));
  if (status >= 200 && status < 300 && json !== undefined) return { status, url, json };
  const problem = v.safeParse(apiProblem, json);
  if (problem.success) return { status, url, problem: problem.output.error };
  if (busyStatuses.has(status) || gatewayStatuses.has(status)) return { status, url, problem: unexplained(status) };
  throw new OtaError('SERVER_NOT_OURS', { url, status });
}

/** Returns an error for a proxy response, which has no API error body. */
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

/** Returns the underlying reason for an error, such as the timeout that caused an abort. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error.name === 'TimeoutError') return error.name;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** Returns whether an error occurred before a connection was made to any of the server's addresses. */
function isUnsent(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnsent);
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo';
}
