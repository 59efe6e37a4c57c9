import * as v from 'valibot';
import { deviceStatuses } from '../../api/admin-info.ts';
import { approvalModes } from '../../api/approvals.ts';
import { channelRequestSchema, firmwareVersion, resourceName } from '../../api/release.ts';
import { historyDays, mac } from '../../api/release-admin.ts';
import { gateSchema, haltSchema, rolloutStates, stageSchema, windowSchema } from '../../api/rollout.ts';
import { memberStatuses } from '../../api/rollout-info.ts';
import { deliveryStates, webhookEvents, webhookFormats } from '../../api/webhooks.ts';
import { flashModes } from '../../core/firmware/flash-header.ts';
import { printable } from '../../core/model/fields.ts';
import { manifestSchema } from '../../core/model/manifest.ts';
import { preflightFixSchema } from '../../core/model/preflight-fix.ts';
import { isNestedDeeper } from '../../files/json-depth.ts';
import { tableNames, type WebhookTable } from './sql/tables.ts';

/** The server writes documents with fewer levels. JSON.stringify and SQLite fail on thousands of levels. */
const mostLevels = 64;
/** Maximum ID. SQLite assigns IDs after the largest existing one, and the new IDs must also be exact in JavaScript. */
const mostRows = 2 ** 48;
/** Latest time that a Date can represent, in milliseconds since 1970. */
const lastTime = 8.64e15;

