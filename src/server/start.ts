import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';
import { trustProxies } from './auth/client-address.ts';
import { makeParts, openServedData, type ServedData } from './compose.ts';
import { firstTokenKeeper } from './first-token-file.ts';
import { openDeviceServer, openWebServer, type WebServer } from './http/web-servers.ts';
import type { ServerOptions } from './options.ts';
import type { ServerParts } from './parts.ts';
import { requireClock } from './services/clock-skew.ts';
import { startMaintenance } from './services/maintenance.ts';
import { firstToken } from './services/tokens.ts';
import { dataError } from './storage/data-error.ts';
import { sealData } from './storage/data-identity.ts';
import { makeFoldersPrivate } from './storage/private-folders.ts';
import { authorityIn } from './tls/authority-files.ts';
import { openTls, type ServerTls } from './tls/open-tls.ts';

export interface RunningServer {
  readonly url: string;
  /** URL for devices: the device-only address if configured, otherwise the same as `url`. */
  readonly deviceUrl: string;
  /** Token for the first admin, if the data did not contain a token. */
  readonly token: string | undefined;
  /** File that contains the first admin token. Only the owner of the file can read it. */
  readonly tokenFile: string | undefined;
  readonly parts: ServerParts;
  /** Rejects if the data turns out to be unusable after the start, because the bucket could not be reached before. */
  readonly failed: Promise<never>;
  /** Files that clients and sketches use to authenticate the server; undefined unless the server created them. */
  readonly trust: ServerTls['trust'];
  /** Reloads the certificate. Does nothing without TLS or if the certificate is unchanged. */
  reloadCertificate(): Promise<void>;
  /** Stops accepting connections, waits up to `graceMs` for downloads to complete, and closes the data. */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts a server.
 *
 * @throws OtaError SERVER_LISTEN_FAILED, OPTION_INVALID, and errors from `openData` and from loading the certificate
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const isTrustedProxy = trustProxies(options.trustedProxies ?? []);
  const acceptsLoss = options.acceptsOlderDatabase === true;
  const holder = `process ${process.pid}, since ${new Date().toISOString()}`;
  const onUpgrade = (copy: string) =>
    options.log.info(
      { copy },
      'Database upgraded; the earlier one was copied. Delete the copy when you no longer need to go back',
    );
  const opened = await openServedData(options, holder, { acceptsLoss, onUpgrade });
  const { store, blobs, unreachable } = opened;
  const failure = failureOf(opened);
  const stopping = new AbortController();
  const servers: WebServer[] = [];
  const closeServers = (graceMs: number) => Promise.all(servers.map((server) => server.close(graceMs)));
  try {
    // The backup includes the authority's keys only if the API uses TLS. Over plain HTTP, the keys would be sent unencrypted.
    const authority = options.tls?.kind === 'self-signed' ? authorityIn(options.data) : undefined;
    for (const path of await makeFoldersPrivate(ownFolders(options))) {
      options.log.warn({ path }, 'Other users can access this folder');
    }
    await requireClock(store);
    if (unreachable === undefined) await sealData(opened, { acceptsLoss });
    const parts = await makeParts(
      { store, blobs, check: failure.check },
      { ...options, authority, isTrustedProxy },
      stopping.signal,
    );
    if (unreachable !== undefined) parts.outage.begin('bucket', unreachable);
    const tls = await openTls(options.tls, authorityIn(options.data), options.log);
    const main = await openWebServer(parts, options, tls.certificate);
    servers.push(main);
    const { deviceListen } = options;
    if (deviceListen !== undefined) servers.push(await openDeviceServer(parts, options, deviceListen));
    const maintenance = startMaintenance(parts);
    // The start does not wait, because a bucket takes a while for each file.
    parts.health.checkFirmware().catch((error: unknown) => options.log.error({ err: error }, 'Firmware check failed'));
    const certificate = tls.keepCurrent(main.server);
    const keeper = firstTokenKeeper(options.data, options.tokenFile);
    const token = await firstToken(parts, keeper.keep);
    await keeper.finish();
    // The first token must survive the loss of the journal: otherwise, the server would start without tokens and create another one.
    if (token !== undefined) await sealData(opened);
    return {
      url: main.url,
      deviceUrl: servers.at(-1)?.url ?? main.url,
      token,
      tokenFile: token === undefined ? undefined : keeper.path,
      parts,
      failed: failure.failed,
      trust: tls.trust,
      reloadCertificate: certificate.reload,
      async close(graceMs) {
        stopping.abort();
        await certificate.stop();
        await closeServers(graceMs);
        await parts.downloads.idle();
        await maintenance.stop();
        if (options.verifier === undefined) await parts.verifier.close();
        await store.close();
      },
    };
  } catch (error) {
    await closeServers(0);
    await store.close();
    throw dataError(options.data, error);
  }
}

/** Returns the folders that only this server reads. With X-Accel-Redirect, the user of the reverse proxy reads the folder with the blobs. */
function ownFolders({ data, accelPath, blobsUrl }: ServerOptions): readonly string[] {
  const isReadByProxy = accelPath !== undefined && blobsUrl === undefined;
  const inner = ['uploads', 'tls', ...(isReadByProxy ? [] : ['blobs'])].map((name) => join(data, name));
  return isReadByProxy ? inner : [data, ...inner];
}

/** Returns the check of the data that was not possible at the start, and a promise that rejects if the data cannot be used. */
function failureOf({ check }: Pick<ServedData, 'check'>) {
  const failing = new EventEmitter();
  const failed = once(failing, 'failed').then(([error]) => {
    throw error;
  });
  // The caller may not wait for it.
  failed.catch(() => undefined);
  return {
    failed,
    async check() {
      try {
        await check();
      } catch (error) {
        if (error instanceof OtaError) failing.emit('failed', error);
        throw error;
      }
    },
  };
}
