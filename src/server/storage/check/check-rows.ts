import { rowProblem } from '../document-schemas.ts';
import { identityKey } from '../sql/store-facts.ts';
import { storedJson } from '../sql/stored-json.ts';
import { type TableName, tableNames } from '../sql/tables.ts';
import type { DataIdentity, DumpLine } from '../store.ts';
import type { DataProblem } from './findings.ts';
import { limitProblem, withoutWrongAliases } from './record-limits.ts';
import { type Contradiction, RelatedRecords } from './related-records.ts';
import type { RowRepair } from './row-repairs.ts';
import { rowName } from './table-rows.ts';

/** Maximum number of problems reported per kind of damage, so that one damaged page does not fill the screen. */
export const mostReported = 50;

const unusable: readonly DataProblem['kind'][] = [
  'database-damaged',
  'database-newer',
  'record-invalid',
  'record-unconnected',
];

type Row = DumpLine['row'];

/** Problems and facts that were found in the rows so far. */
export interface Found {
  readonly problems: DataProblem[];
  readonly repairs: RowRepair[];
  readonly related: RelatedRecords;
  readonly records: Record<string, number>;
  identity: DataIdentity | undefined;
  readonly blobs: Map<string, string>;
  readonly releases: Map<unknown, string>;
}

export function noFindings(): Found {
  return {
    problems: [],
    repairs: [],
    related: new RelatedRecords(),
    records: {},
    identity: undefined,
    blobs: new Map(),
    releases: new Map(),
  };
}

/** Checks the rows of a backup or of a database, and compares the records with each other. */
export async function checkRows(lines: AsyncIterable<DumpLine>): Promise<Found> {
  const found = noFindings();
  for await (const { table, row } of lines) {
    const name = tableNames.find((known) => known === table);
    if (name !== undefined) checkRow(found, name, row);
  }
  if (isUsable(found)) for (const contradiction of found.related.contradictions()) note(found, contradiction);
  return found;
}

export function checkRow(found: Found, table: TableName, row: Readonly<Record<string, unknown>>): void {
  found.records[table] = (found.records[table] ?? 0) + 1;
  const problem = rowProblem(table, row);
  if (problem !== undefined) {
    note(found, { kind: 'record-invalid', message: `${rowName(table, row)}: ${problem}` });
    return;
  }
  // `rowProblem` has checked the types of the values.
  const json = row as DumpLine['row'];
  const limit = limitProblem(table, json);
  if (limit !== undefined) note(found, beyondLimits(table, json, limit));
  noteRow(found, table, json);
}

/** Records that cannot be used leave gaps, which would look like contradictions. */
export function isUsable({ problems }: Pick<Found, 'problems'>): boolean {
  return !problems.some(({ kind }) => unusable.includes(kind));
}

function beyondLimits(table: TableName, row: Row, problem: string): Contradiction {
  const name = rowName(table, row);
  const repaired = table === 'projects' ? withoutWrongAliases(row) : undefined;
  const repair = repaired && { name, row: repaired, change: `Removed the aliases of ${name} that are not allowed` };
  return { kind: 'record-beyond-limits', message: `${name}: ${problem}`, repair };
}

/** Collects the data that the blob checks require. Projects precede their releases, and releases precede their blobs. */
function noteRow(found: Found, table: string, row: Row): void {
  found.related.add(table, row);
  if (table === 'meta' && row['key'] === identityKey) {
    found.identity = storedJson<DataIdentity>(String(row['value']), 'the identity of the data');
  }
  if (table === 'projects') found.releases.set(`project ${row['id']}`, String(row['name']));
  if (table === 'releases') {
    found.releases.set(row['id'], `${found.releases.get(`project ${row['project_id']}`)} ${row['version']}`);
  }
  if (table === 'release_blobs') {
    found.blobs.set(String(row['sha256']), found.releases.get(row['release_id']) ?? 'an unknown release');
  }
}

/** Records a problem and its repair. The number of repairs is not limited, so that one run of `--repair` makes all of them. */
export function note({ problems, repairs }: Found, { repair, ...problem }: Contradiction): void {
  if (repair !== undefined) repairs.push(repair);
  if (problems.filter(({ kind }) => kind === problem.kind).length < mostReported) problems.push(problem);
}
