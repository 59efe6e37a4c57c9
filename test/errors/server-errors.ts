import { inspect } from 'node:util';
import type { ExecutionContext } from 'ava';
import Database from 'libsql';
import { type ErrorCode, OtaError } from '../../src/errors/ota-error.ts';
import { useData } from '../../src/server/compose.ts';
import { requireClock } from '../../src/server/services/clock-skew.ts';
import { loadMqtt } from '../../src/server/services/mqtt/load-mqtt.ts';
import { openBlobs } from '../../src/server/storage/open-blobs.ts';
import { openStore } from '../../src/server/storage/open-store.ts';
import { loadPg } from '../../src/server/storage/sql/postgres/load-pg.ts';
import { libsql } from '../../src/server/storage/sql/sqlite/drivers/libsql.ts';
import { StoreUnavailableError } from '../../src/server/storage/store-unavailable.ts';
import { folderWith, packedDoor } from '../publishing/packed-door.ts';
import { startTestServer } from '../server/running-server.ts';
import { hosts, usedAuthority } from '../server/tls/authority.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { postgresResponses } from '../support/postgres-responses.ts';
import { refusingPort } from '../support/refusing-port.ts';
import { runCommand } from '../support/run-command.ts';
import { s3Environment, s3Responses } from '../support/s3-responses.ts';
import { testFolder } from '../support/test-folder.ts';
import { inFolder, type Provocation } from './provocation.ts';

const serve = ['serve', '--data', 'data', '--listen', '127.0.0.1:0'];

/** Opens a store at a PostgreSQL server with prepared responses. No error contains the password. */
function atPostgres(code: ErrorCode, responses: Parameters<typeof postgresResponses>[1]): Provocation {
  return async (t) => {
    const url = await postgresResponses(t, responses);
    const error = await expectOtaError(t, code, () => openStore(url, 'a test'));
    t.notRegex(inspect(error, { depth: 9, showHidden: true }), /hidden-password/);
    return { error };
  };
}

/** Backup of a release without its file. */
const incompleteBackup = [
  { backup: 'ota-hooks', format: 1, tool: '0.1.0' },
  { table: 'release_blobs', row: { sha256: 'ab'.repeat(32), release_id: 1 } },
  { end: true, lines: 2 },
]
  .map((line) => JSON.stringify(line))
  .join('\n');

/** Opens a blob store with an environment. */
function atBlobs(
  url: string,
  environment: (t: ExecutionContext) => Promise<Readonly<Record<string, string>>>,
): Provocation {
  return async (t) => {
    const env = await environment(t);
    return { error: await t.throwsAsync(() => openBlobs(url, { env }), { instanceOf: OtaError }) };
  };
}

/** Options of `server copy` for stores that need no other programs. */
function newStores(path: string): readonly string[] {
  return ['--to-database', `sqlite:${path}/copy/ota.db`, '--to-blobs', `file:${path}/copy`];
}

