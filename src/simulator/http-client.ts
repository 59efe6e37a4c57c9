import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { awaitConnection } from './await-connection.ts';
import type { DeviceContext } from './device-context.ts';
import { type ClientError, clientErrorText } from './http-errors.ts';
import { type RequestTarget, redirectTarget, requestText } from './http-request.ts';
import { type HttpResponse, readResponse } from './http-response.ts';
import { LinkedSocket } from './linked-socket.ts';
import { pauseExactly } from './pause.ts';
import { StreamReader } from './stream-reader.ts';

export interface HttpClientOptions {
  /** True to follow redirects. On a real device, the sketch must enable this option. */
  readonly followsRedirects: boolean;
  /** Trusted certificates (PEM) for https. Undefined: all certificates are accepted, as after `setInsecure()`. */
  readonly ca: string | undefined;
}

/** HTTP response before the body is read. */
export interface HttpReply {
  readonly response: HttpResponse;
  readonly connection: LinkedSocket;
  readonly reader: StreamReader;
}

const mostRedirects = 10;
const redirects = [301, 302, 303, 307];

/**
 * Sends a GET request like `HTTPClient::sendRequest` (ESP8266HTTPClient.cpp). After a redirect, the request does not contain the headers
 * that the sketch added.
 *
 * @returns the error text of the HTTP client if there is no response
 */
export async function httpGet(
  device: DeviceContext,
  first: RequestTarget,
  headers: readonly string[],
  { followsRedirects, ca }: HttpClientOptions,
): Promise<HttpReply | { readonly error: string }> {
  let target = first;
  for (let count = 0; ; count++) {
    const reply = await sendRequest(
      device,
      target,
      requestText(target, count === 0 ? headers : ['Content-Length: 0']),
      ca,
    );
    if ('error' in reply) return { error: clientErrorText(reply.error) };
    const { status, location } = reply.response;
    const isRedirect = followsRedirects && count < mostRedirects && redirects.includes(status) && location !== '';
    const next = isRedirect ? redirectTarget(target, location) : undefined;
    if (next === undefined) return reply;
    await reply.connection.finish();
    target = next;
  }
}

async function sendRequest(
  device: DeviceContext,
  target: RequestTarget,
  request: string,
  ca: string | undefined,
): Promise<HttpReply | { readonly error: ClientError }> {
  await pauseExactly(device.link.rttMs, device.restartSignal);
  const socket = await connected(device, target, ca);
  if (socket === undefined) return { error: 'connectionFailed' };
  const connection = new LinkedSocket(socket, device.link, device.restartSignal);
  const reader = new StreamReader(connection, device.timings.httpHeaderTimeoutMs);
  connection.write(request);
  const response = await readResponse(reader);
  if (!('error' in response)) return { response, connection, reader };
  await connection.finish();
  return response;
}

function connected(
  device: DeviceContext,
  { protocol, host, port }: RequestTarget,
  ca: string | undefined,
): Promise<Socket | undefined> {
  if (protocol === 'http:') return awaitConnection(device, connectTcp({ host, port, allowHalfOpen: true }), 'connect');
  return awaitConnection(device, connectTls({ host, port, ca, rejectUnauthorized: ca !== undefined }), 'secureConnect');
}
