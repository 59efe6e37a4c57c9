import type { Socket } from 'node:net';
import { deviceText, errorCode } from '../device-text.ts';
import { Mailbox } from '../mailbox.ts';
import type { RetryBudget } from '../patience.ts';
import type { ProgressReport } from '../progress.ts';
import type { DeliveryTimings } from '../timings.ts';
import type { DeliveryVerdict } from '../verdict.ts';
import { startsWithEspHomeMagic } from './esphome.ts';
import { ReplyReader } from './reply.ts';

export interface SendRequest {
  readonly connection: Socket;
  readonly image: Uint8Array;
  readonly password: string | undefined;
  readonly timings: DeliveryTimings;
  readonly patience: RetryBudget;
  readonly progress: ProgressReport;
  readonly signal: AbortSignal;
}

/** Verdict, or a connection lost before the device can have received the whole image. */
export type SendResult =
  | { readonly outcome: 'verdict'; readonly verdict: DeliveryVerdict }
  | { readonly outcome: 'fault'; readonly verdict: DeliveryVerdict };

type News =
  | { readonly kind: 'heard'; readonly bytes: Uint8Array }
  | { readonly kind: 'written' }
  | { readonly kind: 'ended'; readonly why: string };

/** Six TCP segments of 1460 bytes. */
const chunkBytes = 8760;
/**
 * Limit for unacknowledged bytes: more than twice the largest receive window of a device (11,584 bytes), so that the device never waits.
 * TCP limits the data too, but only after the kernel's buffers, which may hold a whole image. Without this limit, a broken connection would
 * not show whether the device may have the whole image.
 */
const aheadBytes = 32 * 1024;
const regularAcknowledgements = 4;

