import type { Generated } from 'kysely';

/**
 * Kysely table definitions, matching the tables that the migrations create. Times are milliseconds since 1970. In key columns, an empty
 * string means "none".
 */
export interface Tables {
  readonly meta: { key: string; value: string };
  readonly projects: { id: Generated<number>; name: string; doc: string };
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
  readonly release_blobs: { release_id: number; sha256: string };
  readonly sketch_md5s: { md5: Uint8Array; release_id: number; flash_mode: number };
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
  };
  readonly rollouts: { id: Generated<number>; project_id: number; channel: string; state: string; doc: string };
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
    detail: string;
  };
}

/** All tables, in the order for restoring their rows. */
export const tableNames = [
  'meta',
  'projects',
  'releases',
  'release_blobs',
  'sketch_md5s',
  'current_releases',
  'promotions',
  'devices',
  'rollouts',
  'tokens',
  'uploads',
  'audit',
] as const satisfies readonly (keyof Tables)[];
