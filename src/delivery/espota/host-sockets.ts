import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { OtaError } from '../../errors/ota-error.ts';
import { EventQueue } from '../event-queue.ts';
import { type DeviceResponse, parseDeviceResponse } from './datagrams.ts';

/** Event that occurs while this machine waits for a device to connect. */
export type HostEvent =
  | { readonly from: 'udp'; readonly response: DeviceResponse }
  | { readonly from: 'tcp'; readonly connection: Socket }
  /** Result of a separate probe: the device runs ESPHome. */
  | { readonly from: 'probe' }
  /** The device has sent more than any device needs. Its further datagrams are ignored. */
  | { readonly from: 'flood' };

/**
 * Limit for the datagrams of one upload. A response has about 40 bytes, and a device sends at most one per second. Without the limit, a
 * flood of challenges would cause a flood of responses.
 */
const mostDatagramBytes = 16 * 1024;
/** Number of addresses that a message can list. */
const mostRejectedAddresses = 10;

/** Addresses and ports of the device and of this machine. */
export interface HostRoute {
  /** IPv4 address of the device. */
  readonly deviceAddress: string;
  readonly devicePort: number;
  readonly hostIp?: string | undefined;
  readonly hostPort?: number | undefined;
}

/**
 * UDP socket for the device's responses, and TCP port that the device connects to. The UDP socket is connected, so that the kernel drops
 * datagrams from other hosts. The kernel also selects the local address, which the device will connect to, by the route to the device.
 */
export class HostSockets {
  readonly events = new EventQueue<HostEvent>();
  readonly #route: HostRoute;
  readonly #udp: UdpSocket;
  readonly #server: Server;
  readonly #rejectedAddresses = new Set<string>();
  #connection: Socket | undefined;
  #sendError: string | undefined;
  #datagramBytes = 0;

  private constructor(route: HostRoute) {
    this.#route = route;
    this.#udp = createSocket('udp4');
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#receive(socket));
  }

  /**
   * Opens the sockets.
   *
   * @returns the sockets, or the error code in `noRoute` if there is no route to the device
   * @throws OtaError UPLOAD_LISTEN_FAILED if the address or the port is not available
   */
  static async open(route: HostRoute): Promise<HostSockets | { readonly noRoute: string }> {
    const sockets = new HostSockets(route);
    try {
      const noRoute = await sockets.#openUdp();
      if (noRoute === undefined) await sockets.#listen();
      else sockets.close();
      return noRoute === undefined ? sockets : { noRoute };
    } catch (error) {
      sockets.close();
      throw error;
    }
  }

  /** Local address and port that the device connects to. */
  get place(): { readonly address: string; readonly port: number } {
    const address = this.#server.address();
    // A server that listens on a TCP port always has an address object. This check narrows the type.
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return { address: this.#udp.address().address, port: address.port };
  }

  /** Addresses of other hosts that connected. */
  get rejectedAddresses(): readonly string[] {
    return [...this.#rejectedAddresses];
  }

  /** Error code that the network reported for the last datagram, if any, such as `ECONNREFUSED` or `EHOSTUNREACH`. */
  get sendError(): string | undefined {
    return this.#sendError;
  }

  send(datagram: string): void {
    this.#udp.send(datagram, (error) => this.#noteError(error));
  }

  /** Drops duplicate or late responses to an earlier attempt. Connections are kept, because a late connection is usable. */
  dropResponses(): void {
    this.events.drop(({ from }) => from === 'udp');
  }

  /** Closes the current connection. The device may open a new connection. */
  closeConnection(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  close(): void {
    this.closeConnection();
    this.#server.close();
    this.#udp.close();
  }

  async #openUdp(): Promise<string | undefined> {
    const { deviceAddress, devicePort, hostIp } = this.#route;
    const udp = this.#udp;
    try {
      udp.bind({ port: 0, ...(hostIp === undefined ? {} : { address: hostIp }) });
      await once(udp, 'listening');
    } catch (cause) {
      throw cannotListen(`${hostIp}`, cause);
    }
    // A closed port causes an ICMP error, which any later call may report. The device may still start listening, so the error is not fatal.
    udp.on('error', (error) => this.#noteError(error));
    udp.on('message', (datagram, { address }) => {
      // Until the socket is connected, datagrams from other hosts arrive too.
      if (address === deviceAddress) this.#hear(datagram);
    });
    return new Promise((resolve) => {
      // The listener receives an error if there is no route, but the type declarations omit this parameter.
      const connected: (error?: NodeJS.ErrnoException) => void = (error) => resolve(error?.code);
      udp.connect(devicePort, deviceAddress, connected);
    });
  }

  #hear(datagram: Uint8Array): void {
    const isFlooded = this.#datagramBytes > mostDatagramBytes;
    if (isFlooded) return;
    this.#sendError = undefined;
    this.#datagramBytes += datagram.length;
    if (this.#datagramBytes > mostDatagramBytes) this.events.put({ from: 'flood' });
    else this.events.put({ from: 'udp', response: parseDeviceResponse(datagram) });
  }

  async #listen(): Promise<void> {
    const { hostPort = 0 } = this.#route;
    const host = this.#udp.address().address;
    try {
      this.#server.listen({ host, port: hostPort, exclusive: true });
      await once(this.#server, 'listening');
    } catch (cause) {
      throw cannotListen(`TCP port ${hostPort} of ${host}`, cause);
    }
    this.#server.on('error', () => undefined);
  }

  #receive(socket: Socket): void {
    socket.on('error', () => undefined);
    const { remoteAddress } = socket;
    if (remoteAddress !== this.#route.deviceAddress) {
      const isFull = this.#rejectedAddresses.size >= mostRejectedAddresses;
      if (remoteAddress !== undefined && !isFull) this.#rejectedAddresses.add(remoteAddress);
      socket.resetAndDestroy();
      return;
    }
    // A device that opens a new connection has abandoned its previous connection.
    this.#connection?.destroy();
    this.#connection = socket;
    this.events.drop(({ from }) => from === 'tcp');
    this.events.put({ from: 'tcp', connection: socket });
  }

  #noteError(error: Error | null): void {
    if (error !== null) this.#sendError = (error as NodeJS.ErrnoException).code ?? error.message;
  }
}

function cannotListen(address: string, cause: unknown): OtaError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new OtaError('UPLOAD_LISTEN_FAILED', { address, reason: code }, cause);
}
