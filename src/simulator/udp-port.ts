import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { UdpFaults } from './faults.ts';
import type { Random } from './random.ts';

interface UdpLink {
  readonly rttMs: number;
  readonly faults: UdpFaults;
  readonly random: Random;
}

type Direction = 'to-device' | 'from-device';

const longestHoldMs = 20;

/** UDP port of a device. Its link can delay, drop, duplicate and reorder datagrams. */
export class UdpPort {
  readonly #socket: Socket;
  readonly #link: UdpLink;
  readonly #timers = new Set<NodeJS.Timeout>();
  #lostSoFar = 0;
  #isClosed = false;
  #held: (() => void) | undefined;

  private constructor(socket: Socket, link: UdpLink) {
    this.#socket = socket;
    this.#link = link;
  }

  /** @param port 0 selects a free port */
  static async open(
    host: string,
    port: number,
    link: UdpLink,
    receive: (datagram: Uint8Array, from: RemoteInfo) => void,
  ): Promise<UdpPort> {
    const socket = createSocket('udp4');
    const opened = new UdpPort(socket, link);
    socket.on('message', (datagram, from) => opened.#pass('to-device', () => receive(datagram, from)));
    socket.bind(port, host);
    await once(socket, 'listening');
    // An unreachable host causes ICMP errors. Real devices ignore these errors.
    socket.on('error', () => undefined);
    return opened;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(text: string, port: number, address: string): void {
    this.#pass('from-device', () => {
      // A forged sender address can contain port 0, which cannot be used for a response.
      if (port > 0 && !this.#isClosed) this.#socket.send(text, port, address, () => undefined);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #pass(direction: Direction, deliver: () => void): void {
    const { faults, random, rttMs } = this.#link;
    const isFaulty = faults.direction === undefined || faults.direction === direction;
    if (isFaulty && this.#isLost()) return;
    const copies = isFaulty && random() < (faults.duplicateShare ?? 0) ? 2 : 1;
    const isHeld = isFaulty && this.#held === undefined && random() < (faults.reorderShare ?? 0);
    this.#later(rttMs / 2, () => {
      if (isHeld) {
        this.#hold(deliver);
        return;
      }
      for (let copy = 0; copy < copies; copy++) deliver();
      this.#release();
    });
  }

  #isLost(): boolean {
    const { loseFirst = 0, loseShare = 0 } = this.#link.faults;
    if (this.#lostSoFar >= loseFirst && this.#link.random() >= loseShare) return false;
    this.#lostSoFar++;
    return true;
  }

  #hold(deliver: () => void): void {
    this.#held = deliver;
    this.#later(longestHoldMs, () => this.#release());
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  #later(ms: number, action: () => void): void {
    if (ms <= 0) {
      action();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }
}
