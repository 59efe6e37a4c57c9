import { entry, type PathAndReason } from './entry.ts';
import { explainReason } from './system-reasons.ts';

export const apiEntries = {
  SERVER_UNREACHABLE: entry<{ url: string; reason: string; proxy?: string | undefined }>(
    1,
    ({ url, reason, proxy }) =>
      `${url} did not respond${proxy === undefined ? '' : ` through the proxy ${proxy}`}: ${explainReason(reason)}`,
    'The server is not running at this URL, or a firewall or proxy blocks the connection.',
    ({ reason, proxy }) =>
      proxy !== undefined
        ? 'Check HTTPS_PROXY and HTTP_PROXY, or add the host of the server to NO_PROXY.'
        : /2 KB\/s|not complete|larger than|endless/.test(reason)
          ? 'Check the URL and the network, and try again. The limits are in docs/security.md.'
          : 'Check the URL and make sure that `ota-hooks serve` is running there.',
  ),
  PROXY_UNUSABLE: entry<{ proxy: string; reason: string }>(
    1,
    ({ proxy, reason }) => `${proxy} cannot be used: ${reason}`,
    'The environment names an HTTP proxy for the server (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY), and the proxy does not forward the request.',
    ({ reason }) =>
      reason.endsWith('407')
        ? 'Put the user name and password of the proxy into the variable, as in HTTPS_PROXY=http://user:password@proxy.example.com:3128.'
        : 'Correct HTTPS_PROXY or HTTP_PROXY, or add the host of the server to NO_PROXY.',
  ),
  SERVER_NOT_TRUSTED: entry<{ url: string; reason: string }>(
    1,
    ({ url, reason }) => `${url} is not trusted: ${reason}`,
    'A different host could impersonate the server and read the token, so nothing was sent. This check cannot be disabled.',
    ({ reason }) => {
      if (/different host name/.test(reason))
        return 'Use a host name listed in the certificate, or restart the server with --tls-host NAME.';
      if (/expired|not valid yet/.test(reason))
        return 'Check the clocks on both machines; if both are correct, renew the certificate.';
      return "Pass --ca FILE or set OTA_CA; for `serve --tls self-signed`, the file is tls/ca.pem in the server's data folder.";
    },
  ),
  TLS_FILE_UNUSABLE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} cannot be used for HTTPS: ${explainReason(reason)}`,
    'Certificates and private keys must be PEM files. Keys must not be encrypted, because the server cannot prompt for a passphrase.',
    () => 'Use a PEM file that contains BEGIN CERTIFICATE (certificate) or BEGIN PRIVATE KEY (unencrypted key).',
  ),
  SERVER_REDIRECTS: entry<{ url: string; location: string }>(
    1,
    ({ url, location }) => `${url} redirects to ${location}: the token was not sent there`,
    'A token is sent only to the server that it is configured for.',
    ({ location }) => `Use the URL of the redirect target (${location}) if you trust that server.`,
  ),
  SERVER_NOT_OURS: entry<{ url: string; status: number }>(
    1,
    ({ url, status }) => `${url} is not an ota-hooks server: the response (status ${status}) is not from the API`,
    'Another program runs at this URL, or a proxy responds in place of the server.',
    () => 'Check the URL; behind a proxy, it must include the path that the proxy forwards.',
  ),
  SERVER_REJECTED: entry<{ url: string; status: number; code: string; message: string; hint: string }>(
    1,
    ({ url, status, code, message }) => `${url} rejected the request with status ${status} (${code}): ${message}`,
    'The server understood the request and rejected it.',
    ({ hint }) => hint,
  ),
};
