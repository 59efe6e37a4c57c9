import pMap from 'p-map';

/** Options for updating many devices. */
export interface FleetOptions<Job, Result> {
  readonly jobs: readonly Job[];
  /** Maximum number of concurrent jobs. */
  readonly concurrency: number;
  /** Number of canary jobs. All other jobs run only if the canaries succeed. */
  readonly canaries: number;
  readonly run: (job: Job) => Promise<Result>;
  readonly isSuccess: (result: Result) => boolean;
  readonly signal: AbortSignal;
}

export interface FleetRun<Job, Result> {
  readonly results: ReadonlyMap<Job, Result>;
  /** Jobs that were not started because a canary failed. */
  readonly notStarted: readonly Job[];
}

/**
 * Runs all jobs, starting with the canaries.
 *
 * @throws the error of `run`, after all started jobs have ended; the signal's abort reason
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
  if (![...results.values()].every(isSuccess)) return { results, notStarted: rest };
  await runAll(rest);
  return { results, notStarted: [] };
}

/** Runs jobs concurrently. p-map's `stopOnError` is not used, because it would reject before the started jobs have ended. */
async function inParallel<Item>(
  items: readonly Item[],
  concurrency: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const start = async (item: Item) => {
    signal.throwIfAborted();
    await work(item);
  };
  try {
    await pMap(items, start, { concurrency, stopOnError: false });
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
