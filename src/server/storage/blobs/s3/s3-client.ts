import { once } from 'node:events';
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { BlobsUnavailableError } from '../../store-unavailable.ts';
import { errorCodeIn, listedObjects, type S3Object } from './s3-documents.ts';
import type { S3Settings } from './s3-settings.ts';

/** Longest pause in a transfer. An endpoint that does not respond for this time counts as unreachable. */
const idleMs = 10_000;
/** Longest pause while an object is read, once. A device waits 8 s for a response, so it still receives 503. */
const readIdleMs = 5000;
/** Waits before the second and the third try. S3 stores reject single requests when they are busy. */
const retryWaitsMs = [100, 400];
/** Time for which a presigned URL is valid. A proxy uses it immediately. */
const presignedSeconds = 300;
const timedOut = 'ETIMEDOUT';
/** Marks a request whose body the store does not verify. */
const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Rejected request. The store works again after its settings are corrected, so a rejection counts as an outage. */
export class S3RejectedError extends BlobsUnavailableError {
  readonly status: number;
  /** Error code of the store, such as `AccessDenied`. */
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`the S3 store rejected a request with status ${status} (${reason})`);
    this.status = status;
    this.reason = reason;
  }
}

export interface S3Body {
  readonly sizeBytes: number;
  /** SHA-256 that the store checks before it stores the object. */
  readonly sha256: string;
  /** Returns the bytes. A retry calls this function again. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface S3Content {
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

interface S3Request {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: S3Body;
}

/** Client for one bucket. All keys are relative to the prefix. */
export class S3Client {
  readonly #settings: S3Settings;
  readonly #agent: HttpAgent;

  constructor(settings: S3Settings) {
    this.#settings = settings;
    const options = { keepAlive: true, maxSockets: 64 };
    this.#agent = settings.bucketUrl.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** Returns the size of an object; undefined if it does not exist. */
  async size(key: string): Promise<number | undefined> {
    const response = await this.#request('HEAD', key, {});
    response.resume();
    return response.statusCode === 200 ? Number(response.headers['content-length']) : undefined;
  }

  /** Reads an object; undefined if it does not exist. The caller must read or return the chunks. */
  async read(key: string): Promise<S3Content | undefined> {
    const response = await this.#request('GET', key, {});
    if (response.statusCode === 200) {
      const { 'content-length': sizeBytes, etag } = response.headers;
      return { sizeBytes: Number(sizeBytes), etag, chunks: chunksOf(response) };
    }
    response.resume();
    return undefined;
  }

  /**
   * Creates an object.
   *
   * @returns false if the object already exists
   */
  async create(key: string, body: S3Body): Promise<boolean> {
    const response = await this.#request('PUT', key, { headers: { 'if-none-match': '*' }, body });
    response.resume();
    // 409: another request creates the same object at the same time.
    return response.statusCode !== 412 && response.statusCode !== 409;
  }

  /**
   * Copies an object within the bucket. Copying an object to its own key renews its modification time.
   *
   * @returns false if the object does not exist
   */
  async copy(source: string, target: string): Promise<boolean> {
    const from = `/${this.#settings.bucket}/${this.#settings.prefix}${source}`;
    const headers = { 'x-amz-copy-source': from, 'x-amz-metadata-directive': 'REPLACE' };
    const response = await this.#request('PUT', target, { headers });
    // S3 may report an error after it has sent the status 200.
    return response.statusCode === 200 && (await bodyText(response)).includes('<CopyObjectResult');
  }

  async remove(key: string): Promise<void> {
    const response = await this.#request('DELETE', key, {});
    response.resume();
  }

  /** Lists all objects whose keys start with `start`. */
  async *list(start: string, pageSize = 1000): AsyncGenerator<S3Object> {
    const { prefix } = this.#settings;
    let next: string | undefined;
    do {
      const query = {
        'list-type': '2',
        prefix: prefix + start,
        'max-keys': String(pageSize),
        ...(next !== undefined && { 'continuation-token': next }),
      };
      const response = await this.#request('GET', undefined, { query });
      const page = listedObjects(await bodyText(response));
      for (const object of page.objects) yield { ...object, key: object.key.slice(prefix.length) };
      next = page.next;
    } while (next !== undefined);
  }

  /** Returns the path, without a slash at the start, and the query of a URL with which anyone can read an object for a few minutes. */
  async presigned(key: string): Promise<string> {
    const url = this.#url(key);
    url.searchParams.set('X-Amz-Expires', String(presignedSeconds));
    const signed = await new AwsV4Signer({ ...this.#signing('GET', url), signQuery: true }).sign();
    return signed.url.pathname.slice(1) + signed.url.search;
  }

  async #request(method: string, key: string | undefined, options: S3Request): Promise<IncomingMessage> {
    for (const waitMs of [...retryWaitsMs, undefined]) {
      try {
        return await this.#requestOnce(method, key, options);
      } catch (error) {
        if (waitMs === undefined || !isTransient(error) || (isRead(method, key) && isTimeout(error))) throw error;
        await pause(waitMs);
      }
    }
    throw new Error('the last try always returns');
  }

  /** @throws BlobsUnavailableError if the store does not respond, or responds with an unexpected status */
  async #requestOnce(method: string, key: string | undefined, { query, headers, body }: S3Request) {
    const url = this.#url(key, query);
    const signer = new AwsV4Signer({
      ...this.#signing(method, url),
      headers: { 'x-amz-content-sha256': body?.sha256 ?? unsignedPayload, ...headers },
    });
    const signed = Object.fromEntries((await signer.sign()).headers);
    const sent = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      agent: this.#agent,
      // Also limits the time to connect.
      timeout: isRead(method, key) ? readIdleMs : idleMs,
      headers: { ...signed, ...(method === 'PUT' && { 'content-length': body?.sizeBytes ?? 0 }) },
    });
    const response = await exchange(sent, body);
    const status = response.statusCode ?? 0;
    if (status < 300 || status === 409 || status === 412) return response;
    // A response to HEAD has no body with a code.
    const reason = method === 'HEAD' ? String(status) : errorCodeIn(await bodyText(response));
    if (status === 404 && reason !== 'NoSuchBucket') return response;
    throw new S3RejectedError(status, reason);
  }

