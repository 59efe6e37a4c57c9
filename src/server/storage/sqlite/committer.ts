import type { Connection } from './connection.ts';
import type { JournalFlush } from './journal-flush.ts';

/**
 * How soon a write has to be on the disk.
 *
 * - at-once: what people do. SQLite flushes its journal within the commit (synchronous = FULL).
 * - soon: what is decided about devices. The same flush follows the commit, in the thread pool: while the disk is waited for, other devices
 *   are answered, and what is decided about them meanwhile becomes the next transaction. The promise waits for the flush.
 * - some-time: what may be lost in a crash. It goes with the next transaction, or alone after a second.
 */
export type Urgency = 'at-once' | 'soon' | 'some-time';

interface Waiting {
  readonly urgency: Urgency;
  /**
   * Gives back what went wrong.
   *
   * @param isNested then nothing of it is left in the transaction
   */
  readonly work: (isNested: boolean) => { error: unknown } | undefined;
  readonly settle: (failure: { error: unknown } | undefined) => void;
}

const someTimeMs = 1000;

/**
 * Writes what came together in one transaction: the disk is waited for once, not once a device. A promise is fulfilled when all of it is
 * on the disk; what fails takes nothing else with it.
 */
export class Committer {
  readonly #connection: Connection;
  readonly #journal: JournalFlush;
  readonly #undone: (() => void)[] = [];
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isFlushing = false;
  /** Everybody is told in the order of the transactions, so that nobody remembers what was there before in place of what came after. */
  #told: Promise<void> = Promise.resolve();
  #later: NodeJS.Timeout | undefined;

  constructor(connection: Connection, journal: JournalFlush) {
    this.#connection = connection;
    this.#journal = journal;
  }

  /** Told when a transaction was taken back as a whole: what was remembered of it is wrong. */
  onUndone(listener: () => void): void {
    this.#undone.push(listener);
  }

  write<Result>(urgency: Urgency, work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      // No error that is made beforehand: its stack trace would cost more than the write.
      let outcome: { value: Result } | { error: unknown } | undefined;
      this.#waiting.push({
        urgency,
        work: (isNested) => {
          try {
            outcome = { value: isNested ? this.#connection.nested(work) : work() };
            return undefined;
          } catch (error) {
            outcome = { error };
            return outcome;
          }
        },
        settle: (failure) => {
          if (failure !== undefined) reject(failure.error);
          else if (outcome === undefined) reject(new Error('it was never tried'));
          else if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.value);
        },
      });
      this.#schedule(urgency);
    });
  }

  /** Commits all that waits, now. */
  commit(): void {
    this.#isScheduled = false;
    clearTimeout(this.#later);
    this.#later = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const isAtOnce = batch.some(({ urgency }) => urgency === 'at-once');
    const failure = this.#tryAll(batch, isAtOnce);
    const isOnDisk = failure !== undefined || isAtOnce ? Promise.resolve(failure) : this.#flush();
    const before = this.#told;
    this.#told = (async () => {
      await before;
      const failed = await isOnDisk;
      for (const waiting of batch) waiting.settle(failed);
    })();
  }

  async #flush(): Promise<{ error: unknown } | undefined> {
    this.#isFlushing = true;
    try {
      await this.#journal.flush();
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      this.#isFlushing = false;
      if (this.#waiting.some(({ urgency }) => urgency === 'soon')) this.#schedule('at-once');
    }
  }

  #schedule(urgency: Urgency): void {
    // What comes while the disk is waited for is committed together.
    if (this.#isScheduled || (urgency === 'soon' && this.#isFlushing)) return;
    if (urgency === 'some-time') {
      this.#later ??= setTimeout(() => this.commit(), someTimeMs);
      return;
    }
    this.#isScheduled = true;
    setImmediate(() => this.commit());
  }

  #tryAll(batch: readonly Waiting[], isAtOnce: boolean): { error: unknown } | undefined {
    try {
      this.#connection.flushWithin(isAtOnce);
      // A savepoint for each costs as much as what they do, and hardly ever does one of them fail: then all begin again, with savepoints.
      if (!this.#runAll(batch, false)) this.#runAll(batch, true);
      return undefined;
    } catch (error) {
      this.#tellUndone();
      return { error };
    }
  }

  /** @returns false when it was taken back as a whole, since one of them failed that was not nested */
  #runAll(batch: readonly Waiting[], isNested: boolean): boolean {
    const isSpoiled = {};
    try {
      this.#connection.transaction(() => {
        for (const { work } of batch) {
          const failed = work(isNested);
          if (failed === undefined) continue;
          // A full disk ends the transaction with all that was done in it.
          if (!this.#connection.inTransaction) throw failed.error;
          if (!isNested) throw isSpoiled;
        }
      });
      return true;
    } catch (error) {
      if (error !== isSpoiled) throw error;
      this.#tellUndone();
      return false;
    }
  }

  #tellUndone(): void {
    for (const listener of this.#undone) listener();
  }
}
