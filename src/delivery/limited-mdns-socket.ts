import type { RemoteInfo, Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';

/** Maximum size of an mDNS message (RFC 6762, section 17). */
const mostMessageBytes = 9000;
/** Maximum number of records in a message. The limit is needed because bonjour-service compares every record with every other record. */
const mostRecords = 128;
/** Maximum number of waiting datagrams: responses of 500 devices with two services each. Further datagrams are dropped. */
const mostWaiting = 1000;

/**
 * Passes one datagram to multicast-dns in each turn of the event loop, so that timers expire in time during a flood. Messages that no
 * device sends are dropped, because they would take seconds to process.
 */
export class LimitedMdnsSocket extends EventEmitter {
  readonly #socket: Socket;
  readonly #waiting: { readonly datagram: Buffer; readonly from: RemoteInfo }[] = [];
  #next: NodeJS.Immediate | undefined;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('error', (error) => this.emit('error', error));
    socket.on('message', (datagram, from) => {
      if (!isAcceptable(datagram) || this.#waiting.length >= mostWaiting) return;
      this.#waiting.push({ datagram, from });
      this.#next ??= setImmediate(() => this.#passOn());
    });
  }

  send(...parameters: Parameters<Socket['send']>): void {
    this.#socket.send(...parameters);
  }

  close(callback?: () => void): void {
    clearImmediate(this.#next);
    this.#waiting.length = 0;
    this.#socket.close(callback);
  }

  #passOn(): void {
    const item = this.#waiting.shift();
    this.#next = this.#waiting.length === 0 ? undefined : setImmediate(() => this.#passOn());
    if (item !== undefined) this.emit('message', item.datagram, item.from);
  }
}

/** Checks the size and the four counts in the header (RFC 1035, section 4.1.1). */
function isAcceptable(datagram: Buffer): boolean {
  if (datagram.length < 12 || datagram.length > mostMessageBytes) return false;
  const counts = [4, 6, 8, 10].map((at) => datagram.readUInt16BE(at));
  return counts.reduce((sum, count) => sum + count, 0) <= mostRecords;
}
