import type { PostgresCluster } from '../engines/postgres.ts';
import type { Commit, LoggedAttempt, RolloutState } from './log.ts';

/**
 * Triggers that record each change of what devices are sent, in the transaction that makes the change. The commit time of that transaction
 * (`track_commit_timestamp`) then orders the changes.
 */
const triggers = `
CREATE SCHEMA chaos;
CREATE TABLE chaos.journal (id bigserial PRIMARY KEY, kind text, project_id int, mac text, body jsonb);
CREATE FUNCTION chaos.note_device() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' OR OLD.doc::jsonb->'attempts' IS DISTINCT FROM NEW.doc::jsonb->'attempts' THEN
    INSERT INTO chaos.journal (kind, project_id, mac, body) VALUES ('attempts', NEW.project_id, NEW.mac, NEW.doc::jsonb->'attempts');
  END IF; RETURN NULL; END $$;
CREATE TRIGGER chaos AFTER INSERT OR UPDATE OF doc ON devices FOR EACH ROW EXECUTE FUNCTION chaos.note_device();
CREATE FUNCTION chaos.note_rollout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO chaos.journal (kind, project_id, body) VALUES ('rollout', NEW.project_id,
    NEW.doc::jsonb || jsonb_build_object('id', NEW.id, 'state', NEW.state)); RETURN NULL; END $$;
CREATE TRIGGER chaos AFTER INSERT OR UPDATE OF doc, state ON rollouts FOR EACH ROW EXECUTE FUNCTION chaos.note_rollout();
CREATE FUNCTION chaos.note_current() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO chaos.journal (kind, project_id, body) VALUES ('current', coalesce(NEW.project_id, OLD.project_id),
    jsonb_build_object('release', NEW.release_id)); RETURN NULL; END $$;
CREATE TRIGGER chaos AFTER INSERT OR UPDATE OR DELETE ON current_releases FOR EACH ROW EXECUTE FUNCTION chaos.note_current();
CREATE FUNCTION chaos.note_yank() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO chaos.journal (kind, project_id, body) VALUES ('yank', NEW.project_id, jsonb_build_object('release', NEW.id));
  RETURN NULL; END $$;
CREATE TRIGGER chaos AFTER UPDATE OF yanked ON releases FOR EACH ROW WHEN (NEW.yanked IS NOT NULL)
  EXECUTE FUNCTION chaos.note_yank();
INSERT INTO chaos.journal (kind, project_id, body)
  SELECT 'current', project_id, jsonb_build_object('release', release_id) FROM current_releases;
`;

/** All changes with their commit times. A transaction may contain several. */
const changes = `
SELECT json_build_object('at', extract(epoch FROM pg_xact_commit_timestamp(j.xmin)) * 1000, 'project', p.name, 'kind', j.kind,
  'mac', j.mac, 'body', j.body)
FROM chaos.journal j JOIN projects p ON p.id = j.project_id ORDER BY pg_xact_commit_timestamp(j.xmin), j.id`;

const releases = `SELECT json_build_object('id', id, 'version', version) FROM releases`;

export async function installJournal(cluster: PostgresCluster, database: string): Promise<void> {
  await cluster.sql(triggers, database);
}

export async function readJournal(cluster: PostgresCluster, database: string): Promise<readonly Commit[]> {
  const rows = await rowsOf<{ id: number; version: string }>(cluster, releases, database);
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  const entries = await rowsOf<JournalEntry>(cluster, changes, database);
  return entries.map((entry) => commitOf(entry, versions));
}

/** Returns rows that each consist of one JSON document. */
export async function rowsOf<Row>(cluster: PostgresCluster, sql: string, database: string): Promise<readonly Row[]> {
  const text = await cluster.sql(sql, database);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line): Row => JSON.parse(line));
}

type JournalEntry = { readonly at: number; readonly project: string } & (
  | { readonly kind: 'current' | 'yank'; readonly body: { readonly release: number | null } }
  | { readonly kind: 'rollout'; readonly body: RolloutDocument }
  | { readonly kind: 'attempts'; readonly mac: string; readonly body: readonly LoggedAttempt[] }
);

interface RolloutDocument extends Pick<RolloutState, 'id' | 'version' | 'state' | 'openStages'> {
  readonly stages: readonly { readonly groups: readonly string[] }[];
  readonly previousIds: readonly number[];
}

function commitOf(entry: JournalEntry, versions: ReadonlyMap<number, string>): Commit {
  const { at, project } = entry;
  switch (entry.kind) {
    case 'current':
      return { at, project, kind: 'current', version: versions.get(entry.body.release ?? 0) };
    case 'yank':
      return { at, project, kind: 'yank', version: versions.get(entry.body.release ?? 0) ?? '' };
    case 'rollout': {
      const { id, version, state, openStages, stages, previousIds } = entry.body;
      const previous = previousIds.map((each) => versions.get(each) ?? '');
      const groups = stages.map((stage) => stage.groups);
      return { at, project, kind: 'rollout', id, version, state, openStages, stages: groups, previous };
    }
    case 'attempts':
      return { at, project, kind: 'attempts', mac: entry.mac, attempts: entry.body };
  }
}
