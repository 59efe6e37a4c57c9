import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Artifact } from '../../../core/model/manifest.ts';
import { writeDownloadHead } from './answers.ts';

/** A device may pause so long: it erases flash, or its Wi-Fi stutters (`ESP8266HTTPClient` gives up after 60 s itself). */
export const defaultStallMs = 60_000;
/** A device that is slower than that does not get to the end of it. */
const slowestBytesPerSecond = 256;
/** TLS makes an encrypted copy of what it is handed, for each device: it is handed so much at a time. */
const securedPieceBytes = 32 * 1024;

/** How a download ended. received: all of it was taken, and the connection was closed in order. */
export type DownloadEnd = 'received' | 'broken';

/** Counts downloads, and lets none of them last for ever. */
export class Downloads {
  /** How long a client may take nothing. */
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

  /** @returns false when there are as many as there may be; else `end` has to be called once */
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

  /** When the last one has ended. */
  async idle(): Promise<void> {
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}

/** What is sent, and how long the client may take nothing of it. */
interface Download {
  readonly artifact: Artifact;
  readonly version: string;
  readonly body: Uint8Array;
  readonly stallMs: number;
}

/** Sends an artifact, and says how that ended. */
export function sendArtifact(
  request: IncomingMessage,
  response: ServerResponse,
  { artifact, version, body, stallMs }: Download,
): Promise<DownloadEnd> {
  // One download a connection, whatever the client asks for: otherwise nobody could tell how it ended. The head says so, too.
  response.shouldKeepAlive = false;
  writeDownloadHead(response, artifact, version);
  return sendBody(request, response, body, stallMs);
}

/**
 * Sends the body, and says how that ended. That the last byte was handed to the system says little: it may hold a good part of a sketch
 * that a slow device has yet to take. So the connection is closed on this side only, and the device closes it on its own when it has all
 * of it. A device that gives up resets it: lwIP does when there are bytes left that nobody read (`tcp_close`).
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
    // node destroys the socket when the response is out; half of it is closed instead.
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

// What stays on a socket must not hold on to anything: sockets outlive their requests for a while, and those would be copied with them
// whenever memory is tidied up, which cost more than the decision.

function closeHalf(this: Socket): void {
  this.end();
  // node does so once more when the device has closed its side, and makes an error of that which nobody hears of.
  this.end = itself;
}

function itself(this: Socket): Socket {
  return this;
}

function giveUp(this: Socket): void {
  this.destroy();
}

/** Sends the body, to its end. */
function endWith(response: ServerResponse, body: Uint8Array): void {
  if (response.req.socket instanceof TLSSocket) Readable.from(piecesOf(body)).pipe(response);
  else response.end(body);
}

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += securedPieceBytes) yield body.subarray(at, at + securedPieceBytes);
}
