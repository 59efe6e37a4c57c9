import type { Connection } from './connection.ts';

interface Waiting {
  /** Gives back what went wrong. */
  readonly work: () => { error: unknown } | undefined;
  readonly settle: (failure: { error: unknown } | undefined) => void;
}

/**
 * Writes what came together in one transaction: the disk is waited for once, not once a device. A promise is fulfilled when all of it is
 * on the disk; what fails takes nothing else with it.
 */
export class Committer {
  readonly #connection: Connection;
  #waiting: Waiting[] = [];
  #scheduled = false;
  readonly #undone: (() => void)[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Told when a transaction was taken back as a whole: what was remembered of it is wrong. */
  onUndone(listener: () => void): void {
    this.#undone.push(listener);
  }

  write<Result>(work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      let outcome: { value: Result } | { error: unknown } = { error: new Error('it was never tried') };
      this.#waiting.push({
        work: () => {
          try {
            outcome = { value: this.#connection.nested(work) };
            return undefined;
          } catch (error) {
            outcome = { error };
            return outcome;
          }
        },
        settle: (failure) => {
          if (failure !== undefined) reject(failure.error);
          else if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.value);
        },
      });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Writes all that waits, now. */
  flush(): void {
    this.#scheduled = false;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    let failure: { error: unknown } | undefined;
    try {
      this.#connection.transaction(() => {
        for (const { work } of batch) {
          const failed = work();
          // A full disk ends the transaction with all that was done in it.
          if (failed !== undefined && !this.#connection.inTransaction) throw failed.error;
        }
      });
    } catch (error) {
      failure = { error };
      for (const listener of this.#undone) listener();
    }
    for (const { settle } of batch) settle(failure);
  }
}
