import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Artifact } from '../../../core/model/manifest.ts';
import { writeDownloadHead } from './responses.ts';

/**
 * Longest allowed pause in a download. A device may be erasing flash or may briefly lose its Wi-Fi connection. (`ESP8266HTTPClient` itself
 * times out after 60 s.)
 */
export const defaultStallMs = 60_000;
/** Minimum average rate. Slower downloads are aborted. */
const slowestBytesPerSecond = 256;
/** Number of bytes passed to TLS at a time. TLS makes an encrypted copy of these bytes for each device. */
const securedPieceBytes = 32 * 1024;

/** Outcome of a download. `received`: all bytes were sent, and the device closed the connection cleanly. */
export type DownloadEnd = 'received' | 'broken';

/** Counts and limits concurrent downloads. */
export class Downloads {
  /** Maximum time that a client may stop reading. */
  readonly stallMs: number;
  readonly #most: number;
  #active = 0;
  #idle: (() => void)[] = [];

  constructor(most: number, stallMs: number) {
    this.#most = most;
    this.stallMs = stallMs;
  }

  get active(): number {
    return this.#active;
  }

  /**
   * Reserves a download slot.
   *
   * @returns false if all slots are in use. Otherwise `end` must be called exactly once
   */
  begin(): boolean {
    if (this.#active >= this.#most) return false;
    this.#active++;
    return true;
  }

  end(): void {
    this.#active--;
    if (this.#active > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when there are no active downloads. */
  async idle(): Promise<void> {
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}

/** Artifact to send, and the maximum time that the client may stop reading. */
interface Download {
  readonly artifact: Artifact;
  readonly version: string;
  readonly body: Uint8Array;
  readonly stallMs: number;
}

/** Sends an artifact, and resolves to the outcome. */
export function sendArtifact(
  request: IncomingMessage,
  response: ServerResponse,
  { artifact, version, body, stallMs }: Download,
): Promise<DownloadEnd> {
  // Close the connection after one download: on a reused connection, the outcome of the download could not be determined.
  response.shouldKeepAlive = false;
  writeDownloadHead(response, artifact, version);
  return sendBody(request, response, body, stallMs);
}

/**
 * Sends the body, and resolves to the outcome. The operating system may accept the last byte long before a slow device reads it, because
 * the system's buffers may hold a large part of a sketch. Therefore the server closes only its own side. The device closes the connection
 * after it has received all bytes. A device that aborts the download resets the connection, as lwIP does while bytes are
 * unread (`tcp_close`).
 */
function sendBody(
  { socket }: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  stallMs: number,
): Promise<DownloadEnd> {
  if (socket.destroyed) return Promise.resolve('broken');
  return new Promise((resolve) => {
    let isHandedOver = false;
    let isClosedInOrder = false;
    const longestMs = stallMs + (body.length / slowestBytesPerSecond) * 1000;
    const deadline = setTimeout(() => socket.destroy(), longestMs);
    // Node.js would destroy the socket after the response, so close only the server's side.
    socket.destroySoon = closeHalf;
    socket.setTimeout(stallMs, giveUp);
    response.once('finish', () => {
      isHandedOver = true;
    });
    socket.once('end', () => {
      isClosedInOrder = isHandedOver;
    });
    socket.once('close', (hadError) => {
      clearTimeout(deadline);
      resolve(isHandedOver && isClosedInOrder && !hadError ? 'received' : 'broken');
    });
    endWith(response, body);
  });
}

// Socket handlers must not be closures: garbage collection of the data that closures reference costs more than the update decision.

function closeHalf(this: Socket): void {
  this.end();
  // Node.js calls `end` again after the device closes its side. The second call would create an error that is never reported.
  this.end = itself;
}

function itself(this: Socket): Socket {
  return this;
}

function giveUp(this: Socket): void {
  this.destroy();
}

/** Writes the body and ends the response. */
function endWith(response: ServerResponse, body: Uint8Array): void {
  if (response.req.socket instanceof TLSSocket) Readable.from(piecesOf(body)).pipe(response);
  else response.end(body);
}

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += securedPieceBytes) yield body.subarray(at, at + securedPieceBytes);
}
