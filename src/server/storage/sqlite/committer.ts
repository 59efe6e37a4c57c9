import type { Connection } from './connection.ts';
import type { JournalFlush } from './journal-flush.ts';

/**
 * Time at which a write must be on disk.
 *
 * - sync: actions by people. SQLite flushes its journal as part of the commit (synchronous = FULL).
 * - group: changes to device records. The same flush follows the commit in the thread pool; requests handled in the meantime form the next
 *   transaction. The promise waits for the flush.
 * - lazy: data that may be lost in a crash. The write joins the next transaction, or is committed after a second.
 */
export type Durability = 'sync' | 'group' | 'lazy';

interface Waiting {
  readonly durability: Durability;
  /**
   * Runs the write.
   *
   * @param isNested whether to use a savepoint, so that a failed write leaves nothing behind in the transaction
   * @returns the error, if any
   */
  readonly work: (isNested: boolean) => { error: unknown } | undefined;
  readonly settle: (failure: { error: unknown } | undefined) => void;
}

/** Time after which a lazy write is committed alone. */
const defaultLazyMs = 1000;

/**
 * Groups concurrent writes into one transaction, so that the disk is flushed once per group instead of once per device. Each promise
 * resolves when the whole transaction is on disk. A failed write does not affect the others.
 */
export class Committer {
  readonly #connection: Connection;
  readonly #journal: JournalFlush;
  readonly #lazyMs: number;
  readonly #undone: (() => void)[] = [];
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #isFlushing = false;
  /** Settles promises in transaction order, so that callers do not overwrite newer data with older data. */
  #settled: Promise<void> = Promise.resolve();
  #later: NodeJS.Timeout | undefined;

  constructor(connection: Connection, journal: JournalFlush, lazyMs = defaultLazyMs) {
    this.#lazyMs = lazyMs;
    this.#connection = connection;
    this.#journal = journal;
  }

  /** Adds a listener that is called when a whole transaction is rolled back, because the rollback invalidates caches. */
  onUndone(listener: () => void): void {
    this.#undone.push(listener);
  }

  write<Result>(durability: Durability, work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      // Do not create an error in advance: its stack trace would cost more than the write.
      let outcome: { value: Result } | { error: unknown } | undefined;
      this.#waiting.push({
        durability,
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
      this.#schedule(durability);
    });
  }

  /** Commits all waiting writes immediately. */
  commit(): void {
    this.#isScheduled = false;
    clearTimeout(this.#later);
    this.#later = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const isSync = batch.some(({ durability }) => durability === 'sync');
    const failure = this.#tryAll(batch, isSync);
    const isOnDisk = failure !== undefined || isSync ? Promise.resolve(failure) : this.#flush();
    const before = this.#settled;
    this.#settled = (async () => {
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
      if (this.#waiting.some(({ durability }) => durability === 'group')) this.#schedule('sync');
    }
  }

  #schedule(durability: Durability): void {
    // Writes that arrive during a flush are committed together afterwards.
    if (this.#isScheduled || (durability === 'group' && this.#isFlushing)) return;
    if (durability === 'lazy') {
      this.#later ??= setTimeout(() => this.commit(), this.#lazyMs);
      return;
    }
    this.#isScheduled = true;
    setImmediate(() => this.commit());
  }

  #tryAll(batch: readonly Waiting[], isSync: boolean): { error: unknown } | undefined {
    try {
      this.#connection.flushWithin(isSync);
      // A savepoint costs as much as the write itself, and writes rarely fail. If a write fails, all writes run again with savepoints.
      if (!this.#runAll(batch, false)) this.#runAll(batch, true);
      return undefined;
    } catch (error) {
      this.#notifyUndone();
      return { error };
    }
  }

  /**
   * Runs all writes in one transaction.
   *
   * @returns false if a write without a savepoint failed and the transaction was rolled back
   */
  #runAll(batch: readonly Waiting[], isNested: boolean): boolean {
    const isSpoiled = {};
    try {
      this.#connection.transaction(() => {
        for (const { work } of batch) {
          const failed = work(isNested);
          if (failed === undefined) continue;
          // If the disk is full, SQLite rolls back the whole transaction.
          if (!this.#connection.inTransaction) throw failed.error;
          if (!isNested) throw isSpoiled;
        }
      });
      return true;
    } catch (error) {
      if (error !== isSpoiled) throw error;
      this.#notifyUndone();
      return false;
    }
  }

  #notifyUndone(): void {
    for (const listener of this.#undone) listener();
  }
}
