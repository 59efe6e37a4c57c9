import type { Connection } from './connection.ts';
import { tellAll } from './device-lists.ts';

/**
 * Migrations of the data layout. A released step never changes; a new layout is a new step. Each step runs in one transaction with the
 * update of its number (`PRAGMA user_version`), so a crash leaves either the old or the new layout.
 */
const steps: readonly (string | ((connection: Connection) => void))[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, doc TEXT NOT NULL) STRICT;
  CREATE TABLE releases (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    version TEXT NOT NULL,
    kind TEXT NOT NULL,
    board TEXT NOT NULL,
    known_image TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    yanked TEXT,
    manifest TEXT NOT NULL,
    UNIQUE (project_id, version, kind, board, known_image)
  ) STRICT;
  CREATE TABLE release_blobs (
    sha256 TEXT NOT NULL,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    PRIMARY KEY (sha256, release_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sketch_md5s (
    md5 BLOB NOT NULL,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    flash_mode INTEGER NOT NULL,
    PRIMARY KEY (md5, release_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE offers (
    project_id INTEGER NOT NULL REFERENCES projects (id),
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    board TEXT NOT NULL,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    PRIMARY KEY (project_id, channel, kind, board)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE offer_history (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    channel TEXT NOT NULL,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX offer_history_of_channel ON offer_history (project_id, channel);
  CREATE TABLE devices (
    project_id INTEGER NOT NULL REFERENCES projects (id),
    mac TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    due_ms INTEGER,
    last_seen_at INTEGER,
    report TEXT,
    doc TEXT NOT NULL,
    PRIMARY KEY (project_id, mac)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX devices_due ON devices (due_ms) WHERE due_ms IS NOT NULL;
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    role TEXT NOT NULL,
    project TEXT,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    project TEXT,
    detail TEXT NOT NULL
  ) STRICT;
  `,
  // Device lists are filtered in an index that is a tenth of the size of the table and has the order of the list.
  (connection) => {
    connection.execute(listsOfDevices);
    tellAll(connection);
  },
  `
  CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY,
    project_id INTEGER NOT NULL REFERENCES projects (id),
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE INDEX rollouts_of_channel ON rollouts (project_id, channel);
  `,
];

const listsOfDevices = `
  ALTER TABLE devices ADD COLUMN standing TEXT NOT NULL DEFAULT '';
  ALTER TABLE devices ADD COLUMN name TEXT;
  ALTER TABLE devices ADD COLUMN runs TEXT;
  ALTER TABLE devices ADD COLUMN device_group TEXT;
  CREATE INDEX devices_told ON devices (project_id, mac, standing, name, runs, device_group);
  CREATE INDEX audit_of_devices ON audit (project, detail ->> 'mac') WHERE detail ->> 'mac' IS NOT NULL;
`;

/** Layout that this version writes. */
export const newestLayout = steps.length;

/**
 * Migrates the data to the newest layout.
 *
 * @returns the layout that was found; if it is greater than {@link newestLayout}, a newer version wrote the data and nothing was changed
 */
export function migrate(connection: Connection): number {
  const found = connection.pragma('user_version');
  for (const [index, step] of steps.entries()) {
    if (index < found) continue;
    connection.transaction(() => {
      if (typeof step === 'string') connection.execute(step);
      else step(connection);
      connection.execute(`PRAGMA user_version = ${index + 1}`);
    });
  }
  return found;
}
