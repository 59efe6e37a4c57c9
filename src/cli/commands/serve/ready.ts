import { networkInterfaces } from 'node:os';

interface Ready {
  readonly url: string;
  readonly deviceUrl: string;
  /** Where devices are listened to. */
  readonly deviceHost: string;
  readonly token: string | undefined;
  readonly trust: { readonly ca: string; readonly header: string } | undefined;
}

/** What a server says when it is ready, to people. */
export function describeReady(
  { url, deviceUrl, deviceHost, token, trust }: Ready,
  nameOf: (path: string) => string,
): readonly string[] {
  return [
    `Serving on ${url}`,
    ...forDevices(deviceUrl, deviceHost),
    ...(trust === undefined
      ? []
      : [
          `  Who publishes trusts it by OTA_CA=${nameOf(trust.ca)}, or --ca`,
          `  Sketches trust it by ${nameOf(trust.header)}`,
        ]),
    ...(token === undefined ? [] : [`  Token of the first admin, shown this once: ${token}`]),
  ];
}

function forDevices(url: string, host: string): readonly string[] {
  const { protocol, port } = new URL(url);
  if (host === '0.0.0.0' || host === '::') {
    return ownAddresses().map((address) => `  devices: ${protocol}//${address}:${port}/update/PROJECT`);
  }
  const isLocal = host === '127.0.0.1' || host === 'localhost';
  return isLocal ? ['  Only this machine reaches it; for devices: --listen 0.0.0.0:8266'] : [];
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address);
}
