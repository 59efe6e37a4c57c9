import { type FileHandle, open } from 'node:fs/promises';

/**
 * Flushes SQLite's journal in the thread pool, so that the flush does not block the process. With `synchronous = FULL`, SQLite would flush
 * at the end of every commit. Between checkpoints, the journal is only appended to, and its frames have checksums, so a crash before the
 * flush loses only transactions that were not acknowledged. Checkpoints are flushed by SQLite itself (`synchronous = NORMAL`), in an order
 * that keeps the database consistent.
 */
export class JournalFlush {
  readonly #path: string;
  #file: FileHandle | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-wal`;
  }

  /** Resolves when all data committed before the call is on disk. */
  flush(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#flushOnce();
      return this.#running;
    }
    // The running flush may have started before the commit. All calls during a flush share the next one.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#running = this.#flushOnce();
        return this.#running;
      });
    return this.#next;
  }

  async close(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => undefined);
    await this.#file?.close();
    this.#file = undefined;
  }

  async #flushOnce(): Promise<void> {
    try {
      // Windows can only flush files that are open for writing.
      this.#file ??= await open(this.#path, 'r+');
      await this.#file.datasync();
    } finally {
      this.#running = undefined;
    }
  }
}
