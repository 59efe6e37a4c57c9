import type { ExecutionContext } from 'ava';
import { apiRoot } from '../../../src/api/release.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { makeToken } from '../../../src/server/auth/tokens.ts';
import { makeParts, openData } from '../../../src/server/compose.ts';
import { openWebServer } from '../../../src/server/http/web-servers.ts';
import type { Log } from '../../../src/server/observability/log.ts';
import { defaultLimits, type ServerLimits } from '../../../src/server/options.ts';
import type { ServerParts } from '../../../src/server/parts.ts';
import { Verifier } from '../../../src/server/services/releases/verifier.ts';
import type { Notices, Store } from '../../../src/server/storage/store.ts';
import { endlessMs } from '../../support/patience.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { type ApiResponse, releaseRequest, upload } from '../running-server.ts';

const verifier = new Verifier(defaultLimits);

/** One of the two processes. Periodic maintenance does not run, so a process sees a change of the other one only if it reads the store. */
export interface Process {
  readonly parts: ServerParts;
  readonly url: string;
  readonly port: number;
  readonly logged: readonly { readonly level: string; readonly message: string }[];
  api(method: string, path: string, body?: unknown, token?: string): Promise<ApiResponse>;
  publish(build: Build, request?: Parameters<typeof releaseRequest>[1]): Promise<ApiResponse>;
}

export interface TwoProcesses {
  readonly first: Process;
  readonly second: Process;
  /** Admin token. */
  readonly token: string;
}

/** Starts two servers on one opened store, as two processes do with one database. Each has its own object for the store. */
export async function twoProcesses(t: ExecutionContext, limits: Partial<ServerLimits> = {}): Promise<TwoProcesses> {
  const data = await openData({ data: (await testFolder(t)).at('data') }, 'a test');
  const { store, blobs } = data;
  const { record, token } = makeToken({ roles: ['admin'], project: undefined, name: 'admin' });
  await store.tokens.create(record, auditBy('test'));
  const [one, two] = connectedNotices();
  const start = async (notices: Notices): Promise<Process> => {
    const logged: { level: string; message: string }[] = [];
    const log = (level: string) => (_: object, message: string) => void logged.push({ level, message });
    const memory: Log = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
    const stopping = new AbortController();
    const options = { log: memory, limits, verifier };
    const parts = await makeParts({ store: { ...copyOf(store), notices }, blobs }, options, stopping.signal);
    const place = { host: '127.0.0.1', port: 0, data: '', ...options };
    const server = await openWebServer(parts, { ...place, keepAliveMs: endlessMs }, undefined);
    t.teardown(async () => {
      stopping.abort();
      await server.close(0);
      await parts.downloads.idle();
    });
    return withClient(parts, server.url, token, logged);
  };
  t.teardown(() => store.close());
  return { first: await start(one), second: await start(two), token };
}

/** Copies the parts of a store, so that a test can replace a method for one process. */
function copyOf(store: Store): Store {
  const { catalog, devices, rollouts, tokens, uploads, sessions, failures } = store;
  return {
    ...store,
    catalog: { ...catalog },
    devices: { ...devices },
    rollouts: { ...rollouts },
    tokens: { ...tokens },
    uploads: { ...uploads },
    sessions: { ...sessions },
    failures: { ...failures },
  };
}

/** Notices between two processes, as the database delivers them. */
function connectedNotices(): readonly [Notices, Notices] {
  const listeners = [new Set<(text: string) => void>(), new Set<(text: string) => void>()] as const;
  const noticesOf = (own: 0 | 1): Notices => ({
    send(text) {
      for (const listener of listeners[own === 0 ? 1 : 0]) listener(text);
    },
    subscribe(listener) {
      listeners[own].add(listener);
      return () => void listeners[own].delete(listener);
    },
  });
  return [noticesOf(0), noticesOf(1)];
}

/** Loses all notices to a process, so that it sees changes only when it reads the store. */
export function loseNotices({ parts }: Process): void {
  parts.store.notices.send = () => undefined;
}

function withClient(parts: ServerParts, url: string, token: string, logged: Process['logged']): Process {
  const api: Process['api'] = async (method, path, body, as = token) => {
    const response = await fetch(url + apiRoot + path, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  return {
    parts,
    url,
    port: Number(new URL(url).port),
    logged,
    api,
    async publish({ manifest, files }, request = {}) {
      for (const bytes of files.values()) await upload(url, bytes, token);
      return api('POST', '/projects/door/releases', releaseRequest(manifest, request));
    },
  };
}

/** Calls `before` once, before the next call of a store method in one process. */
export function once<Part extends object, Name extends keyof Part>(
  part: Part,
  name: Name,
  when: 'before' | 'after',
  work: () => Promise<unknown>,
): void {
  // Each method of a store part is a function that returns a promise.
  const method = part[name] as (...values: readonly unknown[]) => Promise<unknown>;
  part[name] = (async (...values: readonly unknown[]) => {
    part[name] = method as Part[Name];
    if (when === 'before') await work();
    const result = await method(...values);
    if (when === 'after') await work();
    return result;
  }) as Part[Name];
}
