import test from 'ava';
import { type S3Settings, s3Settings } from '../../../src/server/storage/blobs/s3/s3-settings.ts';
import { parseStorageUrl } from '../../../src/server/storage/storage-url.ts';
import { expectOtaError } from '../../support/expected-error.ts';

const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

function settings(url: string, env: Readonly<Record<string, string>> = {}): S3Settings {
  return s3Settings(parseStorageUrl('blobs', url, { s3: 0 }), { ...keys, ...env });
}

test('uses the host of the bucket on AWS, and the path of the bucket on other stores', (t) => {
  t.is(settings('s3://firmware').bucketUrl, 'https://firmware.s3.us-east-1.amazonaws.com');
  t.is(settings('s3://firmware', { AWS_REGION: 'eu-west-1' }).bucketUrl, 'https://firmware.s3.eu-west-1.amazonaws.com');
  const other = { AWS_ENDPOINT_URL: 'https://s3.example.com:9000/' };
  t.is(settings('s3://firmware', other).bucketUrl, 'https://s3.example.com:9000/firmware');
  t.is(
    settings('s3://firmware', { ...other, OTA_S3_PATH_STYLE: 'false' }).bucketUrl,
    'https://firmware.s3.example.com:9000',
  );
  t.is(
    settings('s3://firmware', { OTA_S3_PATH_STYLE: 'TRUE' }).bucketUrl,
    'https://s3.us-east-1.amazonaws.com/firmware',
  );
  t.is(
    settings('s3://firmware', { ...other, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:7070/s3' }).bucketUrl,
    'http://127.0.0.1:7070/s3/firmware',
  );
});

test('keeps a prefix, with one slash at its end', (t) => {
  t.is(settings('s3://firmware').prefix, '');
  t.is(settings('s3://firmware/').prefix, '');
  t.is(settings('s3://firmware/site-1/ota').prefix, 'site-1/ota/');
  t.is(settings('s3://firmware/site-1/ota/').prefix, 'site-1/ota/');
});

test('rejects settings without repeating them', async (t) => {
  const wrong: readonly [url: string, env?: Readonly<Record<string, string>>][] = [
    ['s3://key:password@firmware'],
    ['s3://firmware/../password'],
    ['s3://firmware/a//password'],
    ['s3://password bucket'],
    ['s3://firmware', { AWS_ENDPOINT_URL: 'https://key:password@s3.example.com' }],
    ['s3://firmware', { AWS_ENDPOINT_URL: 's3.example.com/password' }],
    ['s3://firmware', { AWS_ENDPOINT_URL: 'https://s3.example.com/?password' }],
    ['s3://firmware', { OTA_S3_PATH_STYLE: 'password' }],
  ];
  for (const [url, env] of wrong) {
    const error = await expectOtaError(t, 'S3_SETTING_INVALID', () => settings(url, env));
    t.notRegex(error.message + error.hint, /password/);
  }
  const missing = await expectOtaError(t, 'S3_CREDENTIALS_MISSING', () =>
    settings('s3://firmware', { AWS_SECRET_ACCESS_KEY: ' ' }),
  );
  t.regex(missing.message, /AWS_SECRET_ACCESS_KEY is not set/);
});
