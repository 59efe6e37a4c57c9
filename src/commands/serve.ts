import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { OtaError } from '../errors.ts';
import { requirePeers } from '../server/peers.ts';
import type { Io } from './io.ts';
import { makeReport, type OutputOptions } from './report.ts';
import { collect, type Declaration, verb } from './verb.ts';

export interface ServeOptions extends OutputOptions {
  readonly data: string;
  readonly listen: string;
  readonly maxDownloads?: string | undefined;
  readonly maxDevices?: string | undefined;
  readonly connectionsPerAddress?: string | undefined;
  readonly trustProxy?: readonly string[] | undefined;
  readonly xAccelRedirect?: string | undefined;
  readonly openMetrics?: boolean | undefined;
  readonly grace: string;
}

/** Declares the verb. */
export function declare(declaration: Declaration) {
  return verb(declaration, 'serve', 'an update server for devices that ask over HTTP; until Ctrl-C', [
    'ota-hooks serve --data /var/lib/ota-hooks --listen 0.0.0.0:8266',
    'ota-hooks serve --data data --listen 127.0.0.1:0 --json',
  ])
    .requiredOption('--data <dir>', 'where it keeps everything; made when it is not there')
    .option('--listen <host:port>', 'where it listens; devices reach it by 0.0.0.0 only', '127.0.0.1:8266')
    .option('--max-downloads <n>', 'at one time; who comes later is told to ask again (default: 5000)')
    .option('--max-devices <n>', 'that are remembered of one project (default: 250000)')
    .option('--connections-per-address <n>', 'at one time (default: 1024)')
    .option('--trust-proxy <address>', 'of a proxy whose X-Forwarded-For is true; may be repeated', collect)
    .option('--x-accel-redirect <path>', 'nginx in front sends the artefacts, from DIR/blobs under this internal path')
    .option('--open-metrics', '/metrics without a token')
    .option('--grace <seconds>', 'what downloads get to end when it is stopped', '120')
    .action((options) => serve(options, declaration.io));
}

/** Runs a server until the user ends it. */
export async function serve(options: ServeOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const { host, port } = listenAddress(options.listen);
  const graceMs = 1000 * wholeNumber('--grace', options.grace);
  const limits = limitsOf(options);
  requirePeers();
  const { startServer, pinoLog } = await import('../server/index.ts');
  const level = options.quiet === true ? 'warn' : options.verbose === true ? 'debug' : 'info';
  const server = await startServer({
    data: resolve(io.cwd, options.data),
    host,
    port,
    limits,
    log: pinoLog(level, (line) => io.stderr.write(line)),
    trustedProxies: options.trustProxy ?? [],
    accelPath: options.xAccelRedirect?.replace(/\/+$/, ''),
    openMetrics: options.openMetrics ?? false,
  });
  try {
    const { url, token } = server;
    if (options.json === true) io.stdout.write(`${JSON.stringify({ event: 'ready', url, token })}\n`);
    else tell({ url, token, host }, report.say);
    await untilAborted(io.signal);
    report.say('Stopping; downloads may end. Ctrl-C again ends them at once.');
  } finally {
    await server.close(graceMs);
  }
  if (options.json === true) io.stdout.write(`${JSON.stringify({ event: 'stopped' })}\n`);
}

interface Ready {
  readonly url: string;
  readonly token: string | undefined;
  readonly host: string;
}

function tell({ url, token, host }: Ready, say: (line: string) => void): void {
  say(`Serving on ${url}`);
  const { port } = new URL(url);
  if (host === '0.0.0.0' || host === '::') {
    for (const address of ownAddresses()) say(`  devices: http://${address}:${port}/update/PROJECT`);
  } else if (host === '127.0.0.1' || host === 'localhost') {
    say('  Only this machine reaches it; for devices: --listen 0.0.0.0:8266');
  }
  if (token !== undefined) say(`  Token of the first admin, shown this once: ${token}`);
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address);
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

/** `HOST:PORT`, `[::1]:PORT`, `:PORT`. */
function listenAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new OtaError('USAGE', {
      message: `--listen ${text} is not HOST:PORT`,
      hint: 'Such as --listen 0.0.0.0:8266',
    });
  }
  return { host: bracketed ?? (plain === '' || plain === undefined ? '0.0.0.0' : plain), port };
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
