import * as v from 'valibot';
import { mostBlobBytes, reasonText, releaseNotesText, resourceName } from '../../../api/release.ts';
import {
  credentialUser,
  deviceRequestSchema,
  mac,
  projectRequestSchema,
  tokenRequestSchema,
} from '../../../api/release-admin.ts';
import { rolloutRequestSchema } from '../../../api/rollout.ts';
import { readPublicKey } from '../../../core/keys/public-key.ts';
import { printable, sha256 } from '../../../core/model/fields.ts';
import { manifestSchema } from '../../../core/model/manifest.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import { type DeviceDoc, deviceRecord } from '../device-record.ts';
import { issueText } from '../document-schemas.ts';
import { beyondReleaseLimits } from '../release-record.ts';
import { derivedColumns } from '../sql/device-counts.ts';
import type { DumpLine } from '../store.ts';

type Row = DumpLine['row'];

const text = v.string();
const label = v.pipe(text, printable);
const list = v.pipe(
  text,
  v.transform((words) => words.split(' ').filter((word) => word !== '')),
);
const unprintable = 'must not contain control characters or text direction marks';
const tokenId = v.pipe(text, v.regex(/^([0-9a-f]{12}|person:[^,]{1,64})$/, 'must be a token ID'), printable);

const credential = v.looseObject({
  user: credentialUser,
  salt: v.pipe(text, v.regex(/^[\w-]{22}$/, 'must be a salt of 16 bytes')),
  hash: v.pipe(text, v.regex(/^[\w-]{43}$/, 'must be a hash of 32 bytes')),
});
const key = v.pipe(
  v.looseObject({ fingerprint: sha256, pem: v.pipe(text, v.maxLength(4096)) }),
  v.check(
    ({ fingerprint, pem }) => fingerprintOf(pem) === fingerprint,
    'the fingerprint does not match the public key',
  ),
);
const { aliases, confirmWithinMs, mostSends, stalledAfterMs, publisherRules } = projectRequestSchema.entries;
const project = v.looseObject({
  keys: v.pipe(v.array(key), v.maxLength(8)),
  aliases,
  credential: v.optional(credential),
  confirmWithinMs,
  mostSends,
  stalledAfterMs,
  publisherRules,
});
const { name, board, channel, group, pin, allow } = deviceRequestSchema.entries;
const secret = v.looseObject({ hash: sha256 });
const device = v.looseObject({
  name,
  board,
  channel,
  group,
  pin,
  allow,
  credential: v.optional(credential),
  secrets: v.optional(v.looseObject({ newest: v.optional(secret), previous: v.optional(secret) })),
});
const { version, stages, gate, halt } = rolloutRequestSchema.entries;
const rollout = v.pipe(
  v.looseObject({ version, stages, gate, halt, openStages: v.pipe(v.number(), v.minValue(1, 'must be 1 or more')) }),
  v.check((document) => isPrintable(document), unprintable),
);

/**
 * Limits that the API applies to the values that clients choose, by table and column. The server can read records beyond these limits, but
 * never writes them. Columns that contain a document are parsed first.
 */
const limits: Readonly<Record<string, v.GenericSchema>> = {
  projects: v.looseObject({ doc: project }),
  releases: v.looseObject({
    trusted: v.picklist([0, 1]),
    yanked: v.nullish(reasonText),
    manifest: v.pipe(
      manifestSchema,
      v.check(
        (manifest) => beyondReleaseLimits(manifest).length === 0,
        'the release has too many artifacts or a long name',
      ),
    ),
  }),
  release_notes: v.looseObject({ notes: releaseNotesText }),
  devices: v.pipe(
    v.looseObject({
      mac: v.pipe(
        text,
        v.check((found) => found === found.toUpperCase(), 'must be in upper case'),
        mac,
      ),
      doc: device,
    }),
    v.check((row) => isIndexed(row), 'the columns for lists do not match the document'),
  ),
  rollouts: v.looseObject({ doc: rollout }),
  tokens: v.looseObject({
    id: tokenId,
    hash: sha256,
    roles: v.pipe(list, tokenRequestSchema.entries.roles),
    channels: v.pipe(list, v.array(resourceName)),
    project: v.nullish(resourceName),
    name: tokenRequestSchema.entries.name,
  }),
  uploads: v.looseObject({
    token: tokenId,
    sha256,
    size_bytes: v.pipe(v.number(), v.maxValue(mostBlobBytes)),
  }),
  audit: v.looseObject({
    actor: label,
    action: label,
    project: v.nullish(resourceName),
    detail: v.pipe(
      v.looseObject({}),
      v.check((document) => isPrintable(document), unprintable),
    ),
  }),
};

/** Columns that contain a JSON document. */
const documentColumns = ['doc', 'manifest', 'detail'];

/**
 * Checks whether the API would have accepted the values in a row.
 *
 * @param row row without problems according to `rowProblem`
 * @returns the problem, such as `doc.aliases.0.path: is a path of the server itself`; undefined if there is none
 */
export function limitProblem(table: string, row: Row): string | undefined {
  const schema = limits[table];
  return schema === undefined ? undefined : issueText(schema, withDocuments(row));
}

/** Returns a project without the aliases that the API rejects; undefined if it would still exceed limits. */
export function withoutWrongAliases(row: Row): Row | undefined {
  const { aliases: before, ...others } = JSON.parse(String(row['doc']));
  const kept = before.filter((alias: unknown) => v.is(aliases, [alias]));
  const changed = { ...row, doc: JSON.stringify({ ...others, aliases: kept }) };
  return limitProblem('projects', changed) === undefined ? changed : undefined;
}

function withDocuments(row: Row): Readonly<Record<string, unknown>> {
  const entries = Object.entries(row).map(([column, value]) => {
    const isDocument = documentColumns.includes(column) && typeof value === 'string';
    return [column, isDocument ? JSON.parse(value) : value];
  });
  return Object.fromEntries(entries);
}

/**
 * Returns whether the columns by which lists are filtered match the document. The server derives these columns from the document. A row from
 * before the migration 0020 lacks some of them.
 */
function isIndexed(row: Readonly<Record<string, unknown>> & { readonly mac: string; readonly doc: object }): boolean {
  // `rowProblem` has checked the document.
  const record = deviceRecord({ project: '', mac: row.mac, revision: 0 }, row.doc as DeviceDoc);
  return Object.entries(derivedColumns(record)).every(([column, value]) => !(column in row) || row[column] === value);
}

function isPrintable(value: unknown): boolean {
  if (typeof value === 'string') return printableText.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, item]) => printableText.test(name) && isPrintable(item));
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return readPublicKey(pem, 'the key').fingerprint;
  } catch {
    return undefined;
  }
}
