import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { DeviceFilter, MemberFilter, RecordPage, SortedPage } from '../store.ts';
import { tallyDevices } from './device-counts.ts';
import type { Engine } from './engine.ts';
import { memberMacs } from './member-lists.ts';

/**
 * Number of devices that one statement compares with a filter that has no index. SQLite compares 20,000 devices in about 10 ms.
 * Device requests are handled between two statements.
 */
const comparedAtOnce = 20_000;
/** Number of members of a rollout that one statement compares with other filters. SQLite limits the number of values in a statement. */
const membersAtOnce = 1000;

/** Filters with an index in the order of the lists. */
const indices = { group: 'devices_of_group', runs: 'devices_of_version', status: 'devices_of_status' } as const;
const columns = { group: 'device_group', runs: 'runs', status: 'status' } as const;

type IndexedFilter = keyof typeof indices;

/** Devices that an index reads in order, and the conditions with which they are compared. */
interface Search {
  readonly index: string;
  readonly read: readonly RawBuilder<SqlBool>[];
  readonly compared: readonly RawBuilder<SqlBool>[];
}

/** Returns a page of MACs, sorted. Reads the part of an index that the filter selects, and never the table. */
export async function listedMacs(
  engine: Engine,
  project: { readonly id: number; readonly name: string },
  page: RecordPage,
  filter: DeviceFilter,
  mostCompared = comparedAtOnce,
): Promise<readonly string[]> {
  if (filter.members !== undefined) {
    const macs = await matchingMembers(engine, project.id, page, filter, filter.members);
    return page.before === undefined ? macs : macs.reverse();
  }
  const search = await searchFor(engine, project, filter);
  if (search === undefined) return [];
  const found: string[] = [];
  for (let rest = page; ; ) {
    const end = search.compared.length === 0 ? undefined : await endOf(engine, search, rest, mostCompared);
    found.push(...(await matches(engine, search, { ...rest, limit: page.limit - found.length }, end)));
    if (found.length === page.limit || end === undefined) break;
    rest = page.before === undefined ? { ...page, after: end } : { ...page, before: end };
    await setImmediate();
  }
  return page.before === undefined ? found : found.reverse();
}

/** Returns the members of a rollout that match the other filters, in the order of `page`. */
async function matchingMembers(
  engine: Engine,
  project: number,
  page: RecordPage,
  filter: DeviceFilter,
  members: MemberFilter,
): Promise<string[]> {
  const conditions = conditionsOf(engine, filter);
  // Devices of an ended rollout may have been removed since, so that a page needs more members than it has devices.
  if (conditions.length === 0 && !members.isFinal) return [...(await memberMacs(engine, members, page))];
  const found: string[] = [];
  for (let rest = page; ; ) {
    const macs = await memberMacs(engine, members, { ...rest, limit: membersAtOnce });
    const last = macs.at(-1);
    if (last === undefined) return found;
    const { rows } = await sql<{ mac: string }>`
      SELECT mac FROM devices WHERE ${sql.join([sql`project_id = ${project}`, sql`mac IN (${sql.join(macs)})`, ...conditions], sql` AND `)}
      ORDER BY mac ${orderOf(page)} LIMIT ${page.limit - found.length}`.execute(engine.db);
    found.push(...rows.map(({ mac }) => mac));
    if (found.length === page.limit || macs.length < membersAtOnce) return found;
    rest = page.before === undefined ? { ...page, after: last } : { ...page, before: last };
    await setImmediate();
  }
}

/**
 * Returns a page of MACs in another order. One statement compares all devices of the project: on SQLite, 200,000 devices take about
 * 200 ms, so this is only for a person's list.
 */
export async function sortedMacs(
  engine: Engine,
  { id }: { readonly id: number },
  { by, isDescending, offset, limit }: SortedPage,
  filter: DeviceFilter,
): Promise<readonly string[]> {
  const column = sql.ref(orderColumns[by]);
  const direction = sql.raw(isDescending ? 'DESC' : 'ASC');
  const conditions = [sql<SqlBool>`project_id = ${id}`, ...conditionsOf(engine, filter)];
  if (filter.members !== undefined) conditions.push(isMember(filter.members));
  const { rows } = await sql<{ mac: string }>`
    SELECT mac FROM devices WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${column} IS NULL, ${column} ${direction}, mac LIMIT ${limit} OFFSET ${offset}`.execute(engine.db);
  return rows.map(({ mac }) => mac);
}

