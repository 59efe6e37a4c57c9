import { entry, type PathAndReason } from './entry.ts';
import { explainReason } from './system-reasons.ts';

export const apiEntries = {
  SERVER_UNREACHABLE: entry<{ url: string; reason: string }>(
    1,
    ({ url, reason }) => `${url} did not respond: ${explainReason(reason)}`,
    'The server does not run at this URL, or a firewall or proxy blocks the connection.',
    () => 'Check the URL, and that `ota-hooks serve` runs there.',
  ),
  SERVER_NOT_TRUSTED: entry<{ url: string; reason: string }>(
    1,
    ({ url, reason }) => `${url} is not trusted: ${reason}`,
    'A host in between could impersonate the server and read the token, so nothing was sent. This check cannot be disabled.',
    ({ reason }) => {
      if (/another name/.test(reason))
        return 'Use a host name of the certificate, or restart the server with --tls-host NAME.';
      if (/expired|not valid yet/.test(reason)) return 'Check the clocks of both machines, and renew the certificate.';
      return 'Pass --ca FILE or set OTA_CA; for `serve --tls self-signed`, the file is tls/ca.pem in the data folder of the server.';
    },
  ),
  TLS_FILE_UNUSABLE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} cannot be used for HTTPS: ${explainReason(reason)}`,
    'Certificates and their private keys are PEM files. A key must not be encrypted, because a server cannot ask for a passphrase.',
    () => 'Use a PEM file: BEGIN CERTIFICATE for a certificate, BEGIN PRIVATE KEY for a key without passphrase.',
  ),
  SERVER_REDIRECTS: entry<{ url: string; location: string }>(
    1,
    ({ url, location }) => `${url} redirects to ${location}: the token was not sent there`,
    'A token is only sent to the server that it was given for.',
    ({ location }) => `Use the URL of the server that it redirects to (${location}), if you trust it.`,
  ),
  SERVER_NOT_OURS: entry<{ url: string; status: number }>(
    1,
    ({ url, status }) =>
      `${url} is not an update server of ota-hooks: its response (status ${status}) is not from the API`,
    'Another program runs at this URL, or a proxy responds in place of the server.',
    () => 'Check the URL; behind a proxy it includes the path that the proxy forwards.',
  ),
  SERVER_REFUSED: entry<{ url: string; status: number; code: string; message: string; hint: string }>(
    1,
    ({ url, status, code, message }) => `${url} rejected the request with status ${status} (${code}): ${message}`,
    'The server understood the request and rejected it.',
    ({ hint }) => hint,
  ),
};
