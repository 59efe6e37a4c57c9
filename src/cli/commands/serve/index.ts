import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { chosenStorage } from '../../shared/storage-options.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { chosenBroker } from './mqtt.ts';
import { type ServeOptions, serveCommand } from './options.ts';
import { readableLog } from './readable-log.ts';
import { describeReady } from './ready.ts';
import { tlsKeyWarnings, tlsOptions } from './tls.ts';

export function declareServe(declaration: Declaration) {
  return serveCommand(declaration).action((options) => serve(options, declaration.io));
}

/** Runs a server until the user stops it. */
export async function serve(options: ServeOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  let reload = async () => {};
  io.handleServiceSignals?.(() => void reload());
  const { listen, deviceListen } = options;
  if (options.authHeader !== undefined && options.trustProxy.length === 0) {
    throw new OtaError('OPTION_MISSING', { subject: '--auth-header', wanted: '--trust-proxy ADDRESS' });
  }
  const tls = tlsOptions(options, io.cwd);
  for (const warning of await tlsKeyWarnings(tls, report.path)) report.warn(warning);
  const storage = await chosenStorage(options, io, report);
  const mqtt = await chosenBroker(options, io, report);
  const { firstTokenFile, startServer, ownHosts, pinoLog } = await import('../../../server/index.ts');
  const data = resolve(io.cwd, options.data);
  const tokenFile = options.tokenFile && resolve(io.cwd, options.tokenFile);
  // A service or a container collects the log, so the lines are JSON unless they appear at a terminal.
  const isForPeople = io.stderr.size !== undefined;
  const level = options.logLevel ?? (options.quiet === true ? 'warn' : options.verbose === true ? 'debug' : 'info');
  const server = await startServer({
    data,
    ...storage,
    acceptsOlderDatabase: options.acceptOlderDatabase,
    ...listen,
    tls,
    deviceListen,
    limits: limitsOf(options),
    log: pinoLog(level, isForPeople ? readableLog(io) : (line) => io.stderr.write(line)),
    tokenFile,
    trustedProxies: options.trustProxy,
    authHeader: options.authHeader,
    basePath: options.basePath,
    accelPath: options.xAccelRedirect?.replace(/\/+$/, ''),
    openMetrics: options.openMetrics ?? false,
    mqtt,
  });
  reload = () => server.reloadCertificate();
  try {
    const { trust } = server;
    const { basePath = '' } = options;
    const url = server.url + basePath;
    const deviceUrl = server.deviceUrl + basePath;
    // Without a terminal, the output may end up in a log that other users can read.
    const token = io.prompt === undefined ? undefined : server.token;
    report.event('serve', { event: 'ready', url, deviceUrl, tokenFile: server.tokenFile, ...trust });
    if (options.json !== true) {
      const deviceHost = (deviceListen ?? listen).host;
      const first = { token, tokenFile: server.tokenFile ?? keptFile(tokenFile ?? join(data, firstTokenFile)) };
      for (const line of describeReady({ url, deviceUrl, deviceHost, ...first, trust, ownHosts }, report.path))
        report.say(line);
    }
    await Promise.race([untilAborted(io.signal), server.failed]);
    report.say('Waiting for downloads to finish. Press Ctrl-C again to stop immediately.');
  } finally {
    await server.close(1000 * options.grace);
  }
  report.event('serve', { event: 'stopped' });
}

/** Returns the file of the first token if the user has not deleted it since an earlier start. */
function keptFile(file: string): string | undefined {
  return existsSync(file) ? file : undefined;
}

function limitsOf({ maxDownloads, maxDevices, newDevicesPerNetwork, connectionsPerAddress }: ServeOptions) {
  return {
    ...(maxDownloads !== undefined && { mostDownloads: maxDownloads }),
    ...(maxDevices !== undefined && { mostDevices: maxDevices }),
    ...(newDevicesPerNetwork !== undefined && { newDevicesPerNetwork }),
    ...(connectionsPerAddress !== undefined && { mostConnectionsPerAddress: connectionsPerAddress }),
  };
}
