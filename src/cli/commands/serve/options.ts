import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { isServerPath } from '../../../api/release-admin.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import { collect, hostAndPort, nonNegativeInteger } from '../../shared/option-values.ts';
import { storageOptions } from '../../shared/storage-options.ts';

export const serveCommand = (declaration: Declaration) =>
  command(declaration, 'serve', 'Run an update server for devices that use HTTP updates, until Ctrl-C', [
    'ota-hooks serve --data /var/lib/ota-hooks --listen 0.0.0.0:8266',
    'ota-hooks serve --data data --listen 0.0.0.0:8443 --tls self-signed --device-listen 0.0.0.0:8266',
  ])
    .requiredOption('--data <dir>', 'Data folder of the server; created if it does not exist')
    .addOption(storageOptions.database)
    .addOption(storageOptions.databaseFile)
    .addOption(storageOptions.blobs)
    .option(
      '--accept-older-database',
      'Start once with a database that is older than the artifacts, for example after a failover that lost records',
    )
    .addOption(
      new Option(
        '--listen <host:port>',
        'Address to listen on: an IPv4 address, an IPv6 address in brackets or a host name, and a port; 0.0.0.0 accepts devices, [::] also over IPv6',
      )
        .argParser(hostAndPort)
        .default({ host: '127.0.0.1', port: 8266 }, '127.0.0.1:8266'),
    )
    .option('--tls-cert <file>', 'TLS certificate with its chain (PEM); reloaded when it is renewed')
    .option('--tls-key <file>', 'Private key of the certificate (PEM)')
    .addOption(
      new Option('--tls <mode>', "Use HTTPS with a certificate from the server's own CA, kept in DIR/tls").choices([
        'self-signed',
      ] as const),
    )
    .option(
      '--tls-host <name>',
      'Host name or address for the self-signed certificate (repeatable; default: all names and addresses of this machine)',
      hostNames,
    )
    .option('--device-listen <host:port>', 'Additional plain HTTP address, for devices only', hostAndPort)
    .option(
      '--max-downloads <n>',
      'Maximum concurrent downloads; further devices retry later (default: 5000)',
      nonNegativeInteger,
    )
    .option(
      '--max-devices <n>',
      'Maximum number of devices stored per project; enrolled devices and those with credentials do not count (default: 250000)',
      nonNegativeInteger,
    )
    .option(
      '--new-devices-per-network <n>',
      'Maximum number of new devices per hour from one IPv4 address or IPv6 /64; further devices retry later (default: 1000)',
      nonNegativeInteger,
    )
    .option(
      '--connections-per-address <n>',
      'Maximum concurrent connections per client address or IPv6 /64 network (default: 1024)',
      nonNegativeInteger,
    )
    .option(
      '--trust-proxy <range>',
      'Address or CIDR range of proxies whose X-Forwarded-… headers are trusted (repeatable)',
      collect,
      [],
    )
    .option(
      '--auth-header <name>',
      'Header in which trusted proxies send the name of the person whom they have logged in, such as X-Forwarded-User',
      headerName,
    )
    .option(
      '--base-path <path>',
      'Path below which a reverse proxy serves this server, such as /ota, for the links and cookies of the dashboard',
      basePath,
    )
    .option(
      '--x-accel-redirect <path>',
      'Let nginx send artifacts from this internal path, mapped to DIR/blobs or the bucket',
    )
    .option('--token-file <file>', 'File for the first admin token (default: DIR/first-admin.token)')
    .option('--open-metrics', 'Serve /metrics without a token')
    .option(
      '--mqtt <url>',
      'MQTT broker for Home Assistant, such as mqtt://ota@broker.example.com or mqtts://…; the password is read from OTA_MQTT_PASSWORD (default: OTA_MQTT_URL)',
    )
    .option('--mqtt-ca <file>', 'CA certificates (PEM) for a broker with its own CA')
    .option('--mqtt-install', 'Let clients of the broker install the latest release on a device')
    .addOption(
      new Option(
        '--log-level <level>',
        'Lowest level of the log lines on stderr (default: info; warn with --quiet, debug with --verbose)',
      ).choices(['error', 'warn', 'info', 'debug'] as const),
    )
    .option(
      '--grace <seconds>',
      'Time limit in seconds for active downloads after the server is stopped',
      nonNegativeInteger,
      120,
    );

export type ServeOptions = OptionsOf<typeof serveCommand>;

/** Reads a path below which other paths can be appended. */
function basePath(value: string): string {
  const path = value.replace(/\/$/, '');
  if (!/^(?:\/[\w~-][\w.~-]*)+$/.test(path)) throw new InvalidArgumentError('must be a path such as /ota');
  if (isServerPath(path)) throw new InvalidArgumentError('must not begin with a path of the server itself');
  return path;
}

/** Reads the name of a header. Headers with another meaning would make people of tokens, cookies or hosts. */
function headerName(value: string): string {
  const isOther = /^(authorization|cookie|host|content-.*|x-forwarded-(for|host|proto|port))$/i.test(value);
  if (/^[a-z][a-z0-9-]{0,63}$/i.test(value) && !isOther) return value;
  throw new InvalidArgumentError('must be the name of a header that only the proxy sets, such as X-Forwarded-User');
}

/** Collects the hosts of the server's URLs: host names or IPv4 addresses. */
function hostNames(value: string, previous: string[] = []): string[] {
  if (/^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i.test(value)) return [...previous, value.toLowerCase()];
  throw new InvalidArgumentError('must be a host name or an IPv4 address, such as ota.example.com or 192.168.1.5');
}
