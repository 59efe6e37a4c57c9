import { resolve } from 'node:path';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { chosenStorage } from '../../shared/storage-options.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { chosenBroker } from './mqtt.ts';
import { type ServeOptions, serveCommand } from './options.ts';
import { describeReady } from './ready.ts';
import { tlsKeyWarnings, tlsOptions } from './tls.ts';

export function declareServe(declaration: Declaration) {
  return serveCommand(declaration).action((options) => serve(options, declaration.io));
}

/** Runs a server until the user stops it. */
export async function serve(options: ServeOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const { listen, deviceListen } = options;
  const tls = tlsOptions(options, io.cwd);
  for (const warning of await tlsKeyWarnings(tls, report.path)) report.warn(warning);
  const storage = await chosenStorage(options, io, report);
  const mqtt = await chosenBroker(options, io, report);
  const { startServer, pinoLog } = await import('../../../server/index.ts');
  const level = options.quiet === true ? 'warn' : options.verbose === true ? 'debug' : 'info';
  const server = await startServer({
    data: resolve(io.cwd, options.data),
    ...storage,
    acceptsOlderDatabase: options.acceptOlderDatabase,
    ...listen,
    tls,
    deviceListen,
    limits: limitsOf(options),
    log: pinoLog(level, (line) => io.stderr.write(line)),
    trustedProxies: options.trustProxy,
    accelPath: options.xAccelRedirect?.replace(/\/+$/, ''),
    openMetrics: options.openMetrics ?? false,
    mqtt,
  });
  if (tls !== undefined) io.onHangup?.(() => void server.reloadCertificate());
  try {
    const { url, deviceUrl, tokenFile, trust } = server;
    // Without a terminal, the output may end up in a log that other users can read.
    const token = io.prompt === undefined ? undefined : server.token;
    report.event('serve', { event: 'ready', url, deviceUrl, tokenFile, ...trust });
    if (options.json !== true) {
      const deviceHost = (deviceListen ?? listen).host;
      for (const line of describeReady({ url, deviceUrl, deviceHost, token, tokenFile, trust }, report.path))
        report.say(line);
    }
    await Promise.race([untilAborted(io.signal), server.failed]);
    report.say('Waiting for downloads to finish. Press Ctrl-C again to stop immediately.');
  } finally {
    await server.close(1000 * options.grace);
  }
  report.event('serve', { event: 'stopped' });
}

function limitsOf({ maxDownloads, maxDevices, newDevicesPerNetwork, connectionsPerAddress }: ServeOptions) {
  return {
    ...(maxDownloads !== undefined && { mostDownloads: maxDownloads }),
    ...(maxDevices !== undefined && { mostDevices: maxDevices }),
    ...(newDevicesPerNetwork !== undefined && { newDevicesPerNetwork }),
    ...(connectionsPerAddress !== undefined && { mostConnectionsPerAddress: connectionsPerAddress }),
  };
}
