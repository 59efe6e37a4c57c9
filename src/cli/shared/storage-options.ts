import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { isReadableByOthers } from '../../project/keys/key-files.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/** Options for the stores that several servers share. */
export const storageOptions = {
  database: new Option(
    '--database <url>',
    'PostgreSQL database for the records, such as postgres://ota@db.example.com/ota; for a URL with a password, set OTA_DATABASE_URL (default: DIR/ota.db)',
  ),
  databaseFile: new Option('--database-file <file>', 'File with the URL of the database and its password'),
  blobs: new Option(
    '--blobs <url>',
    'S3 bucket for the artifacts, such as s3://BUCKET/PREFIX; credentials are read from AWS_… variables (default: OTA_BLOBS_URL, or DIR/blobs)',
  ),
} as const;

/** Options for the stores into which data is copied. */
export const targetOptions = {
  toDatabase: new Option(
    '--to-database <url>',
    'Empty PostgreSQL database, such as postgres://ota@db.example.com/ota; for a URL with a password, set OTA_DATABASE_URL',
  ),
  toDatabaseFile: new Option('--to-database-file <file>', 'File with the URL of the database and its password'),
  toBlobs: new Option('--to-blobs <url>', 'Empty S3 bucket, such as s3://BUCKET/PREFIX (default: OTA_BLOBS_URL)'),
} as const;

interface StorageChoice {
  readonly data?: string | undefined;
  readonly database?: string | undefined;
  readonly databaseFile?: string | undefined;
  readonly blobs?: string | undefined;
}

/** Stores for records and artifacts; undefined if they are in the data folder. */
export interface ChosenStorage {
  readonly storeUrl: string | undefined;
  readonly blobsUrl: string | undefined;
  /** Environment variables with the credentials of the stores. */
  readonly env: Io['env'];
}

/**
 * Determines the stores from the options and the environment. Options override variables. The list of running programs shows a command
 * line to all users of a machine, so a URL in an option must not contain a password.
 *
 * @throws OtaError URL_PASSWORD_EXPOSED, OPTIONS_CONFLICT, OPTION_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function chosenStorage(
  { database, databaseFile, blobs }: StorageChoice,
  { cwd, env }: Pick<Io, 'cwd' | 'env'>,
  report: Pick<Report, 'path' | 'warn'>,
): Promise<ChosenStorage> {
  requireNoPassword('--database', database);
  requireNoPassword('--blobs', blobs);
  if (database !== undefined && databaseFile !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', { option: '--database', other: '--database-file' });
  }
  const fromFile = databaseFile && (await urlIn(resolve(cwd, databaseFile), '--database-file', report));
  return {
    storeUrl: database ?? fromFile ?? environmentValue(env, 'OTA_DATABASE_URL'),
    blobsUrl: blobs ?? environmentValue(env, 'OTA_BLOBS_URL'),
    env,
  };
}

interface TargetChoice {
  readonly toDatabase?: string | undefined;
  readonly toDatabaseFile?: string | undefined;
  readonly toBlobs?: string | undefined;
}

/**
 * Determines the stores into which data is copied, in the same way as `chosenStorage`.
 *
 * @throws OtaError OPTION_MISSING, and the errors of `chosenStorage`
 */
export async function chosenTarget(
  { toDatabase, toDatabaseFile, toBlobs }: TargetChoice,
  { cwd, env }: Pick<Io, 'cwd' | 'env'>,
  report: Pick<Report, 'path' | 'warn'>,
): Promise<{ readonly storeUrl: string; readonly blobsUrl: string; readonly env: Io['env'] }> {
  requireNoPassword('--to-database', toDatabase);
  requireNoPassword('--to-blobs', toBlobs);
  if (toDatabase !== undefined && toDatabaseFile !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', { option: '--to-database', other: '--to-database-file' });
  }
  const fromFile = toDatabaseFile && (await urlIn(resolve(cwd, toDatabaseFile), '--to-database-file', report));
  const storeUrl = toDatabase ?? fromFile ?? environmentValue(env, 'OTA_DATABASE_URL');
  const blobsUrl = toBlobs ?? environmentValue(env, 'OTA_BLOBS_URL');
  const subject = '`server copy`';
  if (storeUrl === undefined) throw new OtaError('OPTION_MISSING', { subject, wanted: '--to-database URL' });
  if (blobsUrl === undefined) throw new OtaError('OPTION_MISSING', { subject, wanted: '--to-blobs URL' });
  return { storeUrl, blobsUrl, env };
}

type UrlOption = '--database' | '--blobs' | '--to-database' | '--to-blobs' | '--mqtt';

/** @throws OtaError URL_PASSWORD_EXPOSED */
export function requireNoPassword(option: UrlOption, url: string | undefined): void {
  if (url !== undefined && hasPassword(url)) throw new OtaError('URL_PASSWORD_EXPOSED', { option });
}

/**
 * Checks that a command that can also connect to a server opens the stores itself.
 *
 * @throws OtaError OPTION_MISSING
 */
export function requireData({ data, database, databaseFile, blobs }: StorageChoice): void {
  if (data !== undefined) return;
  const given = { '--database': database, '--database-file': databaseFile, '--blobs': blobs };
  const subject = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (subject !== undefined) throw new OtaError('OPTION_MISSING', { subject, wanted: '--data DIR' });
}

/** Also recognizes a password with characters that should be percent-encoded. */
function hasPassword(url: string): boolean {
  return /:\/\/[^@]*:[^@]*@/.test(url) || /[?&]password=/i.test(url);
}

async function urlIn(path: string, option: string, report: Pick<Report, 'path' | 'warn'>): Promise<string> {
  const value = report.path(path);
  const text = Buffer.from(await readNamedFile(path, 'database file'))
    .toString('utf8')
    .trim();
  if (text === '' || /\s/.test(text)) {
    throw new OtaError('OPTION_INVALID', { option, value, expected: 'the file must contain a URL' });
  }
  if (await isReadableByOthers(path)) report.warn(`${value} can be read by other users; run: chmod 600 ${value}`);
  return text;
}

/** Returns the value of a variable; undefined if it is not set or blank. */
export function environmentValue(env: Io['env'], name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}
