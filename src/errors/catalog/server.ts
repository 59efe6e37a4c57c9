import { entry, type PathAndReason, type PathField } from './entry.ts';
import { explainReason } from './system-reasons.ts';

export const serverEntries = {
  SQLITE_MISSING: entry<{ node: string; isInstalled: boolean; platform: string }>(
    1,
    ({ node, isInstalled, platform }) =>
      `The server on Node.js ${node} needs the package libsql, which ${isInstalled ? `cannot be loaded on ${platform}` : 'is not installed'}`,
    'Node.js 22.13 and newer have SQLite built in. On older versions the server uses the package libsql, which firmware projects do not need.',
    ({ isInstalled }) =>
      isInstalled
        ? 'Use Node.js 22.13 or newer, which needs no package.'
        : 'Run `npm install --save-dev libsql` (`npm install --global libsql` if ota-hooks is installed globally), or use Node.js 22.13 or newer.',
  ),
  STORAGE_URL_UNKNOWN: entry<{ what: 'store' | 'blobs'; scheme: string | undefined; known: readonly string[] }>(
    2,
    ({ what, scheme }) =>
      scheme === undefined
        ? `The URL of the ${what} is invalid: it has no scheme`
        : `The URL of the ${what} is invalid: the scheme ${scheme}: is unknown`,
    'The scheme selects the kind of storage. Messages do not contain the URL itself, because it may contain a password.',
    ({ known }) => `Use a URL that starts with ${known.map((scheme) => `${scheme}:`).join(' or ')}`,
  ),
  SERVER_DATA_IN_USE: entry<PathField & { holder: string | undefined }>(
    1,
    ({ path, holder }) => `${path} is in use by another server${holder === undefined ? '' : ` (${holder})`}`,
    'Two servers with one data folder would overwrite the decisions of each other.',
    () => 'Stop the other server, connect to it with --server URL, or use another data folder.',
  ),
  SERVER_DATA_NEWER: entry<PathField & { found: string; known: string }>(
    1,
    ({ path, found, known }) =>
      `${path} was written by a newer version of ota-hooks: its last migration is ${found}, and this version supports up to ${known}`,
    'An older server could damage data that it does not know.',
    () => 'Update ota-hooks.',
  ),
  SERVER_DATA_UNREADABLE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `The server data ${path} cannot be used: ${explainReason(reason)}`,
    'The file or its folder cannot be read or written, or the database is damaged.',
    () =>
      'Check the owner of the folder and the free space on its disk, or restore a backup into an empty folder with `ota-hooks server restore`.',
  ),
  SERVER_DATA_NOT_EMPTY: entry<PathField>(
    1,
    ({ path }) => `The backup was not restored: ${path} already contains the data of a server`,
    'Backups are restored into empty folders, so that nothing is mixed or lost.',
    () => 'Pass another folder, or move this one away.',
  ),
  SERVER_LISTEN_FAILED: entry<{ address: string; reason: string }>(
    1,
    ({ address, reason }) => `The server cannot listen on ${address}: ${explainReason(reason)}`,
    'The port is in use, the address is not one of this machine, or the port needs more rights.',
    () => 'Pass another address with --listen HOST:PORT; port 0 selects any free port.',
  ),
  TLS_KEY_MISMATCH: entry<{ cert: string; key: string }>(
    1,
    ({ cert, key }) => `The certificate ${cert} does not belong to the key ${key}`,
    'The server proves with the private key that the certificate is its own.',
    () => 'Pass a certificate and key that were created together; after a renewal, replace both.',
  ),
  TLS_AUTHORITY_KEY_LOST: entry<PathField>(
    1,
    ({ path }) => `The certificate authority cannot be used: its key ${path} is missing`,
    'Devices trust this authority. Without its key, no certificate can be issued that they accept.',
    () =>
      'Restore the folder from a backup; if the key is lost, delete the folder to create a new authority, and build the firmware of all devices for it.',
  ),
  BACKUP_INVALID: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} is not a complete backup: ${reason}`,
    'A damaged backup is not restored in part.',
    () => 'Use another backup, or create one with `ota-hooks server backup`.',
  ),
};
