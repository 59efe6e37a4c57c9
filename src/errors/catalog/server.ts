import { entry, type PathAndReason, type PathField } from './entry.ts';
import { asArgument } from './options.ts';
import { explainReason } from './system-reasons.ts';

const lostChanges = {
  journal: 'the server was not stopped properly, and its journal ota.db-wal is missing',
  unsealed: 'the folder blobs lacks the file database-….txt, which shows whether ota.db is an older copy',
  older: 'ota.db is older than the firmware files in blobs',
  other: 'ota.db and the firmware files in blobs belong to different servers',
} as const;

const differentStores = {
  lost: 'the bucket contains the firmware files of a server, but the database contains no records',
  unsealed: 'the database belongs to other firmware files than those in the bucket',
  older: 'the database is older than the firmware files',
  other: 'the database and the firmware files belong to different servers',
} as const;

const usedTargets = {
  records: 'the database contains the data of a different server',
  blobs: 'the bucket contains the files of a different server',
  changed: 'the target differs from the source',
} as const;

export interface S3Place {
  readonly bucket: string;
  readonly host: string;
}

/** Hints by the error code of the store. */
const s3Hints: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'Check AWS_ACCESS_KEY_ID.',
  SignatureDoesNotMatch: 'Check AWS_SECRET_ACCESS_KEY and AWS_REGION.',
  AccessDenied: 'Allow this access key to list the bucket, and to read, write and delete its objects.',
  ExpiredToken: 'Set new credentials; AWS_SESSION_TOKEN has expired.',
  RequestTimeTooSkewed: 'Set the clock of this machine; NTP keeps it correct.',
};

