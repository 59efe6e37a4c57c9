/** State of a server process at one time. */
export interface Sample {
  readonly atMinutes: number;
  /** Resident memory. */
  readonly memoryMb: number;
  readonly handles: number;
  /** Size of the journal of the database. */
  readonly journalMb: number;
}

/** Returns the slopes of the least-squares lines through the samples: the growth per minute. */
export function growthPerMinute(samples: readonly Sample[]): Omit<Sample, 'atMinutes'> {
  const times = samples.map(({ atMinutes }) => atMinutes);
  const slope = (name: keyof Sample) =>
    slopeOf(
      times,
      samples.map((sample) => sample[name]),
    );
  return { memoryMb: slope('memoryMb'), handles: slope('handles'), journalMb: slope('journalMb') };
}

function slopeOf(times: readonly number[], values: readonly number[]): number {
  const meanTime = mean(times);
  const meanValue = mean(values);
  const spread = times.reduce((sum, time) => sum + (time - meanTime) ** 2, 0);
  const common = times.reduce((sum, time, index) => sum + (time - meanTime) * ((values[index] ?? 0) - meanValue), 0);
  return spread === 0 ? 0 : common / spread;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
