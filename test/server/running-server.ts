import type { ExecutionContext } from 'ava';
import { apiRoot, type ReleaseRequest } from '../../src/api/release.ts';
import type { Manifest } from '../../src/core/model/manifest.ts';
import { formatManifest } from '../../src/core/model/manifest.ts';
import type { Build } from '../../src/core/pack/build.ts';
import type { Log } from '../../src/server/observability/log.ts';
import { defaultLimits, type ServerOptions } from '../../src/server/options.ts';
import { Verifier } from '../../src/server/services/releases/verifier.ts';
import { type RunningServer, startServer } from '../../src/server/start.ts';
import { sharedStorage } from '../engines/shared-engines.ts';
import { type Spread, startSpread } from '../engines/spread.ts';
import { endlessMs } from '../support/patience.ts';
import { testFolder } from '../support/test-folder.ts';
import { until } from '../support/until.ts';
import { requireDocumented } from './documented.ts';

/** Prevents server timeouts on a slow machine. The headers timeout cannot exceed the Node.js timeout for a whole request. */
const patient = { headersWithinMs: 300_000, keepAliveMs: endlessMs, stallMs: endlessMs };

/** One thread for all servers of a test process: with a thread for each server, the first release would need about 150 ms more CPU time. */
const verifier = new Verifier(defaultLimits);

/** Response from the API. */
export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON. The tests check its structure. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Server for one test. Each server has its own port. */
export interface TestServer extends RunningServer {
  readonly folder: string;
  readonly port: number;
  /** First admin token. */
  readonly token: string;
  readonly logged: readonly { readonly level: string; readonly message: string; readonly fields: object }[];
  /** Sends a request to the API. Fails if the API documentation does not describe the response. */
  api(method: string, path: string, body?: unknown, token?: string): Promise<ApiResponse>;
  /** Uploads all files in the build and publishes the build. */
  publish(build: Build, request?: Partial<ReleaseRequest>, token?: string): Promise<ApiResponse>;
  /**
   * Makes each server write the devices without a project, and read what is stored now. Otherwise, a server reads changes that another one has
   * made within a second.
   */
  readChanges(): Promise<void>;
  /** Closes the server and starts a new server with the same data. */
  restart(options?: Partial<ServerOptions>): Promise<TestServer>;
}

export async function startTestServer(t: ExecutionContext, options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const folder = options.data ?? (await testFolder(t)).at('data');
  const logged: { level: string; message: string; fields: object }[] = [];
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
  const memory: Log = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const server = await startOneOrTwo(t, {
    ...{ host: '127.0.0.1', port: 0, log: memory, ...patient },
    ...(options.limits === undefined && { verifier }),
    ...options,
    data: folder,
  });
  let isClosed = false;
  const close = async (graceMs = 1000) => {
    if (isClosed) return;
    isClosed = true;
    await server.close(graceMs);
  };
  t.teardown(() => close());
  return withClient(t, { server, folder, token: server.token ?? '', logged, close });
}

/** Starts a server, or two servers with shared storage that receive connections in turn (`npm run test:several`). */
async function startOneOrTwo(
  t: ExecutionContext,
  options: ServerOptions,
): Promise<RunningServer & Pick<TestServer, 'readChanges'>> {
  const storage = await sharedStorage(t, options.data);
  const first = await startServer({ ...options, ...storage });
  if (storage === undefined) return { ...first, readChanges: () => readChangesOf([first]) };
  const second = await startServer({ ...options, ...storage, port: 0 });
  const spreads = new Map<string, Spread>();
  const spreadUrl = async (name: 'url' | 'deviceUrl') => {
    const [one, two] = [new URL(first[name]), new URL(second[name])];
    const spread = spreads.get(one.port) ?? (await startSpread([Number(one.port), Number(two.port)]));
    spreads.set(one.port, spread);
    one.port = String(spread.port);
    return one.origin;
  };
  return {
    ...first,
    url: await spreadUrl('url'),
    deviceUrl: await spreadUrl('deviceUrl'),
    readChanges: () => readChangesOf([first, second]),
    async close(graceMs) {
      await Promise.all([first.close(graceMs), second.close(graceMs)]);
      for (const spread of spreads.values()) await spread.close();
    },
  };
}

async function readChangesOf(servers: readonly RunningServer[]): Promise<void> {
  for (const { parts } of servers) {
    await parts.catalog.update();
    await parts.notEnrolled.update();
  }
  // The first servers read what the last ones have written.
  for (const { parts } of servers) await parts.notEnrolled.update();
}

interface Made {
  readonly server: RunningServer & Pick<TestServer, 'readChanges'>;
  readonly folder: string;
  readonly token: string;
  readonly logged: TestServer['logged'];
  close(graceMs?: number): Promise<void>;
}

function withClient(t: ExecutionContext, { server, folder, token, logged, close }: Made): TestServer {
  const api: TestServer['api'] = async (method, path, body, as = token) => {
    const isBytes = body instanceof Uint8Array;
    const response = await fetch(server.url + apiRoot + path, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const received = { status: response.status, body: text === '' ? {} : JSON.parse(text) };
    requireDocumented(method, path, received);
    return received;
  };
  const publish: TestServer['publish'] = async (build, request = {}, as = token) => {
    for (const bytes of build.files.values()) await upload(server.url, bytes, as);
    return api(
      'POST',
      `/projects/${build.manifest.project ?? 'door'}/releases`,
      releaseRequest(build.manifest, request),
      as,
    );
  };
  return {
    ...server,
    folder,
    token,
    logged,
    close,
    port: Number(new URL(server.url).port),
    api,
    publish,
    async restart(options = {}) {
      await close(endlessMs);
      const next = await startTestServer(t, { ...options, data: folder });
      return withClient(t, { server: next, folder, token, logged: next.logged, close: next.close });
    },
  };
}

export function releaseRequest(manifest: Manifest, request: Partial<ReleaseRequest> = {}): ReleaseRequest {
  return { version: manifest.version ?? '1.0', manifest: formatManifest(manifest), ...request };
}

/** Uploads a blob in one request. */
export async function upload(url: string, bytes: Uint8Array, token: string, sha256?: string): Promise<Response> {
  const digest = sha256 ?? (await digestOf(bytes));
  return fetch(`${url}${apiRoot}/uploads/${digest}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      'upload-offset': '0',
      'upload-length': String(bytes.length),
    },
    body: Buffer.from(bytes),
  });
}

export async function digestOf(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(bytes))).toString('hex');
}

/**
 * Waits until the server has counted `receipts` downloads of the last release. A download is counted after the device closes the
 * connection.
 */
export async function receiptsNoted(
  { parts }: Pick<TestServer, 'parts'>,
  mac: string,
  receipts: number,
  project = 'door',
): Promise<void> {
  const noted = async () => (await parts.records.find(project, mac))?.attempts[0]?.receipts;
  await until(async () => (await noted()) === receipts);
}