const orderColumns = { mac: 'mac', name: 'name', status: 'status', version: 'runs', seen: 'last_seen_at' } as const;

/** Returns all conditions of a filter except the membership in a rollout. */
function conditionsOf(engine: Engine, filter: DeviceFilter): RawBuilder<SqlBool>[] {
  const { text, label } = filter;
  const keys = (Object.keys(indices) as IndexedFilter[]).filter((key) => filter[key] !== undefined);
  return [
    ...keys.map((key) => sql<SqlBool>`${sql.ref(columns[key])} = ${filter[key]}`),
    ...namesOf(filter),
    ...(label === undefined ? [] : [hasLabel(label)]),
    ...(text === undefined ? [] : [contains(engine, text)]),
    ...comparedOnly(filter),
  ];
}

/** Returns the conditions for which there is no index in the order of the lists. */
function comparedOnly({ board, releases, channel, notSeenSince }: DeviceFilter): RawBuilder<SqlBool>[] {
  const conditions = [
    board === undefined ? undefined : sql<SqlBool>`board = ${board}`,
    releases === undefined
      ? undefined
      : releases.length === 0
        ? sql<SqlBool>`1 = 0`
        : sql<SqlBool>`release_id IN (${sql.join(releases)})`,
    channel === undefined
      ? undefined
      : sql<SqlBool>`replace(' ' || channels || ' ', ${` ${channel} `}, '') <> ' ' || channels || ' '`,
    notSeenSince === undefined ? undefined : sql<SqlBool>`(last_seen_at IS NULL OR last_seen_at < ${notSeenSince})`,
  ];
  return conditions.filter((condition) => condition !== undefined);
}

function isMember({ rollout, parts, isFinal }: MemberFilter): RawBuilder<SqlBool> {
  if (parts.length === 0) return sql<SqlBool>`1 = 0`;
  const pairs = parts.map(({ stage, kind }) => sql<SqlBool>`(stage = ${stage} AND kind = ${kind})`);
  return sql<SqlBool>`mac IN (SELECT mac FROM ${sql.table(isFinal ? 'rollout_results' : 'rollout_members')} WHERE rollout_id = ${rollout} AND (${sql.join(pairs, sql` OR `)}))`;
}

/** Chooses the index for a filter. Returns undefined if no device matches. */
async function searchFor(
  engine: Engine,
  { id, name }: { readonly id: number; readonly name: string },
  filter: DeviceFilter,
): Promise<Search | undefined> {
  const { text } = filter;
  const keys = await narrowestFirst(engine, name, filter);
  if (keys === undefined) return undefined;
  const ofProject = sql<SqlBool>`project_id = ${id}`;
  const equal = (key: IndexedFilter) => sql<SqlBool>`${sql.ref(columns[key])} = ${filter[key]}`;
  const mac = text === undefined ? undefined : completeMac(text);
  const texts = [...(text === undefined ? [] : [contains(engine, text)]), ...comparedOnly(filter)];
  if (mac !== undefined) {
    const also = [...(filter.label === undefined ? [] : [hasLabel(filter.label)]), ...namesOf(filter)];
    return {
      index: 'devices_searched',
      read: [ofProject, sql`mac = ${mac}`],
      compared: [...keys.map(equal), ...also, ...comparedOnly(filter)],
    };
  }
  const names = namesOf(filter);
  const others = [...keys.map(equal), ...texts];
  if (filter.label !== undefined) {
    const labeled = [ofProject, sql<SqlBool>`labels IS NOT NULL`];
    return { index: 'devices_of_labels', read: labeled, compared: [hasLabel(filter.label), ...names, ...others] };
  }
  if (names.length > 0) return { index: 'devices_of_name', read: [ofProject, ...names], compared: others };
  const [first, ...rest] = keys;
  if (first === undefined) {
    const index = comparedOnly(filter).length === 0 ? 'devices_searched' : 'devices_filtered';
    return { index, read: [ofProject], compared: texts };
  }
  return { index: indices[first], read: [ofProject, equal(first)], compared: [...rest.map(equal), ...texts] };
}

