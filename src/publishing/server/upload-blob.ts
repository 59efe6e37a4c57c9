import * as v from 'valibot';
import type { ApiResponse, SendApiRequest } from '../../api/client/connection.ts';
import { asError } from '../../api/client/problems.ts';
import { uploadState } from '../../api/client/responses.ts';
import { OtaError } from '../../errors/ota-error.ts';

/** Size of the first piece: at the minimum rate of 2 KB/s, the server acknowledges it within 8 s. */
const firstPieceBytes = 16 * 1024;
/** Maximum size of a piece. It can be resent quickly, even over a slow connection. */
const mostPieceBytes = 1024 * 1024;
/** A piece that takes less time is followed by one of twice the size. */
const quickMs = 1000;
/** Maximum number of consecutive pieces without progress on the server before the upload fails. */
const maxStalledPieces = 4;
/**
 * How often the whole blob may be sent. Without this limit, an upload to a server that repeatedly discards the received bytes would never
 * end.
 */
const maxRounds = 4;

interface UploadOptions {
  /** Size of every piece. By default, pieces grow while the server acknowledges them quickly. */
  readonly pieceBytes?: number | undefined;
  /** Called with the number of bytes that the server has acknowledged. Sent bytes may wait in the buffers of a slow line for minutes. */
  readonly onStored?: (bytes: number) => void;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Uploads the bytes that the server does not have. An interrupted upload is resumed, even if a different process started it.
 *
 * @throws OtaError SERVER_REJECTED, and connection errors
 */
export async function uploadBlob(
  request: SendApiRequest,
  sha256: string,
  bytes: Uint8Array,
  { pieceBytes, onStored, now = () => performance.now() }: UploadOptions = {},
): Promise<void> {
  const path = `/uploads/${sha256}`;
  let state = stateOf(await request({ method: 'GET', path }));
  let nextBytes = pieceBytes ?? firstPieceBytes;
  let piecesLeft = maxRounds * Math.ceil(bytes.length / nextBytes) + maxStalledPieces;
  for (let stalled = 0; !state.complete; piecesLeft--) {
    const { offset } = state;
    const startedAt = now();
    const response = await request({
      method: 'PATCH',
      path,
      bytes: bytes.subarray(offset, offset + nextBytes),
      headers: { 'Upload-Offset': String(offset), 'Upload-Length': String(bytes.length) },
    });
    const next = nextState(response);
    if (next === undefined || ((stalled >= maxStalledPieces || piecesLeft <= 0) && !next.complete))
      throw errorOf(response);
    // A different client may be uploading the same blob, or the piece was damaged in transit and discarded.
    stalled = next.offset > offset ? 0 : stalled + 1;
    if (pieceBytes === undefined && now() - startedAt < quickMs) nextBytes = Math.min(2 * nextBytes, mostPieceBytes);
    onStored?.(next.offset);
    state = next;
  }
}

type State = v.InferOutput<typeof uploadState>;

/** Returns the upload state to continue from. Returns undefined if the upload cannot continue. */
function nextState(response: ApiResponse): State | undefined {
  if (response.problem === undefined) return stateOf(response);
  const { code, offset } = response.problem;
  if (code === 'upload-offset' && offset !== undefined) return { offset, complete: false };
  return code === 'digest-mismatch' ? { offset: 0, complete: false } : undefined;
}

function stateOf(response: ApiResponse): State {
  if (response.problem !== undefined) throw asError(response);
  const state = v.safeParse(uploadState, response.json);
  if (!state.success) throw new OtaError('SERVER_NOT_OURS', { url: response.url, status: response.status });
  return state.output;
}

function errorOf(response: ApiResponse): OtaError {
  if (response.problem !== undefined) return asError(response);
  return new OtaError('SERVER_NOT_OURS', { url: response.url, status: response.status });
}
