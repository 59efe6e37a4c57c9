import type { Generated } from 'kysely';

/**
 * Kysely table definitions, matching the tables that the migrations create on both engines. Times are milliseconds since 1970. In key
 * columns, an empty string means "none".
 */
export interface Tables {
  readonly meta: { key: string; value: string };
  readonly projects: {
    id: Generated<number>;
    name: string;
    /** Number of changes to the project, its releases, promotions and rollouts. */
    revision: number;
    doc: string;
  };
  readonly releases: {
    id: Generated<number>;
    project_id: number;
    version: string;
    kind: string;
    board: string;
    /** SHA-256 of the image for a reference build; otherwise empty. Any number of reference builds may have the same version. */
    reference_image: string;
    published_at: number;
    /** 1 if `Recognized.isTrusted`, otherwise 0. */
    trusted: number;
    yanked: string | null;
    /** Manifest as JSON, without the sketch MD5s. */
    manifest: string;
  };
  /** Notes in Markdown, for all images of a version. */
  readonly release_notes: { project_id: number; version: string; notes: string };
  readonly release_blobs: { release_id: number; sha256: string };
  readonly sketch_md5s: { md5: string; release_id: number; flash_mode: number };
  readonly current_releases: { project_id: number; channel: string; kind: string; board: string; release_id: number };
  /** History of promotions. Newer entries have higher IDs. */
  readonly promotions: {
    id: Generated<number>;
    project_id: number;
    channel: string;
    release_id: number;
    at: number;
  };
  readonly devices: {
    project_id: number;
    mac: string;
    revision: number;
    /** `Retention` of the device. */
    retention: number;
    /** Earliest due time of a pending attempt, on the `ServiceTime.servedMs` clock; null if there is none. */
    due_ms: number | null;
    last_seen_at: number | null;
    report: string | null;
    doc: string;
    /** Columns for filtering lists, derived from the document; see `DeviceIndex`. */
    status: string;
    name: string | null;
    runs: string | null;
    device_group: string | null;
    /** Labels, with a space before and after each; null if there are none. */
    labels: string | null;
    /** Names of channels, separated by spaces. */
    channels: string;
    /** 1 if the device is enrolled, otherwise 0. */
    enrolled: number;
    /** Rules that block the device, or `board-unknown`, separated by spaces; null if the device is not blocked. */
    blockers: string | null;
    board: string | null;
    /** ID of the release that the device runs, if it was recognized. */
    release_id: number | null;
  };
  readonly rollouts: {
    id: Generated<number>;
    project_id: number;
    channel: string;
    state: string;
    revision: number;
    doc: string;
  };
  readonly tokens: {
    id: string;
    hash: string;
    /** Role names, separated by spaces. */
    roles: string;
    /** Channel names, separated by spaces. */
    channels: string;
    project: string | null;
    name: string;
    created_at: number;
  };
  readonly uploads: { token: string; sha256: string; size_bytes: number; at: number; complete: number };
  readonly audit: {
    id: Generated<number>;
    at: number;
    actor: string;
    action: string;
    project: string | null;
    /** Device that the entry is about. */
    mac: string | null;
    detail: string;
  };

  /** Number of devices by `DeviceIndex` and retention, kept by every change to a device. A count may be 0. */
  readonly device_counts: {
    project_id: number;
    status: string;
    runs: string;
    device_group: string;
    retention: number;
    channels: string;
    enrolled: number;
    devices: number;
  };
  /** Number of blocked devices by `blockers`, kept by every change to a device. A count may be 0. */
  readonly blocker_counts: { project_id: number; blockers: string; devices: number };
  /** Progress of counting the devices of a rollout: the last counted MAC; null if all devices are counted. */
  readonly rollout_countings: { rollout_id: number; counted_to: string | null };
  /** Number of devices by stage and `RolloutMember.kind`. A count may be 0. */
  readonly rollout_counts: { rollout_id: number; stage: number; kind: string; devices: number };
  /** Members of the newest rollout on each channel. */
  readonly rollout_members: {
    rollout_id: number;
    mac: string;
    stage: number;
    kind: string;
    since_ms: number | null;
    address: string | null;
  };
  /** Devices of a rollout when its final numbers were stored. Some may have been removed since. */
  readonly rollout_results: { rollout_id: number; stage: number; kind: string; mac: string };
  /** Number of sends of rollouts with a limit per hour, by minute of the database's clock. Older minutes are removed. */
  readonly rollout_sends: { rollout_id: number; minute: number; sends: number };
  readonly webhooks: {
    id: Generated<number>;
    url: string;
    secret: string;
    /** Event names, separated by spaces. */
    events: string;
    project: string | null;
    format: string;
    allow_private: number;
    created_at: number;
  };
  /** Queue of the events for webhooks, and log of their deliveries. Events of a webhook are sent in the order of their IDs. */
  readonly webhook_deliveries: {
    id: Generated<number>;
    webhook_id: number;
    event_id: string;
    event: string;
    /** Event as JSON. */
    payload: string;
    at: number;
    state: string;
    attempts: number;
    next_at: number;
    status: number | null;
    error: string | null;
  };
  /** Number of devices by version over time; the version is empty for all versions without a release. */
  readonly version_samples: { project_id: number; at: number; version: string; devices: number };
  readonly sessions: { key: string; token: string; form_token: string; ends_at: number };
  /** Devices that were sent nothing because no project was found for them. */
  readonly not_enrolled: {
    mac: string;
    address: string;
    last_seen_at: number;
    /** Other fields of `NotEnrolledDevice` as JSON. */
    doc: string;
  };
  /** Times at which the failures of each bucket are forgotten. */
  readonly failure_buckets: { bucket: string; full_at: number };
}

/**
 * Tables of a backup with their key columns, in the order for restoring their rows. The other tables contain data that is derived from these
 * tables, log-ins, and the latest check-ins of devices without a project. Webhooks are not part of a backup, because their URLs are secrets,
 * and because a restored server must not send events to the receivers of another server.
 */
export const tableKeys = {
  meta: ['key'],
  projects: ['id'],
  releases: ['id'],
  release_notes: ['project_id', 'version'],
  release_blobs: ['sha256', 'release_id'],
  sketch_md5s: ['md5', 'release_id'],
  current_releases: ['project_id', 'channel', 'kind', 'board'],
  promotions: ['id'],
  devices: ['project_id', 'mac'],
  rollouts: ['id'],
  rollout_results: ['rollout_id', 'stage', 'kind', 'mac'],
  tokens: ['id'],
  uploads: ['token', 'sha256'],
  audit: ['id'],
  version_samples: ['project_id', 'at', 'version'],
} as const satisfies { readonly [Table in keyof Tables]?: readonly (keyof Tables[Table])[] };

export type TableName = keyof typeof tableKeys;

/** Tables that a repair keeps although they are not part of a backup, with their key columns. */
export const webhookKeys = { webhooks: ['id'], webhook_deliveries: ['id'] } as const;
export type WebhookTable = keyof typeof webhookKeys;

/** The type assertion is safe: the type of `Object.keys` does not preserve the keys. */
export const tableNames = Object.keys(tableKeys) as readonly TableName[];