  #url(key: string | undefined, query: Readonly<Record<string, string>> = {}): URL {
    const { bucketUrl, prefix } = this.#settings;
    const url = new URL(key === undefined ? bucketUrl : `${bucketUrl}/${prefix}${key}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  #signing(method: string, url: URL) {
    const { accessKeyId, secretAccessKey, sessionToken, region } = this.#settings;
    const service = 's3';
    return {
      method,
      url: url.href,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken && { sessionToken }),
      region,
      service,
    };
  }
}

/** Sends a request, and resolves to the start of the response. An error of the body's source is passed on unchanged. */
async function exchange(sent: ClientRequest, body: S3Body | undefined): Promise<IncomingMessage> {
  sent.on('timeout', () => sent.destroy(Object.assign(new Error('no response'), { code: timedOut })));
  // A store may respond before it has read the body, and then close the connection.
  sent.on('error', () => undefined);
  const responded = once(sent, 'response');
  let sourceError: unknown;
  const source = async function* (chunks: AsyncIterable<Uint8Array>) {
    try {
      yield* chunks;
    } catch (error) {
      sourceError = error;
      throw error;
    }
  };
  if (body === undefined) sent.end();
  else pipeline(Readable.from(source(body.chunks())), sent).catch(() => undefined);
  try {
    const [response] = (await responded) as [IncomingMessage];
    return response;
  } catch (cause) {
    throw sourceError ?? unreachable(cause);
  }
}

async function* chunksOf(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* response;
  } catch (cause) {
    throw unreachable(cause);
  }
}

async function bodyText(response: IncomingMessage): Promise<string> {
  return text(chunksOf(response));
}

function unreachable(cause: unknown): BlobsUnavailableError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new BlobsUnavailableError(`the S3 store cannot be reached: ${reason}`, { cause });
}

function isRead(method: string, key: string | undefined): boolean {
  return method === 'GET' && key !== undefined;
}

function isTransient(error: unknown): boolean {
  if (error instanceof S3RejectedError) return error.status >= 500 || error.status === 429;
  return error instanceof BlobsUnavailableError;
}

function isTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === timedOut;
}
