import type { Socket } from 'node:net';
import { TransferPace } from '../../core/model/transfer-pace.ts';
import { deviceText, errorCode } from '../device-text.ts';
import { EventQueue } from '../event-queue.ts';
import type { ProgressReport } from '../progress.ts';
import type { RetryBudget } from '../retry-budget.ts';
import type { DeliveryTimings } from '../timings.ts';
import type { DeliveryVerdict } from '../verdict.ts';
import { startsWithEspHomeMagic } from './esphome.ts';
import { ReplyReader } from './reply.ts';

export interface SendRequest {
  readonly connection: Socket;
  readonly image: Uint8Array;
  readonly password: string | undefined;
  readonly timings: DeliveryTimings;
  readonly budget: RetryBudget;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
}

/** Result of a transfer: a verdict, or a fault if the connection was lost before the device can have received the whole image. */
export type SendResult =
  | { readonly outcome: 'verdict'; readonly verdict: DeliveryVerdict }
  | { readonly outcome: 'fault'; readonly verdict: DeliveryVerdict };

type TransferEvent =
  | { readonly kind: 'received'; readonly bytes: Uint8Array }
  | { readonly kind: 'written' }
  | { readonly kind: 'ended'; readonly why: string };

/** Size of a write: six TCP segments of 1460 bytes. */
const chunkBytes = 8760;
/**
 * Maximum number of unacknowledged bytes. The limit is more than twice a device's largest receive window (11,584 bytes), so that the
 * device never waits for data. TCP flow control is not sufficient, because the kernel's buffers may hold a whole image. After a broken
 * connection, the sender would then not know whether the device received the image.
 */
const aheadBytes = 32 * 1024;
const regularAcknowledgments = 4;

/** Limit for received bytes: 64 KB for messages, and an acknowledgment of at most 8 digits for every 64 bytes of the image. */
function mostHeardBytes(image: Uint8Array): number {
  return 64 * 1024 + image.length / 8;
}

/**
 * Streams an image to a connected device without waiting for each acknowledgment, and reads the result. The connection is not half-closed
 * after the last byte, because the device would treat it as lost and not send `OK`.
 */
export async function sendImage(request: SendRequest): Promise<SendResult> {
  const transfer = new Transfer(request);
  try {
    return await transfer.run();
  } finally {
    request.connection.destroy();
  }
}

class Transfer {
  readonly #request: SendRequest;
  readonly #events = new EventQueue<TransferEvent>();
  readonly #reader = new ReplyReader();
  #sentBytes = 0;
  #isWriting = false;
  #aheadBytes = aheadBytes;
  #timesReceived = 0;
  #hasExtended = false;
  #movedAt = performance.now();
  readonly #pace: TransferPace;
  #heardBytes = 0;

