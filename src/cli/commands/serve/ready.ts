import type { ownHosts } from '../../../server/http/own-addresses.ts';

interface Ready {
  readonly url: string;
  readonly deviceUrl: string;
  /** Listen address for device requests. */
  readonly deviceHost: string;
  /** First admin token, if it may be printed. */
  readonly token: string | undefined;
  /** File with the first admin token, until the user deletes it. */
  readonly tokenFile: string | undefined;
  /** Returns the addresses of this machine. */
  readonly ownHosts: typeof ownHosts;
  readonly trust: { readonly ca: string; readonly header: string } | undefined;
}

/** Returns the lines that `serve` prints after startup. */
export function describeReady(
  { url, deviceUrl, deviceHost, token, tokenFile, trust, ownHosts: hostsOf }: Ready,
  nameOf: (path: string) => string,
): readonly string[] {
  return [
    `Serving on ${url}`,
    ...forDevices(deviceUrl, deviceHost, hostsOf),
    ...(trust === undefined
      ? []
      : [
          `  To publish, set OTA_CA=${nameOf(trust.ca)} or pass it as --ca`,
          `  Include ${nameOf(trust.header)} in sketches`,
        ]),
    `  Dashboard: ${url}/`,
    ...(tokenFile === undefined ? [] : [firstAdminText(nameOf(tokenFile), token)]),
  ];
}

function firstAdminText(file: string, token: string | undefined): string {
  return token === undefined
    ? `  First admin token: in ${file}, which only its owner can read. Store the token, then delete the file.`
    : `  First admin token (also in ${file}): ${token}`;
}

function forDevices(url: string, host: string, hostsOf: typeof ownHosts): readonly string[] {
  const { protocol, port, pathname } = new URL(url);
  const basePath = pathname.replace(/\/$/, '');
  if (host === '0.0.0.0' || host === '::') {
    return hostsOf(host).others.map((own) => `  Devices: ${protocol}//${own}:${port}${basePath}/update/PROJECT`);
  }
  const isLocal = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return isLocal ? ['  Reachable only from this computer; use --listen 0.0.0.0:8266 to accept devices'] : [];
}