export const serverEntries = {
  SQLITE_MISSING: entry<{ node: string; isInstalled: boolean; platform: string }>(
    1,
    ({ node, isInstalled, platform }) =>
      `The server on Node.js ${node} needs the libsql package, which ${isInstalled ? `cannot be loaded on ${platform}` : 'is not installed'}`,
    'Node.js 22.13 and newer have SQLite built in. On older versions, the server uses the libsql package, which firmware projects do not need.',
    ({ isInstalled }) =>
      isInstalled
        ? 'Install the packages again on this machine, without --omit=optional, or use Node.js 22.13 or newer, which has SQLite built in.'
        : 'Run `npm install --save-dev libsql@0.5` (`npm install --global libsql@0.5` if ota-hooks is installed globally), or use Node.js 22.13 or newer.',
  ),
  STORAGE_URL_UNKNOWN: entry<{ what: 'store' | 'blobs'; scheme: string | undefined; known: readonly string[] }>(
    2,
    ({ what, scheme }) =>
      scheme === undefined
        ? `The ${what} URL is invalid: it has no scheme`
        : `The ${what} URL is invalid: the scheme ${scheme} is unknown`,
    'The scheme selects the kind of storage. Messages do not contain the URL itself, because it may contain a password.',
    ({ known }) => `Use a URL with the scheme ${known.join(' or ')}.`,
  ),
  S3_SETTING_INVALID: entry<{ name: string; expected: string }>(
    2,
    ({ name, expected }) => `The S3 store is not configured: ${name} must be ${expected}`,
    'Messages do not contain the value itself, because it may contain a password.',
    ({ name, expected }) => `Set ${name} to ${expected}.`,
  ),
  S3_CREDENTIALS_MISSING: entry<{ name: string }>(
    2,
    ({ name }) => `The S3 store is not configured: ${name} is not set`,
    'The server signs each request to the store with an access key.',
    () => 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the server.',
  ),
  S3_UNREACHABLE: entry<S3Place & { reason: string }>(
    1,
    ({ bucket, host, reason }) => `The bucket ${bucket} on ${host} cannot be reached: ${explainReason(reason)}`,
    'A server with a new database does not start without its bucket. Any other server starts, and sends updates when the bucket responds.',
    () => 'Check that the store runs, and check AWS_ENDPOINT_URL and AWS_REGION.',
  ),
  S3_BUCKET_MISSING: entry<S3Place>(
    1,
    ({ bucket, host }) => `The bucket ${bucket} does not exist on ${host}`,
    'The server does not create buckets, because their region and permissions are decisions of the operator.',
    () => 'Create the bucket, or check AWS_ENDPOINT_URL and the name in --blobs.',
  ),
  S3_REJECTED: entry<S3Place & { status: number; reason: string }>(
    1,
    ({ bucket, host, status, reason }) => `${host} rejected a request for the bucket ${bucket}: ${reason} (${status})`,
    'The access key is unknown or may not use the bucket, the bucket is in a different region, or a clock is wrong.',
    ({ reason }) => s3Hints[reason] ?? 'Check AWS_REGION, the permissions of the access key, and the log of the store.',
  ),
  S3_OVERWRITES: entry<S3Place>(
    1,
    ({ bucket, host }) => `The bucket ${bucket} on ${host} cannot be used: the store ignores If-None-Match`,
    'Without this condition, a server could overwrite a firmware file that another server has just stored.',
    () => 'Update the store, or use a store that supports conditional writes (If-None-Match) for PutObject.',
  ),
  SERVER_CLOCK_WRONG: entry<{ seconds: number }>(
    1,
    ({ seconds }) =>
      `The clock of this machine is ${Math.round(Math.abs(seconds) / 60)} minutes ${seconds > 0 ? 'ahead of' : 'behind'} the clock of the database`,
    'All processes of a server share the times in the database. A process does not start with a clock that differs by more than 5 minutes.',
    () => 'Synchronize the clocks of this machine and of the database machine, for example with NTP.',
  ),
  SERVER_DATA_IN_USE: entry<PathField & { holder: string | undefined }>(
    1,
    ({ path, holder }) => `${path} is in use by another server${holder === undefined ? '' : ` (${holder})`}`,
    "Two servers that share a data folder would overwrite each other's changes.",
    () => 'Stop the other server, connect to it with --server URL, or use a different data folder.',
  ),
  SERVER_DATA_NEWER: entry<PathField & { found: string; oldest: string; program: string }>(
    1,
    ({ path, found, oldest, program }) =>
      `${path} requires ota-hooks ${oldest} or newer because of its migration ${found}, but this is ota-hooks ${program}`,
    'An older server could damage data that it does not recognize.',
    () =>
      'Update ota-hooks. To go back to this version, move the folder away and restore a backup that this version made with `ota-hooks server restore BACKUP --data DIR`.',
  ),
  SERVER_TABLES_UNFIT: entry<PathAndReason>(
    1,
    ({ path, reason }) => `The database ${path} does not fit this version of ota-hooks: ${reason}`,
    'The database was made by a version that was never released, or its tables were changed. Nothing was changed.',
    () =>
      'Start the version of ota-hooks that made the database, create a backup with `ota-hooks server backup`, and restore it with this version: `ota-hooks server restore BACKUP --data DIR` with a new folder.',
  ),
  SERVER_DATABASE_FOREIGN: entry<PathField & { table: string }>(
    1,
    ({ path, table }) =>
      `The database ${path} belongs to another program: it has the table ${table}, but no tables of ota-hooks`,
    'The server does not add its tables to the tables of another program. Nothing was changed.',
    () => 'Create an empty database for ota-hooks, and use its path or URL.',
  ),
  POSTGRES_MISSING: entry<object>(
    1,
    () => 'A server on PostgreSQL needs the pg package, which is not installed',
    'The package connects to PostgreSQL. Firmware projects and servers on SQLite do not need it.',
    () =>
      'Run `npm install --save-dev pg@8` (`npm install --global pg@8` if ota-hooks is installed globally), and start the server again.',
  ),
  MQTT_MISSING: entry<object>(
    1,
    () => 'A server with an MQTT broker needs the mqtt package, which is not installed',
    'The package connects to the broker. Firmware projects and servers without `--mqtt` do not need it.',
    () =>
      'Run `npm install --save-dev mqtt@5` (`npm install --global mqtt@5` if ota-hooks is installed globally), and start the server again.',
  ),
  MQTT_URL_INVALID: entry<{ reason: string }>(
    2,
    ({ reason }) => `The URL of the MQTT broker is invalid: ${reason}`,
    'Messages do not contain the URL itself, because it may contain a password.',
    () =>
      'Use a URL such as mqtt://USER@HOST or mqtts://USER@HOST:8883, and set OTA_MQTT_PASSWORD if the broker requires a password.',
  ),
  DATABASE_URL_INVALID: entry<{ reason: string }>(
    2,
    ({ reason }) => `The database URL is invalid: ${reason}`,
    'Messages do not contain the URL itself, because it may contain a password.',
    () => 'Use a URL such as postgres://USER@HOST/DATABASE. Encode special characters of the parts as in any URL.',
  ),
  SERVER_DATA_UNAVAILABLE: entry<{ reason: string }>(
    1,
    ({ reason }) => `The data of the server cannot be used now: ${reason}`,
    'The database or the bucket stopped responding after the command had opened it.',
    () => 'Check the database and the bucket, and run the command again when both respond.',
  ),
  DATABASE_UNREACHABLE: entry<{ location: string; reason: string }>(
    1,
    ({ location, reason }) => `The database ${location} cannot be reached: ${explainReason(reason)}`,
    'The server connects to its database before it accepts requests.',
    () =>
      'Check the host and the port in the URL, and whether PostgreSQL is running and accepts connections from this machine.',
  ),
  DATABASE_LOGIN_REJECTED: entry<{ location: string; reason: string }>(
    1,
    ({ location, reason }) => `The database ${location} rejected the login: ${reason}`,
    'The user, the password or the rules in pg_hba.conf do not match.',
    () => 'Check the user in the URL, and the password in OTA_DATABASE_URL or in the file that PGPASSFILE names.',
  ),
  DATABASE_MISSING: entry<{ location: string }>(
    1,
    ({ location }) => `The database ${location} does not exist`,
    'The server creates its tables, but not the database.',
    () => 'Create the database with `createdb`, or correct its name in the URL.',
  ),
  DATABASE_READ_ONLY: entry<{ location: string }>(
    1,
    ({ location }) => `The database ${location} is read-only`,
    'The URL leads to a standby, or the administrator has made the database read-only. Every server writes to its database.',
    () => 'Use the URL of the primary server, or make the database writable.',
  ),
  DATABASE_TOO_OLD: entry<{ location: string; version: number; oldest: number }>(
    1,
    ({ location, version, oldest }) =>
      `The database ${location} runs PostgreSQL ${version}, but ota-hooks requires version ${oldest} or newer`,
    'Older versions are not tested.',
    ({ oldest }) => `Upgrade PostgreSQL to version ${oldest} or newer.`,
  ),
  DATABASE_REJECTED: entry<{ location: string; reason: string }>(
    1,
    ({ location, reason }) => `The database ${location} rejected a statement: ${reason}`,
    'The user must be allowed to create tables in the first schema of its search path. Nothing was changed.',
    () => 'Make the user the owner of the database with `ALTER DATABASE … OWNER TO …`.',
  ),
  SERVER_DATA_UNREADABLE: entry<PathAndReason>(
    1,
    ({ path, reason }) => `The server data ${path} cannot be used: ${explainReason(reason)}`,
    'The file or its folder cannot be read or written, or the database is damaged.',
    () =>
      'Check the owner of the folder and the free space on its disk, or restore a backup into an empty folder with `ota-hooks server restore`.',
  ),
  SERVER_DATABASE_LOST: entry<PathField>(
    1,
    ({ path }) =>
      `The database is missing: ${path} contains a server's firmware files, but not ota.db, which contains its records`,
    'Without its database, the server would start as a new one, without releases, devices and tokens. Nothing was changed.',
    ({ path }) =>
      `Put ota.db and ota.db-wal back, or restore a backup with \`ota-hooks server restore BACKUP --data ${asArgument(path)}\`. To keep only the firmware files, run \`ota-hooks server check --data ${asArgument(path)} --repair\`.`,
  ),
  SERVER_DATABASE_OLDER: entry<PathField & { reason: keyof typeof lostChanges }>(
    1,
    ({ path, reason }) => `The database in ${path} has lost changes: ${lostChanges[reason]}`,
    'The newest releases and devices would be missing, and revoked tokens would be valid again. Nothing was changed.',
    ({ path }) =>
      `Put the missing files back, or move the folder away and restore a backup with \`ota-hooks server restore\`. To continue with what is left, run \`ota-hooks server check --data ${asArgument(path)} --repair\`.`,
  ),
  SERVER_DATA_DAMAGED: entry<PathField & { problems: number; isRepaired: boolean }>(
    1,
    ({ path, problems, isRepaired }) =>
      `${path} ${isRepaired ? 'still ' : ''}has ${problems === 1 ? '1 problem' : `${problems} problems`}`,
    'Records or firmware files are missing or damaged. Devices that need them for an update retry later.',
    ({ path, isRepaired }) =>
      isRepaired
        ? 'Republish the releases whose files are missing, or restore a backup into an empty folder with `ota-hooks server restore`.'
        : `Restore a backup into an empty folder with \`ota-hooks server restore\`, or run \`ota-hooks server check --data ${asArgument(path)} --repair\`, which makes a copy first.`,
  ),
  SERVER_DATA_NOT_EMPTY: entry<PathField>(
    1,
    ({ path }) => `The backup was not restored: ${path} already contains server data`,
    'Backups are restored only into empty folders, so that no data is mixed or lost.',
    () => 'Pass a different folder, or move this folder elsewhere.',
  ),
  SERVER_STORES_DIFFER: entry<{ reason: keyof typeof differentStores }>(
    1,
    ({ reason }) => `The server does not start: ${differentStores[reason]}`,
    'The newest releases and devices would be missing, and revoked tokens would be valid again. Nothing was changed.',
    ({ reason }) =>
      reason === 'older'
        ? 'Restore the database and the bucket to the same time. If the newer records are lost, for example after a failover, start one server once with --accept-older-database.'
        : 'Pass the database and the bucket prefix of the same server, or restore a backup into an empty database with `ota-hooks server restore`.',
  ),
  COPY_SOURCE_RUNNING: entry<PathField & { holder: string }>(
    1,
    ({ path, holder }) => `${path} was not copied: its server is running or was not stopped properly (${holder})`,
    'Changes that a running server makes after the copy would be lost.',
    () => 'Stop the server. If it crashed, start it once more and stop it.',
  ),
  COPY_TARGET_USED: entry<{ reason: keyof typeof usedTargets; what?: string }>(
    1,
    ({ reason, what }) => `The data was not copied: ${usedTargets[reason]}${what === undefined ? '' : ` (${what})`}`,
    'A copy never overwrites data. An interrupted copy into the same database and bucket can be started again.',
    ({ reason }) =>
      reason === 'changed'
        ? 'If servers already use the database, the copy is complete: stop copying. Otherwise, create an empty database and pass a new prefix in --to-blobs.'
        : 'Create an empty database, and pass a different bucket or a new prefix in --to-blobs.',
  ),
  SERVER_LISTEN_FAILED: entry<{ address: string; reason: string }>(
    1,
    ({ address, reason }) => `The server cannot listen on ${address}: ${explainReason(reason)}`,
    'The port is in use, the address does not belong to this machine, or the port requires more privileges.',
    () => 'Pass a different address with --listen HOST:PORT; port 0 selects any free port.',
  ),
  TLS_KEY_MISMATCH: entry<{ cert: string; key: string }>(
    1,
    ({ cert, key }) => `The certificate ${cert} does not match the key ${key}`,
    'The server uses the private key to prove that it owns the certificate.',
    () => 'Pass a certificate and key that were created together; after a renewal, replace both.',
  ),
  TLS_AUTHORITY_KEY_LOST: entry<PathField>(
    1,
    ({ path }) => `The certificate authority cannot be used: its key ${path} is missing`,
    'Devices trust this authority. Without its key, the server cannot issue certificates that they accept.',
    () =>
      'Restore the folder from a backup; if the key is lost, delete the folder to create a new authority, and rebuild the firmware of all devices with the new ca.pem.',
  ),
  BACKUP_INVALID: entry<PathAndReason>(
    1,
    ({ path, reason }) => `${path} is not a complete backup: ${reason}`,
    'ota-hooks never restores part of a damaged backup.',
    () => 'Use a different backup, or create one with `ota-hooks server backup`.',
  ),
  BACKUP_INCOMPLETE: entry<PathField & { sha256: string; count: number }>(
    1,
    ({ path, sha256, count }) =>
      count === 1
        ? `${path} is incomplete: the firmware file ${sha256} of a release is missing`
        : `${path} is incomplete: ${count} firmware files are missing (${sha256} and ${count - 1} more)`,
    'Firmware files were missing or damaged on the server that was backed up. Devices cannot download a release without its files.',
    () => 'Use a different backup, or pass --accept-missing-files and publish the affected releases again afterward.',
  ),
};