  constructor(request: SendRequest) {
    this.#request = request;
    this.#pace = new TransferPace(request.timings, this.#movedAt, request.image.length);
    this.#pace.expectBytes(this.#movedAt);
    const { connection } = request;
    connection.on('data', (bytes) => this.#events.put({ kind: 'received', bytes }));
    connection.on('end', () => this.#events.put({ kind: 'ended', why: 'the device closed the connection' }));
    connection.on('error', (error: NodeJS.ErrnoException) => {
      this.#events.put({ kind: 'ended', why: `the connection failed (${error.code ?? error.message})` });
    });
    connection.on('close', () => this.#events.put({ kind: 'ended', why: 'the connection was closed' }));
  }

  async run(): Promise<SendResult> {
    const { progress, signal } = this.#request;
    progress.phase('sending');
    for (;;) {
      if (this.#maySend) this.#sendChunk();
      const now = performance.now();
      const tooSlow = this.#pace.fault(now);
      if (tooSlow !== undefined) return this.#exceeded(`the device is too slow (${tooSlow})`);
      const silenceLeftMs = this.#limitMs;
      const event = await this.#events.next(Math.min(silenceLeftMs, this.#pace.leftMs(now)), signal);
      if (event === undefined && performance.now() - now < silenceLeftMs) continue;
      const result = event === undefined ? this.#checkSilence() : this.#handle(event);
      if (result !== undefined) return result;
    }
  }

  get #isSent(): boolean {
    return this.#sentBytes === this.#request.image.length;
  }

  get #maySend(): boolean {
    const unacknowledgedBytes = this.#sentBytes - this.#reader.acknowledgedBytes;
    return !this.#isWriting && !this.#isSent && unacknowledgedBytes < this.#aheadBytes;
  }

  #sendChunk(): void {
    const { connection, image } = this.#request;
    this.#isWriting = true;
    // Received data is read first, because writing to a connection that the device has reset would discard the device's last message.
    setImmediate(() => {
      if (connection.destroyed) return;
      const chunk = image.subarray(this.#sentBytes, this.#sentBytes + chunkBytes);
      this.#sentBytes += chunk.length;
      connection.write(chunk, (error) => {
        if (error !== undefined && error !== null) return;
        this.#pace.moved(chunk.length, performance.now());
        this.#events.put({ kind: 'written' });
      });
    });
  }

  #handle(event: TransferEvent): SendResult | undefined {
    switch (event.kind) {
      case 'written':
        this.#isWriting = false;
        this.#movedAt = performance.now();
        if (this.#isSent) this.#request.progress.phase('awaitingVerdict');
        return undefined;
      case 'received':
        return this.#receive(event.bytes);
      case 'ended':
        return this.#handleEnd(event.why);
    }
  }

  #receive(bytes: Uint8Array): SendResult | undefined {
    this.#heardBytes += bytes.length;
    if (this.#heardBytes > mostHeardBytes(this.#request.image))
      return this.#exceeded('the device does not stop sending');
    this.#movedAt = performance.now();
    this.#timesReceived++;
    this.#hasExtended = false;
    const before = this.#reader.acknowledgedBytes;
    this.#reader.feed(bytes, this.#sentBytes);
    // Until all bytes are written, written bytes count as progress. After that, only acknowledgments show that the device still reads.
    if (this.#isSent) this.#pace.moved(this.#reader.acknowledgedBytes - before, this.#movedAt);
    this.#request.progress.transferred(this.#reader.acknowledgedBytes);
    const reply = this.#reader.finalReply;
    switch (reply.kind) {
      case 'ok':
        return this.#isSent ? this.#acceptance() : this.#foreign('OK before the whole image was sent');
      case 'error':
        return reply.complete ? this.#rejection(reply.text) : undefined;
      case 'foreign':
        return this.#foreign(reply.text);
      case 'none':
      case 'begun':
        return undefined;
    }
  }

  /** Time that the device may stay silent before the next action is due. */
  get #limitMs(): number {
    const { timings, budget } = this.#request;
    const { kind } = this.#reader.finalReply;
    if (kind === 'error' || kind === 'begun') return timings.finalReplyMs;
    const leftMs = budget.limit(timings.stallMs) - (performance.now() - this.#movedAt);
    return Math.max(0, this.#mayExtend ? Math.min(timings.ackGapMs, leftMs) : leftMs);
  }

  /**
   * Returns true if data beyond the limit for unacknowledged bytes may be sent, because the estimate of acknowledged bytes can be too
   * low. If a device acknowledges regularly, the limit may be exceeded only once after each response. Part of the image then remains
   * unsent if the device disconnects.
   */
  get #mayExtend(): boolean {
    const isRegular = this.#timesReceived >= regularAcknowledgments;
    return !this.#isWriting && !this.#isSent && !(isRegular && this.#hasExtended);
  }

  #checkSilence(): SendResult | undefined {
    const { timings, budget } = this.#request;
    if (this.#reader.finalReply.kind === 'error') return this.#handleEnd('');
    const silentMs = performance.now() - this.#movedAt;
    if (this.#mayExtend && silentMs < budget.limit(timings.stallMs)) {
      this.#aheadBytes *= 2;
      this.#hasExtended = true;
      return undefined;
    }
    budget.spend(silentMs);
    return this.#broken(`no data from the device for ${(silentMs / 1000).toFixed(0)} s`);
  }

  #handleEnd(why: string): SendResult {
    const reply = this.#reader.finalReply;
    return reply.kind === 'error' ? this.#rejection(reply.text) : this.#broken(why);
  }

  /**
   * Returns the result for a broken connection. If part of the image was not sent, the device cannot have installed the update, and a
   * retry is safe.
   */
  #broken(why: string): SendResult {
    const { image } = this.#request;
    if (this.#isSent) {
      const { acknowledgedBytes } = this.#reader;
      const progress = acknowledgedBytes >= image.length ? 'acknowledged' : 'sent';
      return verdict({
        kind: 'unknown',
        reason: `${why} without a result, after the whole image was ${progress}`,
        mayHaveUpdated: true,
      });
    }
    const percent = Math.floor((100 * this.#reader.acknowledgedBytes) / image.length);
    return {
      outcome: 'fault',
      verdict: { kind: 'unknown', reason: `${why} at ${percent}%`, mayHaveUpdated: false },
    };
  }

  /** Ends the transfer without a retry, because the device would keep the next connection busy too. */
  #exceeded(reason: string): SendResult {
    return verdict({ kind: 'unknown', reason, mayHaveUpdated: this.#isSent });
  }

  #acceptance(): SendResult {
    const { progress, image } = this.#request;
    progress.transferred(image.length);
    return verdict({ kind: 'accepted' });
  }

  #rejection(text: string): SendResult {
    const reason = deviceText(text, this.#secrets);
    return verdict({ kind: 'rejected', by: 'updater', reason, code: errorCode(text) });
  }

  #foreign(text: string): SendResult {
    const received = deviceText(text, this.#secrets);
    if (this.#isSent)
      return verdict({ kind: 'unknown', reason: `the device sent "${received}"`, mayHaveUpdated: true });
    const isEspHome = startsWithEspHomeMagic(Buffer.from(text, 'latin1'));
    return verdict({
      kind: 'wrongProtocol',
      which: isEspHome ? 'esphome' : 'unrecognized',
      received: isEspHome ? undefined : received,
    });
  }

  get #secrets(): readonly string[] {
    const { password } = this.#request;
    return password === undefined ? [] : [password];
  }
}

function verdict(value: DeliveryVerdict): SendResult {
  return { outcome: 'verdict', verdict: value };
}
