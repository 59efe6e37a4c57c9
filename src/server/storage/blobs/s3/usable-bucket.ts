import { createHash } from 'node:crypto';
import { OtaError } from '../../../../errors/ota-error.ts';
import { BlobsUnavailableError } from '../../store-unavailable.ts';
import { type S3Client, S3RejectedError } from './s3-client.ts';
import type { S3Settings } from './s3-settings.ts';

const testKey = 'if-none-match-test.txt';
const testNote = 'ota-hooks uses this object at each start to test that the store never overwrites an object.\n';

/**
 * Checks that the bucket exists, that the credentials permit reading and writing, and that the store never overwrites an object that is
 * written with `If-None-Match: *`. Two servers that upload the same blob rely on this.
 *
 * @throws OtaError S3_UNREACHABLE, S3_BUCKET_MISSING, S3_REJECTED, S3_OVERWRITES
 */
export async function requireUsableBucket(
  client: S3Client,
  { bucket, bucketUrl }: S3Settings,
  { isReadOnly }: { readonly isReadOnly: boolean },
): Promise<void> {
  const host = new URL(bucketUrl).host;
  try {
    for await (const _ of client.list('', 1)) break;
    if (!isReadOnly && !(await keepsObjects(client))) throw new OtaError('S3_OVERWRITES', { bucket, host });
  } catch (error) {
    if (error instanceof S3RejectedError && !isTemporary(error)) throw rejected(error, bucket, host);
    if (!(error instanceof BlobsUnavailableError)) throw error;
    const { cause } = error;
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
    throw new OtaError('S3_UNREACHABLE', { bucket, host, reason }, error);
  }
}

/** Only the second attempt to create the object shows whether the store honors the condition. */
async function keepsObjects(client: S3Client): Promise<boolean> {
  const bytes = Buffer.from(testNote);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const chunks = async function* () {
    yield bytes;
  };
  const body = { sizeBytes: bytes.length, sha256, chunks };
  return !(await client.create(testKey, body)) || !(await client.create(testKey, body));
}

/** Returns whether the store has a fault of its own. 501 means that it does not support the request. */
function isTemporary({ status }: S3RejectedError): boolean {
  return (status >= 500 && status !== 501) || status === 429;
}

function rejected(error: S3RejectedError, bucket: string, host: string): OtaError {
  const { status, reason } = error;
  // The only request with a function that some stores lack is the conditional one.
  if (status === 501) return new OtaError('S3_OVERWRITES', { bucket, host }, error);
  if (reason === 'NoSuchBucket') return new OtaError('S3_BUCKET_MISSING', { bucket, host }, error);
  return new OtaError('S3_REJECTED', { bucket, host, status, reason }, error);
}