/** Provokes each error about a server. */
export const serverErrors = {
  PUBLISH_DECLINED: async (t) => {
    const server = await startTestServer(t);
    for (let device = 10; device < 20; device++) {
      await server.api('PUT', '/projects/door', {});
      await server.api('PUT', `/projects/door/devices/18:FE:34:00:00:${device}`, {});
    }
    const { path } = await folderWith(t, { build: packedDoor });
    const env = { OTA_TOKEN: server.token };
    const argv = ['publish', 'build', '--project', 'door', '--to', server.url];
    return runCommand(argv, { cwd: path, env, prompt: { confirm: async () => false } });
  },
  // Simulates a missing SQLite driver, because this repository has all drivers installed.
  SQLITE_MISSING: async (t) => ({
    error: await expectOtaError(t, 'SQLITE_MISSING', () => libsql(() => import(`libsql-${'not-installed'}`))),
  }),
  STORAGE_URL_UNKNOWN: async (t) => ({
    error: await expectOtaError(t, 'STORAGE_URL_UNKNOWN', () => openStore('mysql:ota', 'a test')),
  }),
  S3_SETTING_INVALID: atBlobs('s3://Firmware', async () => ({})),
  S3_CREDENTIALS_MISSING: atBlobs('s3://firmware', async () => ({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' })),
  S3_UNREACHABLE: atBlobs('s3://firmware', async (t) => s3Environment(await refusingPort(t))),
  S3_BUCKET_MISSING: atBlobs('s3://firmware', (t) => s3Responses(t, () => [404, 'NoSuchBucket'])),
  S3_REJECTED: atBlobs('s3://firmware', (t) => s3Responses(t, () => [403, 'SignatureDoesNotMatch'])),
  S3_OVERWRITES: atBlobs('s3://firmware', (t) => s3Responses(t, () => [200])),
  SERVER_CLOCK_WRONG: async (t) => {
    const store = { wallMs: async () => Date.now() - 600_000 };
    return { error: await expectOtaError(t, 'SERVER_CLOCK_WRONG', () => requireClock(store)) };
  },
  SERVER_DATA_IN_USE: async (t) => {
    const { folder } = await startTestServer(t);
    return runCommand(['serve', '--data', folder, '--listen', '127.0.0.1:0'], { cwd: folder });
  },
  SERVER_DATA_NEWER: async (t) => {
    const server = await startTestServer(t);
    await server.close(0);
    const database = new Database(`${server.folder}/ota.db`);
    database.exec("INSERT INTO ota_hooks_migrations VALUES ('9999-future', '9.0.0')");
    database.close();
    return runCommand(['serve', '--data', server.folder, '--listen', '127.0.0.1:0'], { cwd: server.folder });
  },
  SERVER_TABLES_UNFIT: async (t) => {
    const server = await startTestServer(t);
    await server.close(0);
    const database = new Database(`${server.folder}/ota.db`);
    database.exec('ALTER TABLE devices RENAME COLUMN labels TO tags');
    database.close();
    return runCommand(['serve', '--data', server.folder, '--listen', '127.0.0.1:0'], { cwd: server.folder });
  },
  SERVER_DATABASE_FOREIGN: async (t) => {
    const { path } = await testFolder(t, { 'data/notes.txt': '' });
    const database = new Database(`${path}/data/ota.db`);
    database.exec('CREATE TABLE customers (id INTEGER PRIMARY KEY)');
    database.close();
    return runCommand(serve, { cwd: path });
  },
  // Simulates a missing package, because this repository has it installed.
  MQTT_MISSING: async (t) => ({
    error: await expectOtaError(t, 'MQTT_MISSING', () => loadMqtt(() => import(`mqtt-${'not-installed'}`))),
  }),
  MQTT_URL_INVALID: inFolder(`${serve.join(' ')} --mqtt http://broker.example.com`),
  POSTGRES_MISSING: async (t) => ({
    error: await expectOtaError(t, 'POSTGRES_MISSING', () => loadPg(() => import(`pg-${'not-installed'}`))),
  }),
  DATABASE_URL_INVALID: async (t) => ({
    error: await expectOtaError(t, 'DATABASE_URL_INVALID', () => openStore('postgres://ota:secret@db', 'a test')),
  }),
  SERVER_DATA_UNAVAILABLE: async (t) => {
    const data = (await testFolder(t)).at('data');
    const work = async () => {
      throw new StoreUnavailableError('the S3 store cannot be reached: ECONNREFUSED');
    };
    return {
      error: await expectOtaError(t, 'SERVER_DATA_UNAVAILABLE', () => useData({ data, holder: 'a test' }, work)),
    };
  },
  DATABASE_UNREACHABLE: async (t) => {
    const url = `postgres://ota:secret@127.0.0.1:${await refusingPort(t)}/ota`;
    return { error: await expectOtaError(t, 'DATABASE_UNREACHABLE', () => openStore(url, 'a test')) };
  },
  DATABASE_LOGIN_REJECTED: atPostgres('DATABASE_LOGIN_REJECTED', {
    login: ['28P01', 'password authentication failed for user "ota"'],
  }),
  DATABASE_MISSING: atPostgres('DATABASE_MISSING', { login: ['3D000', 'database "ota" does not exist'] }),
  DATABASE_READ_ONLY: atPostgres('DATABASE_READ_ONLY', { facts: ['150004', 'on'] }),
  DATABASE_TOO_OLD: atPostgres('DATABASE_TOO_OLD', { facts: ['130011', 'off'] }),
  DATABASE_REJECTED: atPostgres('DATABASE_REJECTED', { facts: ['160001', 'off'] }),
  SERVER_DATA_UNREADABLE: async (t) => {
    const { path } = await testFolder(t, {
      'data/ota.db': 'not a database, but long enough for a header of one '.repeat(20),
    });
    return runCommand(serve, { cwd: path });
  },
  SERVER_DATABASE_LOST: inFolder(serve.join(' '), { [`data/blobs/aa/${'aa'.repeat(32)}`]: 'firmware' }),
  SERVER_DATABASE_OLDER: inFolder(serve.join(' '), { 'data/ota.db': '', 'data/ota.db-holder.txt': 'process 4711\n' }),
  SERVER_DATA_DAMAGED: inFolder('server check --data data', { [`data/blobs/aa/${'aa'.repeat(32)}`]: 'firmware' }),
  SERVER_DATA_NOT_EMPTY: async (t) => {
    const server = await startTestServer(t);
    const { path } = await testFolder(t);
    const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token };
    await runCommand(['server', 'backup', '--out', 'backup.ndjson'], { cwd: path, env });
    await runCommand(['server', 'restore', 'backup.ndjson', '--data', 'restored'], { cwd: path });
    return runCommand(['server', 'restore', 'backup.ndjson', '--data', 'restored'], { cwd: path });
  },
  SERVER_STORES_DIFFER: async (t) => {
    const [one, other] = [await startTestServer(t), await startTestServer(t)];
    for (const server of [one, other]) await server.close(0);
    const env = { OTA_DATABASE_URL: `sqlite:${other.folder}/ota.db` };
    return runCommand(['serve', '--data', one.folder, '--listen', '127.0.0.1:0'], { cwd: one.folder, env });
  },
  COPY_SOURCE_RUNNING: async (t) => {
    const { folder } = await startTestServer(t);
    return runCommand(['server', 'copy', '--from', folder, ...newStores(folder)], { cwd: folder });
  },
  COPY_TARGET_USED: async (t) => {
    const [one, other] = [await startTestServer(t), await startTestServer(t)];
    for (const server of [one, other]) await server.close(0);
    const { path } = await testFolder(t);
    await runCommand(['server', 'copy', '--from', one.folder, ...newStores(path)], { cwd: path });
    return runCommand(['server', 'copy', '--from', other.folder, ...newStores(path)], { cwd: path });
  },
  SERVER_LISTEN_FAILED: async (t) => {
    const { port } = await startTestServer(t);
    const { path } = await testFolder(t);
    return runCommand(['serve', '--data', 'data', '--listen', `127.0.0.1:${port}`], { cwd: path });
  },
  TLS_FILE_UNUSABLE: inFolder(`${serve.join(' ')} --tls-cert cert.pem --tls-key key.pem`, {
    'cert.pem': 'no certificate',
    'key.pem': 'no key',
  }),
  TLS_KEY_MISMATCH: async (t) => {
    const { path } = await usedAuthority(t);
    return runCommand([...serve, '--tls-cert', 'tls/server.pem', '--tls-key', 'tls/ca.key'], { cwd: path });
  },
  TLS_AUTHORITY_KEY_LOST: inFolder(`${serve.join(' ')} --tls self-signed`, { 'data/tls/ca.pem': 'an authority' }),
  BACKUP_INVALID: inFolder('server restore backup.ndjson --data restored', { 'backup.ndjson': '{"a": 1}\n' }),
  BACKUP_INCOMPLETE: inFolder('server restore backup.ndjson --data restored', { 'backup.ndjson': incompleteBackup }),
  SERVER_NOT_TRUSTED: async (t) => {
    const folder = await usedAuthority(t);
    const { url, token } = await startTestServer(t, { data: folder.path, tls: { kind: 'self-signed', hosts } });
    return runCommand(['server', 'projects', 'list', '--server', url], { cwd: folder.path, env: { OTA_TOKEN: token } });
  },
  SIGNING_LOG_UNRECORDED: async (t) => {
    const { url, folder, token } = await startTestServer(t);
    const argv = ['keys', 'log', 'verify', '--project', 'door', '--server', url];
    return runCommand(argv, { cwd: folder, env: { OTA_SIGNING_LOG: 'log.jsonl', OTA_TOKEN: token } });
  },
  SERVER_REJECTED: async (t) => {
    const { url, folder } = await startTestServer(t);
    const env = { OTA_SERVER: url, OTA_TOKEN: 'ota_of_somebody_else' };
    return runCommand(['server', 'projects', 'list'], { cwd: folder, env });
  },
} as const satisfies Record<string, Provocation>;
