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
  for (const [option, url] of [
    ['--database', database],
    ['--blobs', blobs],
  ] as const) {
    if (url !== undefined && hasPassword(url)) throw new OtaError('URL_PASSWORD_EXPOSED', { option });
  }
  if (database !== undefined && databaseFile !== undefined) {
    throw new OtaError('OPTIONS_CONFLICT', { option: '--database', other: '--database-file' });
  }
  const fromFile = databaseFile === undefined ? undefined : await urlIn(resolve(cwd, databaseFile), report);
  return {
    storeUrl: database ?? fromFile ?? variable(env, 'OTA_DATABASE_URL'),
    blobsUrl: blobs ?? variable(env, 'OTA_BLOBS_URL'),
    env,
  };
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

async function urlIn(path: string, report: Pick<Report, 'path' | 'warn'>): Promise<string> {
  const name = report.path(path);
  const text = Buffer.from(await readNamedFile(path, 'database file'))
    .toString('utf8')
    .trim();
  if (text === '' || /\s/.test(text)) {
    throw new OtaError('OPTION_INVALID', {
      option: '--database-file',
      value: name,
      expected: 'the file must contain a URL',
    });
  }
  if (await isReadableByOthers(path)) report.warn(`${name} can be read by other users; run: chmod 600 ${name}`);
  return text;
}

function variable(env: Io['env'], name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}