/**
 * Streams an image to a connected device without waiting for each acknowledgement, and reads its result. The connection is not half-closed
 * after the last byte: the device would treat that as a lost connection and not send its `OK`.
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
  readonly #news = new Mailbox<News>();
  readonly #reader = new ReplyReader();
  #sentBytes = 0;
  #isWriting = false;
  #aheadBytes = aheadBytes;
  #timesHeard = 0;
  #extendedSinceNews = false;
  #movedAt = performance.now();

  constructor(request: SendRequest) {
    this.#request = request;
    const { connection } = request;
    connection.on('data', (bytes) => this.#news.put({ kind: 'heard', bytes }));
    connection.on('end', () => this.#news.put({ kind: 'ended', why: 'the device ended the connection' }));
    connection.on('error', (error: NodeJS.ErrnoException) => {
      this.#news.put({ kind: 'ended', why: `the connection broke (${error.code ?? error.message})` });
    });
    connection.on('close', () => this.#news.put({ kind: 'ended', why: 'the connection was closed' }));
  }

  async run(): Promise<SendResult> {
    const { progress, signal } = this.#request;
    progress.phase('sending');
    for (;;) {
      if (this.#maySend) this.#sendChunk();
      const limitMs = this.#limitMs;
      const news = await this.#news.next(limitMs, signal);
      const result = news === undefined ? this.#judgeSilence() : this.#judge(news);
      if (result !== undefined) return result;
    }
  }

  get #isSent(): boolean {
    return this.#sentBytes === this.#request.image.length;
  }

  get #maySend(): boolean {
    const underWayBytes = this.#sentBytes - this.#reader.acknowledgedBytes;
    return !this.#isWriting && !this.#isSent && underWayBytes < this.#aheadBytes;
  }

  #sendChunk(): void {
    const { connection, image } = this.#request;
    this.#isWriting = true;
    // Read received data first: a write to a connection that the device has reset would discard its last message.
    setImmediate(() => {
      if (connection.destroyed) return;
      const chunk = image.subarray(this.#sentBytes, this.#sentBytes + chunkBytes);
      this.#sentBytes += chunk.length;
      connection.write(chunk, (error) => {
        if (error === undefined || error === null) this.#news.put({ kind: 'written' });
      });
    });
  }

  #judge(news: News): SendResult | undefined {
    switch (news.kind) {
      case 'written':
        this.#isWriting = false;
        this.#movedAt = performance.now();
        if (this.#isSent) this.#request.progress.phase('awaitingVerdict');
        return undefined;
      case 'heard':
        return this.#listen(news.bytes);
      case 'ended':
        return this.#judgeEnd(news.why);
    }
  }

  #listen(bytes: Uint8Array): SendResult | undefined {
    this.#movedAt = performance.now();
    this.#timesHeard++;
    this.#extendedSinceNews = false;
    this.#reader.feed(bytes, this.#sentBytes);
    this.#request.progress.taken(this.#reader.acknowledgedBytes);
    const words = this.#reader.lastWords;
    switch (words.kind) {
      case 'ok':
        return this.#isSent ? this.#acceptance() : this.#foreign('OK before the whole image was sent');
      case 'error':
        return words.complete ? this.#rejection(words.text) : undefined;
      case 'foreign':
        return this.#foreign(words.text);
      case 'none':
      case 'begun':
        return undefined;
    }
  }

  /** Time limit of the current silence, after which the next action is due. */
  get #limitMs(): number {
    const { timings, patience } = this.#request;
    const { kind } = this.#reader.lastWords;
    if (kind === 'error' || kind === 'begun') return timings.lastWordsMs;
    const leftMs = patience.limit(timings.stallMs) - (performance.now() - this.#movedAt);
    return Math.max(0, this.#mayExtend ? Math.min(timings.ackGapMs, leftMs) : leftMs);
  }

  /**
   * Whether more data than planned may be sent ahead, since the estimate of acknowledged bytes can be too low. For a device that
   * acknowledges regularly, this happens once after each response: if the device is gone, part of the image must remain unsent.
   */
  get #mayExtend(): boolean {
    const isRegular = this.#timesHeard >= regularAcknowledgements;
    return !this.#isWriting && !this.#isSent && !(isRegular && this.#extendedSinceNews);
  }

  #judgeSilence(): SendResult | undefined {
    const { timings, patience } = this.#request;
    if (this.#reader.lastWords.kind === 'error') return this.#judgeEnd('');
    const silentMs = performance.now() - this.#movedAt;
    if (this.#mayExtend && silentMs < patience.limit(timings.stallMs)) {
      this.#aheadBytes *= 2;
      this.#extendedSinceNews = true;
      return undefined;
    }
    patience.spend(silentMs);
    return this.#broken(`the device was silent for ${(silentMs / 1000).toFixed(0)} s`);
  }

  #judgeEnd(why: string): SendResult {
    const words = this.#reader.lastWords;
    return words.kind === 'error' ? this.#rejection(words.text) : this.#broken(why);
  }

  /** Judges a broken connection. The device can have the update only if the whole image was sent; otherwise it is safe to retry. */
  #broken(why: string): SendResult {
    const { image } = this.#request;
    if (this.#isSent) {
      const { acknowledgedBytes } = this.#reader;
      const share = acknowledgedBytes >= image.length ? 'all was acknowledged' : 'all was sent';
      return verdict({ kind: 'unknown', why: `${why} without a verdict, when ${share}`, mayHaveUpdated: true });
    }
    const percent = Math.floor((100 * this.#reader.acknowledgedBytes) / image.length);
    return {
      outcome: 'fault',
      verdict: { kind: 'unknown', why: `${why} at ${percent} %`, mayHaveUpdated: false },
    };
  }

  #acceptance(): SendResult {
    const { progress, image } = this.#request;
    progress.taken(image.length);
    return verdict({ kind: 'accepted' });
  }

  #rejection(text: string): SendResult {
    const reason = deviceText(text, this.#secrets);
    return verdict({ kind: 'rejected', by: 'updater', reason, code: errorCode(text) });
  }

  #foreign(text: string): SendResult {
    const heard = deviceText(text, this.#secrets);
    if (this.#isSent) return verdict({ kind: 'unknown', why: `the device said "${heard}"`, mayHaveUpdated: true });
    const isEspHome = startsWithEspHomeMagic(Buffer.from(text, 'latin1'));
    return verdict({
      kind: 'wrongProtocol',
      which: isEspHome ? 'esphome' : 'unrecognized',
      heard: isEspHome ? undefined : heard,
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
