/** How a run over many devices is held together. */
export interface FleetOptions<Job, Result> {
  readonly jobs: readonly Job[];
  /** At most so many at once. */
  readonly concurrency: number;
  /** So many go first, alone; the others only when all of these succeed. */
  readonly canaries: number;
  readonly run: (job: Job) => Promise<Result>;
  readonly isSuccess: (result: Result) => boolean;
  readonly signal: AbortSignal;
}

export interface FleetRun<Job, Result> {
  readonly results: ReadonlyMap<Job, Result>;
  /** Those that were never begun, because a canary failed. */
  readonly held: readonly Job[];
}

/**
 * Runs all jobs, the canaries first.
 *
 * @throws what `run` throws, when everything that was begun has ended; the reason of the signal, when it aborts
 */
export async function runFleet<Job, Result>(options: FleetOptions<Job, Result>): Promise<FleetRun<Job, Result>> {
  const { jobs, concurrency, canaries, run, isSuccess, signal } = options;
  const results = new Map<Job, Result>();
  const runAll = (some: readonly Job[]) =>
    inParallel(some, concurrency, signal, async (job) => {
      results.set(job, await run(job));
    });
  const first = jobs.slice(0, canaries);
  const rest = jobs.slice(canaries);
  await runAll(first);
  if (![...results.values()].every(isSuccess)) return { results, held: rest };
  await runAll(rest);
  return { results, held: [] };
}

async function inParallel<Item>(
  items: readonly Item[],
  limit: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  // All workers take from the same iterator.
  const worker = async () => {
    for (const item of waiting) {
      signal.throwIfAborted();
      await work(item);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
