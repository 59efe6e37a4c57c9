/** Log of a chaos run. All times are in milliseconds since 1970, from the clock of one machine. */
export interface ChaosLog {
  /** Limit of complete downloads of one release by one device. */
  readonly mostSends: number;
  /** Group of a device; undefined for a device without a group. */
  readonly groupOf: (mac: string) => string | undefined;
  readonly responses: readonly DeviceResponse[];
  /** Commits, in the order of the database. */
  readonly commits: readonly Commit[];
  readonly writes: readonly ApiWrite[];
  /** Values at the end of the run, by `ApiWrite.key`. */
  readonly ending: ReadonlyMap<string, string>;
  readonly outages: readonly Outage[];
}

/** Request of a device, and its response. */
export interface DeviceResponse {
  readonly project: string;
  readonly mac: string;
  /** Version that the device runs, which it proves with its sketch MD5. */
  readonly runs: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** 0 if the connection ended without a response. */
  readonly status: number;
  /** Server that sent the response; undefined if the load balancer did. */
  readonly server?: string | undefined;
  readonly hasRetryAfter: boolean;
  /** Download of a response with status 200. */
  readonly download?: Download | undefined;
}

export interface Download {
  /** Version in the response header. */
  readonly version: string | undefined;
  /** MD5 in the response header. */
  readonly statedMd5: string | undefined;
  /** MD5 of the artifacts that were published as this version. */
  readonly publishedMd5s: readonly string[];
  /** MD5 of the received bytes; undefined if the connection ended before the last byte. */
  readonly receivedMd5: string | undefined;
}

/** Change that a transaction has committed. */
export type Commit = { readonly at: number; readonly project: string } & (
  | { readonly kind: 'current'; readonly version: string | undefined }
  | { readonly kind: 'yank'; readonly version: string }
  | ({ readonly kind: 'rollout' } & RolloutState)
  /** All attempts of a device after the change. */
  | { readonly kind: 'attempts'; readonly mac: string; readonly attempts: readonly LoggedAttempt[] }
);

export interface RolloutState {
  readonly id: number;
  readonly version: string;
  readonly state: string;
  readonly openStages: number;
  /** Groups of each stage. The last stage contains all devices. */
  readonly stages: readonly (readonly string[])[];
  /** Current versions of the channel when the rollout started. */
  readonly previous: readonly string[];
}

export interface LoggedAttempt {
  readonly version: string;
  readonly state: string;
  readonly sends: number;
  readonly interruptions: number;
  readonly lastInterrupted?: number | undefined;
}

/** Write that a client requested over the API. The last acknowledged value of a key, or a later one, is the value at the end. */
export interface ApiWrite {
  readonly key: string;
  readonly value: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly status: number;
  readonly hasRetryAfter: boolean;
  readonly server?: string | undefined;
  /** Rollout that the write changes to the state `value`. The rollout may change further by itself, so only the commit is required. */
  readonly action?: { readonly project: string; readonly rollout: number } | undefined;
}

/** Time during which a component was unavailable. */
export interface Outage {
  readonly component: 'process' | 'database' | 'network' | 'blobs';
  /** Server that the outage affects; undefined for all servers. */
  readonly server?: string | undefined;
  readonly from: number;
  /** Time at which the component was back. */
  readonly to: number;
}
