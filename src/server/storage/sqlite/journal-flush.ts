import { type FileHandle, open } from 'node:fs/promises';

/**
 * Flushes SQLite's journal without blocking the process: it does in the thread pool what `synchronous = FULL` does at the end of each
 * commit. The journal only grows between checkpoints, and its frames have checksums: a crash before the flush loses only transactions that
 * were not acknowledged. Checkpoints flush by themselves (`synchronous = NORMAL`), in an order that keeps the database consistent.
 */
export class JournalFlush {
  readonly #path: string;
  #file: FileHandle | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-wal`;
  }

  /** Resolves when everything committed before the call is on disk. */
  flush(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#flushOnce();
      return this.#running;
    }
    // The running flush may have started before the commit; all calls during it share the next one.
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
      // Windows flushes only files that are open for writing.
      this.#file ??= await open(this.#path, 'r+');
      await this.#file.datasync();
    } finally {
      this.#running = undefined;
    }
  }
}