const text = v.string();
const label = v.pipe(text, printable);
/** SQLite returns larger integers as an error. */
const integer = v.pipe(v.number(), v.safeInteger());
const count = v.pipe(integer, v.minValue(0));
const id = v.pipe(count, v.maxValue(mostRows));
const time = v.pipe(integer, v.minValue(0), v.maxValue(lastTime));
/** Milliseconds on the `ServiceTime.servedMs` clock. */
const served = v.pipe(v.number(), v.minValue(0), v.maxValue(lastTime));
const digest = v.pipe(text, v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex'));
const kind = v.picklist(['sketch', 'filesystem']);

const credential = v.looseObject({ user: label, salt: text, hash: text });
const project = v.looseObject({
  createdAt: time,
  access: v.picklist(['open', 'closed']),
  keys: v.array(v.looseObject({ fingerprint: text, pem: text })),
  aliases: v.array(v.looseObject({ path: v.pipe(label, v.startsWith('/')), channel: resourceName })),
  credential: v.optional(credential),
  confirmWithinMs: count,
  mostSends: count,
  stalledAfterMs: v.optional(count),
  publisherRules: v.optional(v.array(text)),
  history: v.optional(
    v.looseObject({
      checkInDays: v.optional(historyDays),
      attemptDays: v.optional(historyDays),
      auditDays: v.optional(historyDays),
    }),
  ),
  approval: v.optional(v.picklist(approvalModes)),
  approvals: v.optional(
    v.array(
      v.looseObject({
        id: text,
        version: firmwareVersion,
        channel: resourceName,
        releaseIds: v.array(id),
        rollout: v.optional(v.looseObject({ stages: v.array(stageSchema), gate: gateSchema, halt: haltSchema })),
        parts: channelRequestSchema.entries.parts,
        allow: channelRequestSchema.entries.allow,
        by: label,
        at: time,
      }),
    ),
  ),
});
const source = v.looseObject({ address: v.optional(text), at: v.optional(time), authenticated: v.boolean() });
const attempt = v.looseObject({
  releaseId: id,
  version: text,
  kind,
  state: v.picklist(['sent', 'received', 'interrupted', 'running', 'failed']),
  sends: count,
  receipts: count,
  interruptions: count,
  lastInterrupted: v.optional(count),
  lastSentAt: time,
  dueMs: served,
  from: v.optional(source),
  failure: v.optional(v.picklist(['not-confirmed', 'not-installed'])),
  rejection: v.optional(count),
});
const decision = v.looseObject({
  action: v.picklist(['send', 'up-to-date', 'none']),
  code: text,
  text,
  version: v.optional(text),
  blocked: v.optional(
    v.looseObject({
      artifact: text,
      findings: v.array(v.looseObject({ rule: text, message: text, fixes: v.array(preflightFixSchema) })),
    }),
  ),
  at: time,
  authenticated: v.optional(v.boolean()),
});
const secret = v.looseObject({ hash: text, createdAt: time, usedAt: v.optional(time) });
const device = v.looseObject({
  enrolled: v.boolean(),
  name: v.optional(label),
  board: v.optional(label),
  channel: v.optional(resourceName),
  requestedChannels: v.optional(v.array(text)),
  group: v.optional(resourceName),
  labels: v.optional(v.array(resourceName)),
  pin: v.optional(firmwareVersion),
  install: v.optional(v.looseObject({ version: firmwareVersion, kinds: v.array(kind) })),
  atomicFs: v.optional(v.boolean()),
  allow: v.optional(v.array(text)),
  credential: v.optional(credential),
  secrets: v.optional(
    v.looseObject({ required: v.boolean(), newest: v.optional(secret), previous: v.optional(secret) }),
  ),
  firstSeenAt: v.optional(time),
  proven: v.optional(v.boolean()),
  running: v.optional(
    v.looseObject({
      by: v.picklist(['md5', 'version']),
      version: text,
      releaseId: v.optional(id),
      sinceMs: v.optional(served),
      from: v.optional(source),
    }),
  ),
  shownBoard: v.optional(label),
  exclusion: v.optional(
    v.looseObject({
      version: text,
      code: v.picklist(['board-unknown', 'no-image']),
      text,
      setBoard: v.optional(label),
      isProven: v.boolean(),
    }),
  ),
  decisions: v.looseObject({ sketch: v.optional(decision), filesystem: v.optional(decision) }),
  attempts: v.array(attempt),
});
const report = v.looseObject({
  sketchMd5: v.optional(text),
  version: v.optional(text),
  sdkVersion: v.optional(text),
  chipSizeBytes: v.optional(v.number()),
  sketchSizeBytes: v.optional(v.number()),
  freeSpaceBytes: v.optional(v.number()),
});
/** Text of `RolloutMember.kind`; see services/rollouts/tally.ts. */
const memberKind = v.pipe(
  text,
  v.regex(
    new RegExp(`^(${memberStatuses.join('|')})( not-confirmed)?( unproven)?( with-credentials)?$`),
    'must be the status of a device in a rollout',
  ),
);
const rollout = v.pipe(
  v.looseObject({
    version: text,
    releaseIds: v.array(id),
    previousIds: v.array(id),
    stages: v.pipe(v.array(v.required(stageSchema)), v.minLength(1)),
    gate: v.looseObject({ runningPercent: v.number(), soakMs: count }),
    halt: v.required(haltSchema),
    window: v.optional(windowSchema),
    perHour: v.optional(count),
    reason: v.optional(text),
    openStages: count,
    accepted: v.looseObject({
      failed: count,
      notConfirmed: count,
      unprovenFailed: count,
      unprovenNotConfirmed: count,
    }),
    unprovenResumes: count,
    startedAt: time,
    startedMs: served,
    startedBy: text,
    endedAt: v.optional(time),
    progress: v.optional(v.looseObject({ running: count, servedMs: served })),
    stalled: v.optional(v.looseObject({ at: time, cause: text })),
    history: v.array(v.looseObject({ at: time, event: text, by: text, reason: v.optional(text) })),
    samples: v.array(v.looseObject({ at: time, updating: count, running: count, failed: count, openStages: count })),
    result: v.optional(
      v.looseObject({
        at: time,
        tallies: v.array(v.record(text, count)),
        unproven: v.optional(v.looseObject({ devices: count, addresses: count })),
        counts: v.optional(v.array(v.looseObject({ stage: count, kind: memberKind, devices: count }))),
      }),
    ),
  }),
  v.check(({ openStages, stages }) => openStages <= stages.length, 'more stages are open than exist'),
);

/**
 * Fields that the server requires in the JSON documents of each table, by column. Additional fields are allowed. Restoring a backup and
 * `server check` check all of these fields; reading a single record checks fewer of them.
 */
export const documentSchemas = {
  projects: { doc: project },
  releases: { manifest: manifestSchema },
  devices: { doc: device, report },
  rollouts: { doc: rollout },
  audit: { detail: v.looseObject({}) },
} as const;

const row = v.record(text, v.union([text, integer, v.null()]));

/** Requirements for columns that SQLite does not check itself. */
const columnSchemas: Readonly<Record<(typeof tableNames)[number], v.GenericSchema>> = {
  meta: v.pipe(
    v.looseObject({ key: text, value: text }),
    v.check(
      ({ key, value }) => key !== 'served-ms' || v.is(served, Number(value)),
      'the clock value is not a valid time',
    ),
  ),
  projects: v.looseObject({ id, name: resourceName, revision: count }),
  releases: v.looseObject({ id, version: firmwareVersion, kind, board: label, published_at: time }),
  release_notes: v.looseObject({ version: firmwareVersion, notes: text }),
  release_blobs: v.looseObject({ sha256: digest }),
  sketch_md5s: v.looseObject({
    md5: v.pipe(text, v.regex(/^[0-9a-f]{32}$/, 'must be an MD5 in lower-case hex')),
    flash_mode: v.pipe(count, v.maxValue(flashModes.length - 1)),
  }),
  current_releases: v.looseObject({ channel: resourceName, kind }),
  promotions: v.looseObject({ id, channel: resourceName, at: time }),
  devices: v.looseObject({
    mac,
    retention: v.picklist([0, 1, 2]),
    due_ms: v.nullish(served),
    last_seen_at: v.nullish(time),
    status: v.picklist(deviceStatuses),
    name: v.nullish(label),
  }),
  rollouts: v.looseObject({ id, revision: count, channel: resourceName, state: v.picklist(rolloutStates) }),
  rollout_results: v.looseObject({ stage: count, kind: memberKind, mac }),
  tokens: v.looseObject({ name: label, created_at: time }),
  uploads: v.looseObject({ size_bytes: count, at: time, complete: v.picklist([0, 1]) }),
  audit: v.looseObject({ id, at: time }),
  version_samples: v.looseObject({ at: time, version: v.union([v.literal(''), firmwareVersion]), devices: count }),
};

const webhookSchemas: Readonly<Record<WebhookTable, v.GenericSchema>> = {
  webhooks: v.looseObject({
    id,
    // The message must not contain the URL.
    url: v.pipe(
      text,
      v.check((url) => URL.canParse(url), 'is not a URL'),
    ),
    format: v.picklist(webhookFormats),
    created_at: time,
  }),
  webhook_deliveries: v.looseObject({
    id,
    event: v.picklist(webhookEvents),
    payload: v.pipe(
      text,
      v.check((payload) => documentProblem(v.looseObject({}), payload) === undefined, 'is not an event'),
    ),
    state: v.picklist(deliveryStates),
    at: time,
    attempts: count,
    next_at: time,
  }),
};

/** Checks a row of a table that is not part of a backup. Returns the problem, without any secret; undefined if there is none. */
export function webhookProblem(table: WebhookTable, columns: Readonly<Record<string, unknown>>): string | undefined {
  return issueText(webhookSchemas[table], columns);
}

/**
 * Checks a row of a backup or of a database.
 *
 * @returns the problem, such as `doc: it is not JSON`; undefined if there is none
 */
export function rowProblem(table: string, columns: Readonly<Record<string, unknown>>): string | undefined {
  const name = tableNames.find((known) => known === table);
  if (name === undefined) return 'there is no such table';
  const problem = issueText(row, columns) ?? issueText(columnSchemas[name], columns);
  if (problem !== undefined) return problem;
  const documents = Object.entries(
    name in documentSchemas ? documentSchemas[name as keyof typeof documentSchemas] : {},
  );
  for (const [column, schema] of documents) {
    const problem = documentProblem(schema, columns[column]);
    if (problem !== undefined) return `${column}: ${problem}`;
  }
  return undefined;
}

function documentProblem(schema: v.GenericSchema, value: unknown): string | undefined {
  // SQLite checks which columns may be empty.
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') return 'it is not text';
  if (isNestedDeeper(value, mostLevels)) return `it has more than ${mostLevels} levels`;
  try {
    return issueText(schema, JSON.parse(value));
  } catch {
    return 'it is not JSON';
  }
}

export function issueText(schema: v.GenericSchema, value: unknown): string | undefined {
  const { success, issues } = v.safeParse(schema, value, { abortEarly: true });
  return success ? undefined : `${v.getDotPath(issues[0]) ?? 'the document'}: ${issues[0].message}`;
}
