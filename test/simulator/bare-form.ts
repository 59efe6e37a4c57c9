import { once } from 'node:events';
import { connect } from 'node:net';

/** Multipart form with parts that a test can change. */
export interface Form {
  readonly boundary?: string;
  readonly contentType?: string;
  readonly partHeaders?: readonly string[];
  readonly preamble?: string;
  /** Text after the closing boundary. */
  readonly epilogue?: string;
  readonly headers?: readonly string[];
  /** Header line with credentials, added to the usual headers. */
  readonly login?: string;
  readonly path?: string;
}

export const fileHeader = (name: string): string =>
  `Content-Disposition: form-data; name="${name}"; filename="sketch.bin"`;

/** Builds a request with one file. */
export function formRequest(content: Uint8Array, form: Form = {}): Uint8Array {
  const { boundary = 'xyz', partHeaders = [fileHeader('firmware'), 'Content-Type: application/octet-stream'] } = form;
  const body = Buffer.concat([
    Buffer.from(`${form.preamble ?? ''}--${boundary}\r\n${partHeaders.join('\r\n')}\r\n\r\n`),
    content,
    Buffer.from(`\r\n--${boundary}--${form.epilogue ?? '\r\n'}`),
  ]);
  const headers = form.headers ?? [
    'Host: 127.0.0.1',
    `Content-Type: ${form.contentType ?? `multipart/form-data; boundary=${boundary}`}`,
    `Content-Length: ${body.length}`,
    ...(form.login === undefined ? [] : [form.login]),
  ];
  return Buffer.concat([
    Buffer.from(`POST ${form.path ?? '/update'} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`),
    body,
  ]);
}

export function basic(username: string, password: string): string {
  return `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Response, and how the connection ended. */
export interface Exchange {
  readonly text: string;
  readonly ended: 'in order' | 'by reset';
}

/** Sends requests and reads until the connection ends. */
export async function exchange(port: number, ...requests: readonly (Uint8Array | string)[]): Promise<Exchange> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  let text = '';
  let ended: Exchange['ended'] = 'in order';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {
    ended = 'by reset';
  });
  socket.on('end', () => socket.end());
  for (const request of requests) socket.write(request);
  await new Promise((resolve) => socket.once('close', resolve));
  return { text, ended };
}

/** Sends bytes and resets the connection. */
export async function breakOff(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(bytes, resolve));
  socket.resetAndDestroy();
}

/** Sends bytes and ends the connection. Returns the response after the device has closed its side. */
export async function endAfter(port: number, bytes: Uint8Array): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}
