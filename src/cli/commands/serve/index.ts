import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { OtaError } from '../../../errors/ota-error.ts';
import { collect, command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions } from '../../output/report.ts';
import { listenAddress, type TlsChoice, tlsKeyWarnings, tlsOptions } from './options.ts';
import { describeReady } from './ready.ts';

export interface ServeOptions extends OutputOptions, TlsChoice {
  readonly data: string;
  readonly listen: string;
  readonly deviceListen?: string | undefined;
  readonly maxDownloads?: string | undefined;
  readonly maxDevices?: string | undefined;
  readonly connectionsPerAddress?: string | undefined;
  readonly trustProxy?: readonly string[] | undefined;
  readonly xAccelRedirect?: string | undefined;
  readonly openMetrics?: boolean | undefined;
  readonly grace: string;
}

/** Declares the command. */
export function declareServe(declaration: Declaration) {
  return command(declaration, 'serve', 'Run an update server for devices with HTTP update, until Ctrl-C', [
    'ota-hooks serve --data /var/lib/ota-hooks --listen 0.0.0.0:8266',
    'ota-hooks serve --data data --listen 0.0.0.0:8443 --tls self-signed --device-listen 0.0.0.0:8266',
  ])
    .requiredOption('--data <dir>', 'Data folder of the server; created if it does not exist')
    .option('--listen <host:port>', 'Address to listen on; use 0.0.0.0 to accept devices', '127.0.0.1:8266')
    .option('--tls-cert <file>', 'TLS certificate with its chain (PEM); reloaded when it is renewed')
    .option('--tls-key <file>', 'Private key of the certificate (PEM)')
    .addOption(
      new Option('--tls <how>', 'Use HTTPS with a certificate from an authority of its own, kept in DIR/tls').choices([
        'self-signed',
      ] as const),
    )
    .option(
      '--tls-host <name>',
      'Name or address in the self-signed certificate; may be repeated (default: all of this computer)',
      collect,
    )
    .option('--device-listen <host:port>', 'Additional plain HTTP address, for devices only')
    .option('--max-downloads <n>', 'Maximum concurrent downloads; further devices retry later (default: 5000)')
    .option('--max-devices <n>', 'Maximum devices stored per project (default: 250000)')
    .option('--connections-per-address <n>', 'Maximum concurrent connections per client address (default: 1024)')
    .option(
      '--trust-proxy <range>',
      'Address or CIDR range of proxies whose X-Forwarded-For header is trusted; may be repeated',
      collect,
    )
    .option('--x-accel-redirect <path>', 'Let nginx send artifacts: internal path that it maps to DIR/blobs')
    .option('--open-metrics', 'Serve /metrics without a token')
    .option('--grace <seconds>', 'Time limit for downloads to finish when the server stops', '120')
    .action((options) => serve(options, declaration.io));
}

/** Runs a server until the user stops it. */
export async function serve(options: ServeOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const { host, port } = listenAddress('--listen', options.listen);
  const deviceListen =
    options.deviceListen === undefined ? undefined : listenAddress('--device-listen', options.deviceListen);
  const tls = tlsOptions(options, io.cwd);
  const graceMs = 1000 * wholeNumber('--grace', options.grace);
  const limits = limitsOf(options);
  for (const warning of await tlsKeyWarnings(tls, report.path)) report.warn(warning);
  const { startServer, pinoLog } = await import('../../../server/index.ts');
  const level = options.quiet === true ? 'warn' : options.verbose === true ? 'debug' : 'info';
  const server = await startServer({
    data: resolve(io.cwd, options.data),
    host,
    port,
    tls,
    deviceListen,
    limits,
    log: pinoLog(level, (line) => io.stderr.write(line)),
    trustedProxies: options.trustProxy ?? [],
    accelPath: options.xAccelRedirect?.replace(/\/+$/, ''),
    openMetrics: options.openMetrics ?? false,
  });
  if (tls !== undefined) io.onHangup?.(() => void server.reloadCertificate());
  try {
    const { url, deviceUrl, token, trust } = server;
    report.event('serve', { event: 'ready', url, deviceUrl, token, ...trust });
    if (options.json !== true) {
      const deviceHost = (deviceListen ?? { host }).host;
      for (const line of describeReady({ url, deviceUrl, deviceHost, token, trust }, report.path)) report.say(line);
    }
    await untilAborted(io.signal);
    report.say('Stopping when downloads have finished. Press Ctrl-C again to stop immediately.');
  } finally {
    await server.close(graceMs);
  }
  report.event('serve', { event: 'stopped' });
}

function limitsOf(options: ServeOptions) {
  const { maxDownloads, maxDevices, connectionsPerAddress } = options;
  return {
    ...(maxDownloads !== undefined && { mostDownloads: wholeNumber('--max-downloads', maxDownloads) }),
    ...(maxDevices !== undefined && { mostDevices: wholeNumber('--max-devices', maxDevices) }),
    ...(connectionsPerAddress !== undefined && {
      mostConnectionsPerAddress: wholeNumber('--connections-per-address', connectionsPerAddress),
    }),
  };
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OtaError('USAGE', { message: `${option} must be a non-negative integer, not ${text}` });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}
