import type { Socket } from 'node:net';
import type { DeviceContext } from './device-context.ts';
import { LinkedSocket } from './linked-socket.ts';
import { pauseExactly } from './pause.ts';
import { StreamReader } from './stream-reader.ts';
import { TcpPort } from './tcp-port.ts';
import type { FileSink } from './upload-form.ts';
import { readRequestBody, readRequestHead, type WebRequest } from './web-request.ts';

export interface SiteResponse {
  readonly status: '200 OK' | '401 Unauthorized' | '404 Not Found';
  readonly type: 'text/html' | 'text/plain';
  readonly headers?: readonly string[];
  readonly body: string;
}

/** Request handlers for the web pages of a sketch. */
export interface WebSite {
  /** Returns the receiver for files in an upload form. */
  filesOf(request: WebRequest, connection: LinkedSocket): FileSink;
  /** Handles a request after its body has been read. `restarts`: the device restarts after the response. */
  respond(request: WebRequest): { readonly response: SiteResponse | undefined; readonly restarts: boolean };
}

/** Web server that behaves like ESP8266WebServer. It handles one client at a time, and one request per connection. */
export class VirtualWebServer {
  readonly #device: DeviceContext;
  readonly #site: WebSite;
  #tcp: TcpPort | undefined;
  #clients: Promise<void> = Promise.resolve();

  private constructor(device: DeviceContext, site: WebSite) {
    this.#device = device;
    this.#site = site;
  }

  /** @param port 0 selects a free port */
  static async open(device: DeviceContext, port: number, site: WebSite): Promise<VirtualWebServer> {
    const server = new VirtualWebServer(device, site);
    server.#tcp = await TcpPort.open(device, port, (socket) => server.#accept(socket));
    return server;
  }

  get port(): number {
    return this.#tcp?.port ?? 0;
  }

  /** Clears all state, as a restart does on a real device. */
  reset(): void {
    this.#clients = Promise.resolve();
  }

  async close(): Promise<void> {
    await this.#tcp?.close();
  }

  #accept(socket: Socket): void {
    const connection = new LinkedSocket(socket, this.#device.link, this.#device.restartSignal);
    this.#clients = this.#clients.then(() => this.#serve(connection)).catch(() => undefined);
  }

  /** Serves a client like `handleClient`. A client that sends nothing blocks other clients, but not the rest of the sketch. */
  async #serve(connection: LinkedSocket): Promise<void> {
    if (this.#device.faults.noResponse === true) {
      this.#device.countUpload();
      connection.abandon(this.#device.closeSignal);
      return;
    }
    const reader = new StreamReader(connection, this.#device.timings.webReadTimeoutMs);
    if ((await reader.wait()) !== 'data') return connection.finish();
    await this.#device.inLoop(async () => {
      const request = await readRequestHead(reader);
      const isRead =
        request !== undefined && (await readRequestBody(reader, request, this.#site.filesOf(request, connection)));
      // Closing a connection with unread bytes resets it.
      if (!isRead) return connection.reset();
      const { response, restarts } = this.#site.respond(request);
      if (response !== undefined) connection.write(formatResponse(response, request));
      if (restarts) await pauseExactly(this.#device.timings.webRestartPauseMs, this.#device.restartSignal);
      await connection.finish();
      if (restarts) this.#device.restart();
    });
  }
}

/** Formats a response with the headers of `_prepareHeader`. */
function formatResponse({ status, type, headers = [], body }: SiteResponse, { minorVersion }: WebRequest): string {
  const lines = [
    `HTTP/1.${minorVersion} ${status}`,
    `Content-Type: ${type}`,
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
