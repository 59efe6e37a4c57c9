/** Options of a run over many devices. */
export interface FleetOptions<Job, Result> {
  readonly jobs: readonly Job[];
  /** Maximum number of jobs at the same time. */
  readonly concurrency: number;
  /** Number of jobs that run first; the others run only if all of these succeed. */
  readonly canaries: number;
  readonly run: (job: Job) => Promise<Result>;
  readonly isSuccess: (result: Result) => boolean;
  readonly signal: AbortSignal;
}

export interface FleetRun<Job, Result> {
  readonly results: ReadonlyMap<Job, Result>;
  /** Jobs that were not started because a canary failed. */
  readonly held: readonly Job[];
}

/**
 * Runs all jobs, the canaries first.
 *
 * @throws the error of `run`, after all started jobs have ended; the abort reason of the signal
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
  // All workers share one iterator, so each item is processed once.
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