/**
 * Sorts the filters that have an index by the number of their devices.
 *
 * @returns undefined if no device matches all of them according to the kept counts
 */
async function narrowestFirst(
  { db }: Engine,
  project: string,
  filter: DeviceFilter,
): Promise<readonly IndexedFilter[] | undefined> {
  const keys = (Object.keys(indices) as IndexedFilter[]).filter((key) => filter[key] !== undefined);
  if (keys.length < 2) return keys;
  const tally = await tallyDevices(db, project);
  const devicesWith = (all: readonly IndexedFilter[]) =>
    tally.reduce((sum, each) => sum + (all.every((key) => each[key] === filter[key]) ? each.devices : 0), 0);
  if (devicesWith(keys) === 0) return undefined;
  return keys.sort((a, b) => devicesWith([a]) - devicesWith([b]));
}

/** Returns the last MAC that the next statement compares; undefined if that is the last statement. */
async function endOf(
  { db, indexedBy }: Engine,
  search: Search,
  page: RecordPage,
  mostCompared: number,
): Promise<string | undefined> {
  const { rows } = await sql<{ mac: string }>`
    SELECT mac FROM devices ${indexedBy(search.index)} WHERE ${sql.join([...search.read, ...between(page)], sql` AND `)}
    ORDER BY mac ${orderOf(page)} LIMIT 1 OFFSET ${mostCompared - 1}`.execute(db);
  return rows[0]?.mac;
}

async function matches(
  { db, indexedBy }: Engine,
  { index, read, compared }: Search,
  page: RecordPage,
  end: string | undefined,
): Promise<string[]> {
  const last = end === undefined ? [] : [page.before === undefined ? sql`mac <= ${end}` : sql`mac >= ${end}`];
  const { rows } = await sql<{ mac: string }>`
    SELECT mac FROM devices ${indexedBy(index)}
    WHERE ${sql.join([...read, ...between(page), ...last, ...compared], sql` AND `)}
    ORDER BY mac ${orderOf(page)} LIMIT ${page.limit}`.execute(db);
  return rows.map(({ mac }) => mac);
}

function between({ after, before }: RecordPage): RawBuilder<SqlBool>[] {
  const conditions = [
    after === undefined ? undefined : sql<SqlBool>`mac > ${after}`,
    before === undefined ? undefined : sql<SqlBool>`mac < ${before}`,
  ];
  return conditions.filter((condition) => condition !== undefined);
}

function orderOf({ before }: RecordPage): RawBuilder<unknown> {
  return sql.raw(before === undefined ? 'ASC' : 'DESC');
}

/** A MAC may be entered without colons. */
function completeMac(text: string): string | undefined {
  const digits = text.replaceAll(':', '').toUpperCase();
  return /^[0-9A-F]{12}$/.test(digits) ? digits.replace(/..(?!$)/g, '$&:') : undefined;
}

function namesOf({ name }: DeviceFilter): RawBuilder<SqlBool>[] {
  return name === undefined ? [] : [sql<SqlBool>`name = ${name}`];
}

/** Both engines have `replace`, which distinguishes upper and lower case. LIKE does not on SQLite. */
function hasLabel(label: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`replace(labels, ${` ${label} `}, '') <> labels`;
}

function contains({ like }: Engine, text: string): RawBuilder<SqlBool> {
  const digits = text.replaceAll(':', '').toUpperCase();
  const isHex = /^[0-9A-F]*$/.test(digits);
  const inName = sql`name ${sql.raw(like)} ${patternOf(text)} ESCAPE '\\'`;
  if (!isHex) return sql<SqlBool>`${inName}`;
  const hasColons = text.includes(':') || digits.length < 3;
  const inMac = hasColons
    ? sql`mac LIKE ${patternOf(text.toUpperCase())}`
    : sql`replace(mac, ':', '') LIKE ${patternOf(digits)}`;
  return sql<SqlBool>`(${inName} OR ${inMac})`;
}

function patternOf(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
