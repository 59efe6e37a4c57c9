import { setTimeout as pause } from 'node:timers/promises';
import { apiRoot } from '../../src/api/release.ts';
import type { RolloutAction, RolloutRequest } from '../../src/api/rollout.ts';
import type { RolloutInfo } from '../../src/api/rollout-info.ts';
import type { Build } from '../../src/core/pack/build.ts';
import { digestOf, releaseRequest } from '../server/running-server.ts';
import type { ApiWrite } from './log.ts';

const patienceMs = 15_000;
const retryAfterMs = 250;

interface ApiResult {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly server: string | undefined;
  readonly hasRetryAfter: boolean;
}

/** An administrator who changes the server's data over the API, and repeats what was not acknowledged. */
export class Administrator {
  readonly writes: ApiWrite[] = [];
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async request(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
    const startedAt = Date.now();
    const isBytes = body instanceof Uint8Array;
    try {
      const response = await fetch(this.#url + apiRoot + path, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, connection: 'close', ...headers },
        ...(body !== undefined && { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return {
        status: response.status,
        body: isJson ? JSON.parse(text) : {},
        startedAt,
        endedAt: Date.now(),
        server: response.headers.get('x-served-by') ?? undefined,
        hasRetryAfter: response.headers.has('retry-after'),
      } satisfies ApiResult;
    } catch {
      return { status: 0, body: {}, startedAt, endedAt: Date.now(), server: undefined, hasRetryAfter: false };
    }
  }

  /** Sends a request until it is acknowledged or rejected, and logs it as a write of `value`. */
  async write(logged: Pick<ApiWrite, 'key' | 'value' | 'action'>, method: string, path: string, body?: unknown) {
    for (;;) {
      const result = await this.request(method, path, body);
      const { status, startedAt, endedAt, server, hasRetryAfter } = result;
      this.writes.push({ ...logged, status, startedAt, endedAt, server, hasRetryAfter });
      if (status !== 0 && status < 500) return result;
      await pause(retryAfterMs);
    }
  }

  /** Uploads all files of a build and publishes it. */
  async publish(project: string, build: Build, draft: boolean): Promise<void> {
    for (const bytes of build.files.values()) await this.#upload(bytes);
    const request = releaseRequest(build.manifest, { draft });
    const key = `release ${request.version} of ${project}`;
    const value = build.manifest.image.sha256;
    const { status, body } = await this.write({ key, value }, 'POST', `/projects/${project}/releases`, request);
    if (status >= 300) throw new Error(`${request.version} was not published: ${status} ${JSON.stringify(body)}`);
  }

  async startRollout(project: string, request: RolloutRequest): Promise<number> {
    const path = `/projects/${project}/rollouts`;
    const started = await this.write(
      { key: `rollout of ${request.version}`, value: request.version },
      'POST',
      path,
      request,
    );
    if (started.status === 201) return (started.body as unknown as RolloutInfo).id;
    // An earlier request took effect although its response was lost.
    for (;;) {
      const { status, body } = await this.request('GET', path);
      const found = (body as { rollouts?: RolloutInfo[] }).rollouts?.find(({ version }) => version === request.version);
      if (found !== undefined) return found.id;
      if (status === 200) throw new Error(`no rollout: ${started.status} ${JSON.stringify(started.body)}`);
      await pause(retryAfterMs);
    }
  }

  /** @returns true if the action was acknowledged */
  async act(project: string, id: number, action: RolloutAction, state: string): Promise<boolean> {
    const logged = { key: `action on rollout ${id} of ${project}`, value: state, action: { project, rollout: id } };
    const body = action === 'resume' ? { acceptFailures: true } : {};
    const { status } = await this.write(logged, 'POST', `/projects/${project}/rollouts/${id}/${action}`, body);
    return status === 200;
  }

  /** Uploads a file from the offset at which an earlier attempt ended. */
  async #upload(bytes: Uint8Array): Promise<void> {
    const path = `/uploads/${await digestOf(bytes)}`;
    for (;;) {
      const { status, body } = await this.request('GET', path);
      if (status === 200 && body['complete'] === true) return;
      const offset = Number(body['offset'] ?? 0);
      const headers = {
        'content-type': 'application/octet-stream',
        'upload-offset': String(offset),
        'upload-length': String(bytes.length),
      };
      const sent = status === 200 ? await this.request('PATCH', path, bytes.subarray(offset), headers) : undefined;
      if (sent?.status === 200 && sent.body['complete'] === true) return;
      await pause(retryAfterMs);
    }
  }
}
