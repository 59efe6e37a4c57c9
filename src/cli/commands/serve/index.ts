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
export function declare(declaration: Declaration) {
  return command(declaration, 'serve', 'an update server for devices that ask over HTTP; until Ctrl-C', [
    'ota-hooks serve --data /var/lib/ota-hooks --listen 0.0.0.0:8266',
    'ota-hooks serve --data data --listen 0.0.0.0:8443 --tls self-signed --device-listen 0.0.0.0:8266',
  ])
    .requiredOption('--data <dir>', 'where it keeps everything; made when it is not there')
    .option('--listen <host:port>', 'where it listens; devices reach it by 0.0.0.0 only', '127.0.0.1:8266')
    .option('--tls-cert <file>', 'https with this certificate (PEM, with its chain); a renewed one is taken as it is')
    .option('--tls-key <file>', 'its private key (PEM)')
    .addOption(
      new Option('--tls <how>', 'https with a certificate of its own authority, in DIR/tls').choices([
        'self-signed',
      ] as const),
    )
    .option('--tls-host <name>', 'a name or address by which it is reached; may be repeated (default: all)', collect)
    .option('--device-listen <host:port>', 'plain http for devices, and for nothing else')
    .option('--max-downloads <n>', 'at one time; who comes later is told to ask again (default: 5000)')
    .option('--max-devices <n>', 'that are remembered of one project (default: 250000)')
    .option('--connections-per-address <n>', 'at one time (default: 1024)')
    .option('--trust-proxy <address>', 'of a proxy whose X-Forwarded-For is true; may be repeated', collect)
    .option('--x-accel-redirect <path>', 'nginx in front sends the artifacts, from DIR/blobs under this internal path')
    .option('--open-metrics', '/metrics without a token')
    .option('--grace <seconds>', 'what downloads get to end when it is stopped', '120')
    .action((options) => serve(options, declaration.io));
}

/** Runs a server until the user ends it. */
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
    report.say('Stopping; downloads may end. Ctrl-C again ends them at once.');
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
  throw new OtaError('USAGE', { message: `${option} ${text} is not a whole number` });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}
