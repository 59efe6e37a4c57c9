import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { OtaError } from '../../errors/ota-error.ts';
import { Mailbox } from '../mailbox.ts';
import { type Answer, readAnswer } from './datagrams.ts';

/** What this machine hears while it asks a device to connect. */
export type Heard =
  | { readonly from: 'udp'; readonly answer: Answer }
  | { readonly from: 'tcp'; readonly connection: Socket }
  /** The answer to another question than an invitation: the device is of ESPHome. */
  | { readonly from: 'probe' };

/** Where the device is, and where this machine is to be found by it. */
export interface Route {
  /** IPv4. */
  readonly deviceAddress: string;
  readonly devicePort: number;
  readonly hostIp?: string | undefined;
  readonly hostPort?: number | undefined;
}

/**
 * One UDP socket, to which the device answers, and one TCP port, to which it connects. The UDP socket is connected: so the kernel picks this
 * machine's address by the route to the device, which is the address that the device will connect to, and drops what others send.
 */
export class HostSockets {
  readonly heard = new Mailbox<Heard>();
  readonly #route: Route;
  readonly #udp: UdpSocket;
  readonly #server: Server;
  readonly #strangers = new Set<string>();
  #connection: Socket | undefined;
  #sendError: string | undefined;

  private constructor(route: Route) {
    this.#route = route;
    this.#udp = createSocket('udp4');
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#receive(socket));
  }

  /** @throws OtaError USAGE when the address or the port cannot be had */
  static async open(route: Route): Promise<HostSockets | { readonly noRoute: string }> {
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

  /** What the device connects to. */
  get place(): { readonly address: string; readonly port: number } {
    const address = this.#server.address();
    // A server that listens on an IP port has an address of this form.
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return { address: this.#udp.address().address, port: address.port };
  }

  /** Addresses of others that connected. */
  get strangers(): readonly string[] {
    return [...this.#strangers];
  }

  /** Why the last datagram did not arrive, where the network said so: `ECONNREFUSED`, `EHOSTUNREACH`, … */
  get sendError(): string | undefined {
    return this.#sendError;
  }

  send(datagram: string): void {
    this.#udp.send(datagram, (error) => this.#noteError(error));
  }

  /** Forgets answers of an earlier attempt that came twice or late; a connection is good whenever it comes. */
  forgetAnswers(): void {
    this.heard.drop(({ from }) => from === 'udp');
  }

  /** Ends the present connection: the device may make another. */
  hangUp(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  close(): void {
    this.hangUp();
    this.#server.close();
    this.#udp.close();
  }

  async #openUdp(): Promise<string | undefined> {
    const { deviceAddress, devicePort, hostIp } = this.#route;
    const udp = this.#udp;
    try {
      await new Promise<void>((resolve, reject) => {
        udp.once('error', reject);
        udp.bind({ port: 0, ...(hostIp === undefined ? {} : { address: hostIp }) }, () => {
          udp.off('error', reject);
          resolve();
        });
      });
    } catch (cause) {
      throw cannotListen(`${hostIp}`, cause);
    }
    // The port beyond which nobody answers says so, and every later call may bring the message: a device may start to listen any moment.
    udp.on('error', (error) => this.#noteError(error));
    udp.on('message', (datagram) => {
      this.#sendError = undefined;
      this.heard.put({ from: 'udp', answer: readAnswer(datagram) });
    });
    return new Promise((resolve) => {
      // The listener is called with an error where there is no route; the types know only of the call without.
      const connected: (error?: NodeJS.ErrnoException) => void = (error) => resolve(error?.code);
      udp.connect(devicePort, deviceAddress, connected);
    });
  }

  async #listen(): Promise<void> {
    const { hostPort = 0 } = this.#route;
    const host = this.#udp.address().address;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen({ host, port: hostPort, exclusive: true }, () => {
          this.#server.off('error', reject);
          resolve();
        });
      });
    } catch (cause) {
      throw cannotListen(`TCP port ${hostPort} of ${host}`, cause);
    }
    this.#server.on('error', () => undefined);
  }

  #receive(socket: Socket): void {
    socket.on('error', () => undefined);
    const { remoteAddress } = socket;
    if (remoteAddress !== this.#route.deviceAddress) {
      if (remoteAddress !== undefined) this.#strangers.add(remoteAddress);
      socket.resetAndDestroy();
      return;
    }
    // A device that connects anew has given up what it had.
    this.#connection?.destroy();
    this.#connection = socket;
    this.heard.drop(({ from }) => from === 'tcp');
    this.heard.put({ from: 'tcp', connection: socket });
  }

  #noteError(error: Error | null): void {
    if (error !== null) this.#sendError = (error as NodeJS.ErrnoException).code ?? error.message;
  }
}

function cannotListen(where: string, cause: unknown): OtaError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program, or another upload, has it',
    EADDRNOTAVAIL: 'it is not an address of this machine',
    EACCES: 'the operating system does not allow it',
  };
  return new OtaError(
    'USAGE',
    {
      message: `Cannot wait for the device at ${where}: ${reasons[code] ?? code}`,
      hint: 'Name an address of this machine with --host-ip, and a free port with --host-port; without them both are chosen.',
    },
    cause,
  );
}
