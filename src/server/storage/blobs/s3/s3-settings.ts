import { OtaError } from '../../../../errors/ota-error.ts';
import type { StorageUrl } from '../../storage-url.ts';

/** Bucket of an S3-compatible store, and how to access it. */
export interface S3Settings {
  readonly bucket: string;
  /** Start of all object keys: empty, or ends in a slash. */
  readonly prefix: string;
  /** URL of the bucket without a slash at the end. */
  readonly bucketUrl: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export type StorageEnvironment = Readonly<Record<string, string | undefined>>;

/** Characters that need no encoding in a URL, because not all stores sign encoded keys in the same way. */
const locationPattern = /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)\/?$/;

/**
 * Reads the settings for a bucket from its URL, such as `s3://firmware/ota`, and from the variables that the AWS tools use.
 *
 * @throws OtaError S3_SETTING_INVALID, S3_CREDENTIALS_MISSING
 */
export function s3Settings({ path }: StorageUrl, env: StorageEnvironment): S3Settings {
  const [, bucket, folder] = locationPattern.exec(path) ?? [];
  if (bucket === undefined || folder === undefined) throw invalid('the URL of the bucket', 's3://BUCKET/PREFIX');
  const region = setting(env, 'AWS_REGION') ?? setting(env, 'AWS_DEFAULT_REGION') ?? 'us-east-1';
  return {
    bucket,
    prefix: folder === '' ? '' : `${folder.slice(1)}/`,
    bucketUrl: bucketUrl(bucket, region, env),
    region,
    ...credentials(env),
  };
}

function bucketUrl(bucket: string, region: string, env: StorageEnvironment): string {
  const name = setting(env, 'AWS_ENDPOINT_URL_S3') === undefined ? 'AWS_ENDPOINT_URL' : 'AWS_ENDPOINT_URL_S3';
  const text = setting(env, name);
  const url = new URL(text === undefined ? `https://s3.${region}.amazonaws.com` : parsedEndpoint(name, text));
  // Stores other than AWS rarely have a DNS name for each bucket.
  if (pathStyle(env) ?? text !== undefined) url.pathname = `${url.pathname.replace(/\/+$/, '')}/${bucket}`;
  else url.hostname = `${bucket}.${url.hostname}`;
  return url.href.replace(/\/+$/, '');
}

function parsedEndpoint(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.username + url.password + url.search + url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) throw invalid(name, 'a URL such as https://s3.example.com');
  return url.href;
}

function pathStyle(env: StorageEnvironment): boolean | undefined {
  const text = setting(env, 'OTA_S3_PATH_STYLE')?.toLowerCase();
  if (text === undefined) return undefined;
  if (text !== 'true' && text !== 'false') throw invalid('OTA_S3_PATH_STYLE', 'true or false');
  return text === 'true';
}

function credentials(env: StorageEnvironment) {
  const accessKeyId = setting(env, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = setting(env, 'AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined) throw new OtaError('S3_CREDENTIALS_MISSING', { name: 'AWS_ACCESS_KEY_ID' });
  if (secretAccessKey === undefined) throw new OtaError('S3_CREDENTIALS_MISSING', { name: 'AWS_SECRET_ACCESS_KEY' });
  return { accessKeyId, secretAccessKey, sessionToken: setting(env, 'AWS_SESSION_TOKEN') };
}

/** Returns the value of a variable. An empty variable counts as not set. */
function setting(env: StorageEnvironment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** The value is not part of the error, because it may contain a password. */
function invalid(name: string, expected: string): OtaError {
  return new OtaError('S3_SETTING_INVALID', { name, expected });
}
