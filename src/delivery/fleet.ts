import pMap from 'p-map';

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

/** p-map would reject before the started jobs have ended if it stopped at the first error. */
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
