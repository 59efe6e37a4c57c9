import { mostBlobBytes, type UploadState } from '../../../api/release.ts';
import { isPrivateKeyFile, largestKeyFileBytes } from '../../../core/firmware/private-keys.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import type { Uploader } from '../../services/releases/uploads.ts';
import { uploadOperations } from './operations/uploads.ts';
import { type Route, route } from './routes.ts';
import { bodyChunks } from './session.ts';

export function uploadRoutes(parts: ServerParts): readonly Route[] {
  const { uploads } = parts;
  return [
    route(uploadOperations.show, ({ params, token }) => uploads.state(token, params.sha256)),

    route(uploadOperations.append, async ({ context, params: { sha256 }, headers, token }) => {
      const offset = boundedSize(headers['upload-offset'], 'Upload-Offset');
      const totalBytes = boundedSize(headers['upload-length'], 'Upload-Length');
      if (offset > totalBytes) {
        throw new DomainError(
          'bad-request',
          `Upload-Offset (${offset}) is larger than Upload-Length (${totalBytes})`,
          'Set Upload-Length to the size of the whole file, and Upload-Offset to the number of bytes already sent.',
        );
      }
      if (Number(context.req.header('content-length') ?? 0) > totalBytes - offset) throw tooLong(totalBytes - offset);
      const chunks = bounded(bodyChunks(context), totalBytes - offset);
      const state = await uploads.append(token, sha256, { offset, totalBytes, chunks });
      return accepted(parts, token, sha256, state);
    }),
  ];
}

async function accepted(
  { blobs, uploads, log }: ServerParts,
  uploader: Uploader,
  sha256: string,
  state: UploadState | 'digest-mismatch' | 'offset',
): Promise<UploadState> {
  if (state === 'offset') {
    const { offset } = await uploads.state(uploader, sha256);
    throw new DomainError(
      'upload-offset',
      `the upload on the server ends at offset ${offset}`,
      'Continue the upload at this offset.',
      { offset },
    );
  }
  if (state === 'digest-mismatch') {
    throw new DomainError(
      'digest-mismatch',
      `the SHA-256 digest of the upload is not ${sha256}; the upload was discarded`,
      'Upload the file again from the start.',
    );
  }
  if (!state.complete || state.offset > largestKeyFileBytes) return state;
  const bytes = await blobs.read(sha256);
  if (bytes === undefined || !isPrivateKeyFile(bytes)) return state;
  await blobs.remove(sha256);
  log.warn({ sha256 }, 'Private key uploaded and deleted');
  const hint = 'Generate a new key pair: the server deleted the file, but the key has left your machine.';
  throw new DomainError('private-key', 'the uploaded file is a private key', hint);
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    if (received > mostBytes) throw tooLong(mostBytes);
    yield chunk;
  }
}

function tooLong(mostBytes: number): DomainError {
  return new DomainError(
    'bad-request',
    `the body is larger than Upload-Length minus Upload-Offset (${mostBytes})`,
    'Set Upload-Length to the size of the whole file, or send fewer bytes.',
  );
}

function boundedSize(sizeBytes: number, name: string): number {
  if (sizeBytes <= mostBlobBytes) return sizeBytes;
  throw new DomainError(
    'too-large',
    `${name} is ${sizeBytes}; an upload must not exceed ${mostBlobBytes} bytes`,
    'Check the file: no ESP8266 has more flash.',
  );
}
