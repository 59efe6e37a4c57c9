/** Counts of changes to the data. */
export interface EventCounters {
  publications: number;
  /** Successful attempts: the device runs the release. */
  updates: number;
  /** Failed attempts, by type of failure. */
  readonly failedUpdates: Map<string, number>;
  /** Updates that preflight found unsafe for a device. */
  blockedUpdates: number;
  rolloutHalts: number;
}

/** Counters since the server started. They are plain numbers, because every request updates them and only `/metrics` reads them. */
export interface Counters extends EventCounters {
  /** Responses to devices, by HTTP status. */
  readonly responses: Map<number, number>;
  /** Update decisions, by code. */
  readonly decisions: Map<string, number>;
  downloadsCompleted: number;
  downloadsInterrupted: number;
  /** Update checks deferred because of a limit (such as downloads, memory or new devices) or repeated conflicts. */
  overCapacity: number;
  /** Update checks of new devices deferred because their network exceeded the rate limit for new devices. */
  newDevicesDeferred: number;
  bytesSent: number;
  /** Requests that failed because of a server error. */
  failures: number;
  rejectedConnections: number;
  /** Rejected tokens and logins, by kind. */
  readonly rejectedAccess: Map<string, number>;
  /** Counts by project. Only admins create projects, so their number is bounded. */
  readonly projects: Map<string, EventCounters>;
}

export function newCounters(): Counters {
  return {
    ...newEventCounters(),
    responses: new Map(),
    decisions: new Map(),
    downloadsCompleted: 0,
    downloadsInterrupted: 0,
    overCapacity: 0,
    newDevicesDeferred: 0,
    bytesSent: 0,
    failures: 0,
    rejectedConnections: 0,
    rejectedAccess: new Map(),
    projects: new Map(),
  };
}

function newEventCounters(): EventCounters {
  return { publications: 0, updates: 0, failedUpdates: new Map(), blockedUpdates: 0, rolloutHalts: 0 };
}

/** Returns the counters of a project. */
export function countersOf({ projects }: Pick<Counters, 'projects'>, project: string): EventCounters {
  const known = projects.get(project) ?? newEventCounters();
  projects.set(project, known);
  return known;
}

export function countIn<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
