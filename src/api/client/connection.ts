import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { abortAfter } from '../abort-after.ts';
import { apiRoot } from '../release.ts';
import { apiProblem, type Problem } from './answers.ts';
import { distrust } from './distrust.ts';
import { exchange } from './exchange.ts';

/** A server, and the token that is sent to its origin and to no other. */
export interface ServerOptions {
  readonly url: URL;
  readonly token: string;
  /** File (PEM) of the authority that its certificate must be of; absent: one of those that node knows. */
  readonly ca?: string | undefined;
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
  /** Told how many of the bytes have left; from 0 again when they are sent again. */
  readonly onSent?: (bytes: number) => void;
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
 * Speaks the API of an update server. Every request of it may be made twice, so those that the network has broken are.
 *
 * @returns a function that throws OtaError SERVER_UNREACHABLE, SERVER_NOT_TRUSTED, SERVER_REDIRECTS, SERVER_NOT_OURS, and of the file of
 * the authority FILE_NOT_FOUND, FILE_UNREADABLE, TLS_FILE_UNUSABLE
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

/** A GET of what may be long and is no JSON, once. */
export async function stream(
  options: ServerOptions,
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
  | { readonly fault: OtaError; readonly isPassing: boolean };

async function askOnce(request: ApiRequest, options: ServerOptions): Promise<Attempt> {
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

async function authorityOf({ ca }: ServerOptions): Promise<string | undefined> {
  if (ca === undefined) return undefined;
  const pem = Buffer.from(await readNamedFile(ca, 'certificate')).toString('latin1');
  try {
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new OtaError('TLS_FILE_UNUSABLE', { path: ca, reason: 'it holds no certificate in PEM form' }, cause);
  }
}

async function readAnswer(response: IncomingMessage, url: string): Promise<ApiAnswer> {
  // An answer has a status.
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (status >= 300 && status < 400 && location !== undefined) {
    response.destroy();
    throw new OtaError('SERVER_REDIRECTS', { url, location });
  }
  const json = parse(await text(response));
  if (status >= 200 && status < 300 && json !== undefined) return { status, url, json };
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

/** What is behind an error, such as the time-out behind an abort. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  if (error.name === 'TimeoutError') return error.name;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
