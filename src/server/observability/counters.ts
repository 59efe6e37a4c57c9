/** What has happened so far: plain numbers, since each request counts; /metrics reads them when it is asked. */
export interface Counters {
  /** Answers to devices, by status. */
  readonly answers: Map<number, number>;
  /** How decisions came out, by code. */
  readonly decisions: Map<string, number>;
  downloadsReceived: number;
  downloadsBroken: number;
  /** Devices that could have had something, and were told that there is nothing, since it was too much at once. */
  overCapacity: number;
  bytesSent: number;
  publications: number;
  failures: number;
  refusedConnections: number;
}

export function newCounters(): Counters {
  return {
    answers: new Map(),
    decisions: new Map(),
    downloadsReceived: 0,
    downloadsBroken: 0,
    overCapacity: 0,
    bytesSent: 0,
    publications: 0,
    failures: 0,
    refusedConnections: 0,
  };
}

export function countIn<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
