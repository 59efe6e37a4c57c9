import { type FileHandle, open } from 'node:fs/promises';

/**
 * Flushes SQLite's journal without making the process wait: what `synchronous = FULL` does at the end of each commit, in the thread pool.
 * The journal only grows between checkpoints, and its frames have checksums: a crash before the flush loses the transactions that nobody
 * was told of, and nothing else. Checkpoints flush by themselves (`synchronous = NORMAL`), in the order that keeps the database whole.
 */
export class JournalFlush {
  readonly #path: string;
  #file: FileHandle | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-wal`;
  }

  /** Resolves when all that was committed before is on the disk. */
  flush(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#flushOnce();
      return this.#running;
    }
    // The one under way may have begun before the commit; all that come meanwhile share the next.
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
      // Windows flushes only what may be written to.
      this.#file ??= await open(this.#path, 'r+');
      await this.#file.datasync();
    } finally {
      this.#running = undefined;
    }
  }
}
