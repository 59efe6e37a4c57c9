import * as v from 'valibot';
import { rolloutStates } from '../../api/rollout.ts';
import { manifestSchema } from '../../core/model/manifest.ts';

const text = v.string();
/** SQLite returns larger integers as an error. */
const integer = v.pipe(v.number(), v.safeInteger());
const list = v.array(v.unknown());
const digest = v.pipe(text, v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'));

const credential = v.looseObject({ user: text, salt: text, hash: text });
const project = v.looseObject({
  createdAt: integer,
  access: v.picklist(['open', 'closed']),
  keys: v.array(v.looseObject({ fingerprint: text, pem: text })),
  aliases: v.array(v.looseObject({ path: text, channel: text })),
  credential: v.optional(credential),
  confirmWithinMs: integer,
  mostSends: integer,
});
const attempt = v.looseObject({
  releaseId: integer,
  version: text,
  kind: v.picklist(['sketch', 'filesystem']),
  state: v.picklist(['sent', 'received', 'running', 'failed']),
  sends: integer,
  receipts: integer,
  lastSentAt: integer,
  dueMs: v.number(),
});
const decision = v.looseObject({ action: v.picklist(['send', 'up-to-date', 'none']), code: text, text, at: integer });
const device = v.looseObject({
  enrolled: v.boolean(),
  name: v.optional(text),
  credential: v.optional(credential),
  running: v.optional(v.looseObject({ by: v.picklist(['md5', 'version']), version: text })),
  decisions: v.looseObject({ sketch: v.optional(decision), filesystem: v.optional(decision) }),
  attempts: v.array(attempt),
});
const rollout = v.looseObject({
  version: text,
  releaseIds: v.array(integer),
  previousIds: v.array(integer),
  stages: v.array(v.looseObject({})),
  gate: v.looseObject({}),
  halt: v.looseObject({}),
  openStages: integer,
  accepted: v.looseObject({}),
  startedAt: integer,
  startedBy: text,
  history: v.array(v.looseObject({ at: integer, event: text, by: text })),
  samples: list,
});

/**
 * Fields that the server requires in the JSON documents of each table, by column. More fields are allowed. Checked in restored backups and by
 * `server check`; reading a single record checks less.
 */
export const documentSchemas = {
  projects: { doc: project },
  releases: { manifest: manifestSchema },
  devices: { doc: device, report: v.looseObject({}) },
  rollouts: { doc: rollout },
  audit: { detail: v.looseObject({}) },
} as const;

/** Requirements for columns that SQLite does not check itself. */
const columnSchemas: Readonly<Record<string, v.GenericSchema>> = {
  releases: v.looseObject({ kind: v.picklist(['sketch', 'filesystem']) }),
  release_blobs: v.looseObject({ sha256: digest }),
  sketch_md5s: v.looseObject({ md5: v.pipe(text, v.regex(/^[0-9a-f]{32}$/, 'must be an MD5 in lower-case hex')) }),
  rollouts: v.looseObject({ state: v.picklist(rolloutStates) }),
};
const anyRow = v.record(text, v.union([text, integer, v.null()]));

/**
 * Checks a row of a backup or of a database, with MD5s in hex.
 *
 * @returns the problem, such as `doc: it is not JSON`; undefined if there is none
 */
export function rowProblem(table: string, row: Readonly<Record<string, unknown>>): string | undefined {
  const problem = issueText(anyRow, row) ?? issueText(columnSchemas[table] ?? anyRow, row);
  if (problem !== undefined) return problem;
  const documents = Object.entries(
    table in documentSchemas ? documentSchemas[table as keyof typeof documentSchemas] : {},
  );
  for (const [column, schema] of documents) {
    const problem = documentProblem(schema, row[column]);
    if (problem !== undefined) return `${column}: ${problem}`;
  }
  return undefined;
}

function documentProblem(schema: v.GenericSchema, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return issueText(schema, JSON.parse(value));
  } catch {
    return 'it is not JSON';
  }
}

function issueText(schema: v.GenericSchema, value: unknown): string | undefined {
  const { success, issues } = v.safeParse(schema, value, { abortEarly: true });
  return success ? undefined : `${v.getDotPath(issues[0]) ?? 'the document'}: ${issues[0].message}`;
}
