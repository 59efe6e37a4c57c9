import * as v from 'valibot';
import type { ApiResponse, SendApiRequest } from '../../api/client/connection.ts';
import { asError } from '../../api/client/problems.ts';
import { uploadState } from '../../api/client/responses.ts';
import { OtaError } from '../../errors/ota-error.ts';

/** Size of a piece. A small piece can be resent quickly, even over a slow connection. */
const defaultPieceBytes = 1024 * 1024;
/** Maximum number of consecutive pieces without progress on the server before the upload fails. */
const maxStalledPieces = 4;
/**
 * How often the whole blob may be sent. Without this limit, an upload to a server that repeatedly discards the received bytes would never
 * end.
 */
const maxRounds = 4;

interface UploadOptions {
  readonly pieceBytes?: number | undefined;
  /** Called with the number of bytes sent. */
  readonly onSent?: (bytes: number) => void;
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
  { pieceBytes = defaultPieceBytes, onSent }: UploadOptions = {},
): Promise<void> {
  const path = `/uploads/${sha256}`;
  let state = stateOf(await request({ method: 'GET', path }));
  let piecesLeft = maxRounds * Math.ceil(bytes.length / pieceBytes) + maxStalledPieces;
  for (let stalled = 0; !state.complete; piecesLeft--) {
    const { offset } = state;
    const response = await request({
      method: 'PATCH',
      path,
      bytes: bytes.subarray(offset, offset + pieceBytes),
      onSent: (sent) => onSent?.(offset + sent),
      headers: { 'Upload-Offset': String(offset), 'Upload-Length': String(bytes.length) },
    });
    const next = nextState(response);
    if (next === undefined || ((stalled >= maxStalledPieces || piecesLeft <= 0) && !next.complete))
      throw errorOf(response);
    // A different client may be uploading the same blob, or the piece was damaged in transit and discarded.
    stalled = next.offset > offset ? 0 : stalled + 1;
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
