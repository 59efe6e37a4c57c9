import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { postgresEngine } from '../../../src/server/storage/sql/engines/postgres.ts';
import { migrate, ownMigrations } from '../../../src/server/storage/sql/migrate.ts';
import { openPostgresStore } from '../../../src/server/storage/sql/postgres/open-postgres.ts';
import type { SchemaMigration } from '../../../src/server/storage/sql/schema-migration.ts';
import { openSqliteStore } from '../../../src/server/storage/sql/sqlite/open-sqlite.ts';
import type { DumpLine, Store } from '../../../src/server/storage/store.ts';
import { StoreUnavailableError } from '../../../src/server/storage/store-unavailable.ts';
import { startCutProxy } from '../../engines/cut-proxy.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { auditBy } from '../../server/audit-by.ts';
import { testBuild } from '../../server/builds.ts';
import { project, publication, rollout } from '../../server/storage/contract-records.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { testFolder } from '../../support/test-folder.ts';

const mac = '18:FE:34:00:00:01';
const roomy = { mostDevices: 1000 };
let cluster: PostgresCluster;
let databases = 0;

test.before(async () => {
  cluster = await startPostgres();
});

test.after.always(() => cluster?.end());

function newDatabase(): Promise<string> {
  return cluster.createDatabase(`processes${++databases}`);
}

async function opened(t: ExecutionContext, url: string): Promise<Store> {
  const store = await openPostgresStore(url);
  t.teardown(() => store.close());
  return store;
}

test('creates the tables of a new database once when several processes start at the same time', async (t) => {
  const url = await newDatabase();
  const stores = await Promise.all([1, 2, 3, 4].map(() => opened(t, url)));
  await stores[0]?.catalog.saveProject(project(), auditBy('tester'));
  for (const store of stores) t.is((await store.catalog.revisions()).get('door'), 1);
});

/** Migration that adds to the tables, as a newer version would. */
function addition(oldestProgram: string, table: string): SchemaMigration {
  return {
    oldestProgram,
    async up({ schema }, { text }) {
      await schema.createTable(table).addColumn('name', text).execute();
      for (const changed of ['projects', 'devices', 'audit', 'tokens', 'rollouts']) {
        await schema.alterTable(changed).addColumn(table, text).execute();
      }
    },
  };
}

test('reads and writes while a newer version migrates the database, and is rejected when it becomes too old', async (t) => {
  const url = await newDatabase();
  const store = await opened(t, url);
  await store.catalog.saveProject(project(), auditBy('tester'));
  t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
  const newer = postgresEngine(pg, url, 'a newer version');
  t.teardown(() => newer.close());
  const future: Record<string, SchemaMigration> = { ...ownMigrations, '9998-places': addition('0.1.0', 'places') };
  let revision = 1;
  let isMigrating = true;
  const working = (async () => {
    while (isMigrating) {
      t.is((await store.devices.check('door', mac))?.record?.revision, revision);
      const audit = [auditBy('tester', 'device.edited', { mac })];
      t.is(await store.devices.save({ ...newRecord('door', mac), revision }, { ...roomy, audit }), 'saved');
      revision++;
      t.is((await store.audit.list({ limit: 1 }))[0]?.action, 'device.edited');
      await store.tokens.list();
      await store.rollouts.current();
      await store.catalog.projects();
    }
  })();
  await migrate(newer, future, '0.2.0');
  isMigrating = false;
  await working;
  const upgraded = await opened(t, url);
  t.is((await upgraded.devices.get('door', mac))?.record.revision, revision);
  await migrate(newer, { ...future, '9999-rooms': addition('0.2.0', 'rooms') }, '0.2.0');
  const error = await expectOtaError(t, 'SERVER_DATA_NEWER', () => openPostgresStore(url));
  t.regex(error.message, /requires ota-hooks 0\.2\.0 or newer because of its migration 9999-rooms/);
  t.false(error.message.includes(cluster.password));
  t.is((await store.devices.get('door', mac))?.record.revision, revision, 'the running process is not interrupted');
});

test('rejects an attempt that was decided before a halt that another process is committing', async (t) => {
  const url = await newDatabase();
  const store = await opened(t, url);
  await store.catalog.saveProject(project(), auditBy('tester'));
  t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
  const halt = new pg.Client(url);
  await halt.connect();
  t.teardown(() => halt.end());
  await halt.query('BEGIN; UPDATE projects SET revision = revision + 1');
  let isSettled = false;
  const saving = store.devices
    .save({ ...newRecord('door', mac), revision: 1 }, { ...roomy, projectRevision: 1 })
    .finally(() => {
      isSettled = true;
    });
  const database = new URL(url).pathname.slice(1);
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '${database}'`;
  while (!isSettled && (await cluster.sql(waiting)) === '0');
  await halt.query('COMMIT');
  t.is(await saving, 'stale');
  t.is((await store.devices.get('door', mac))?.record.revision, 1);
});

async function collect(lines: AsyncIterable<DumpLine>): Promise<DumpLine[]> {
  const all: DumpLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test('restores a backup of SQLite into PostgreSQL and back', async (t) => {
  const folder = await testFolder(t);
  const sqlite = async (name: string) => {
    const store = await openSqliteStore(join(folder.path, name, 'ota.db'), 'a test');
    t.teardown(() => store.close());
    return store;
  };
  const [source, copy, target] = [await sqlite('one'), await opened(t, await newDatabase()), await sqlite('two')];
  const { manifest } = await testBuild();
  const { release } = await source.catalog.publish(publication(manifest, '1.0'));
  await source.rollouts.create({ ...rollout(release.id, release.id), channel: 'beta' }, () => auditBy('tester'));
  for (let index = 0; index < 600; index++) {
    const record = newRecord('door', `02:00:00:00:${String(index).padStart(4, '0').replace(/(..)$/, ':$1')}`);
    await source.devices.save({ ...record, enrolled: true, name: `Tür ${index}` }, roomy);
  }
  await source.devices.touch([{ project: 'door', mac: '02:00:00:00:00:07', at: 5, report: { version: '1.0' } }]);
  await source.advanceServedMs(99);
  const lines = await collect(source.dump());
  await copy.restore(lines);
  const copied = await collect(copy.dump());
  t.deepEqual(copied, lines);
  await target.restore(copied);
  t.deepEqual(await collect(target.dump()), lines);
  t.is(await copy.devices.count('door'), 600);
  t.deepEqual(await copy.devices.tally('door'), await source.devices.tally('door'));
  t.deepEqual(
    (await copy.devices.list('door', { limit: 3 }, { text: 'TÜR 5'.toLowerCase() })).map(({ record }) => record.name),
    (await source.devices.list('door', { limit: 3 }, { text: 'TÜR 5'.toLowerCase() })).map(({ record }) => record.name),
  );
  // New IDs follow the restored ones.
  const other = await testBuild({ seed: 9 });
  t.is((await copy.catalog.publish(publication(other.manifest, '2.0'))).release.id, release.id + 1);
  t.is(await copy.rollouts.countNext(1, 1000, () => ({ stage: 0, kind: 'pending' })), 'complete');
  t.is((await copy.rollouts.counts(1))[0]?.devices, 600);
});

test('reads a backup from one moment, while other processes write', async (t) => {
  const store = await opened(t, await newDatabase());
  await store.catalog.saveProject(project(), auditBy('tester'));
  const dump = store.dump()[Symbol.asyncIterator]();
  const first = await dump.next();
  t.is(first.value.table, 'projects');
  t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
  const tables = new Set<string>();
  for (let next = await dump.next(); next.done !== true; next = await dump.next()) tables.add(next.value.table);
  t.deepEqual([...tables], ['audit'], 'the new device is not part of the backup');
});

test('leads in one process, and in another one when the first loses its connection', async (t) => {
  const url = await newDatabase();
  const [one, other] = [await opened(t, url), await opened(t, url)];
  const events = new EventEmitter();
  const led: string[] = [];
  const work = (name: string) => async (signal: AbortSignal) => {
    led.push(name);
    events.emit('change');
    if (!signal.aborted) await once(signal, 'abort');
    led.push(`${name} ended`);
    events.emit('change');
  };
  const until = async (count: number) => {
    while (led.length < count) await once(events, 'change');
  };
  const first = one.lead(work('one'));
  await until(1);
  const second = other.lead(work('other'));
  const database = new URL(url).pathname.slice(1);
  await cluster.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
     AND database = (SELECT oid FROM pg_database WHERE datname = '${database}')`,
  );
  await until(3);
  // The database releases the lock at once, so the next leader may start before the first one notices its loss.
  const [leader = '', ...others] = led.slice(1, 3).filter((entry) => entry !== 'one ended');
  t.deepEqual([led[0], others], ['one', []]);
  await (leader === 'one' ? first : second).stop();
  await until(5);
  const later = led.toSpliced(led.indexOf('one ended'), 1).slice(1);
  t.deepEqual(later, [leader, `${leader} ended`, leader === 'one' ? 'other' : 'one']);
  await Promise.all([first.stop(), second.stop()]);
});

test('sends notices to the other processes, and listens again after a lost connection', async (t) => {
  const url = await newDatabase();
  const [one, other] = [await opened(t, url), await opened(t, url)];
  const received: string[] = [];
  const events = new EventEmitter();
  const own: string[] = [];
  one.notices.subscribe((text) => own.push(text));
  const stop = other.notices.subscribe((text) => {
    received.push(text);
    events.emit('text');
  });
  /** Sends a text again and again, because notices are lost while the other process is not listening yet. */
  const untilReceived = async (text: string) => {
    while (!received.includes(text)) {
      one.notices.send(text);
      await other.wallMs();
    }
  };
  await untilReceived('first');
  const big = 'x'.repeat(6000);
  for (const text of [big, `${big}1`, 'y'.repeat(7001), 'after']) one.notices.send(text);
  while (!received.includes('after')) await once(events, 'text');
  t.deepEqual(
    received.filter((text) => text !== 'first').map((text) => text.length),
    [6000, 6001, 5],
  );
  await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`);
  await untilReceived('again');
  stop();
  t.deepEqual(own, []);
});

test('reports an outage of the database, and works again after it', async (t) => {
  const own = await startPostgres();
  t.teardown(() => own.end());
  const store = await opened(t, await own.createDatabase('outage'));
  await store.catalog.saveProject(project(), auditBy('tester'));
  t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
  await own.stop('immediate');
  const calls = [
    () => store.devices.check('door', mac),
    () => store.devices.save({ ...newRecord('door', mac), revision: 1 }, roomy),
    () => store.rollouts.current(),
    () => store.ping(),
    () => store.sessions.find('x'),
    () => store.failures.take('x', { burst: 1, perSecond: 1 }),
    () => collect(store.dump()),
  ];
  for (const call of calls) {
    const error = await t.throwsAsync(async () => call(), { instanceOf: StoreUnavailableError });
    t.false(String(error?.stack).includes(own.password));
  }
  await own.start();
  t.is((await store.devices.check('door', mac))?.record?.revision, 1);
  t.is(await store.devices.save({ ...newRecord('door', mac), revision: 1 }, roomy), 'saved');
});

test('reports an outage when the network loses all bytes, and works again after it', async (t) => {
  const proxy = await startCutProxy(cluster.port);
  t.teardown(() => proxy.end());
  const url = await newDatabase();
  const store = await opened(t, cluster.url(new URL(url).pathname.slice(1), proxy.port));
  await store.catalog.saveProject(project(), auditBy('tester'));
  await proxy.cut('drop');
  await t.throwsAsync(store.catalog.revisions(), { instanceOf: StoreUnavailableError });
  await t.throwsAsync(store.catalog.saveProject(project(), auditBy('tester')), { instanceOf: StoreUnavailableError });
  await proxy.restore();
  t.is((await store.catalog.revisions()).get('door'), 1);
  t.is((await store.catalog.projects()).length, 1);
});

test('checks devices while transactions wait for a lock', async (t) => {
  const url = await newDatabase();
  const store = await opened(t, url);
  await store.catalog.saveProject(project(), auditBy('tester'));
  t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
  const other = new pg.Client(url);
  await other.connect();
  t.teardown(() => other.end());
  await other.query('BEGIN; UPDATE projects SET revision = revision + 1');
  let settled = 0;
  const saves = Array.from({ length: 20 }, () =>
    store.devices.save({ ...newRecord('door', mac), revision: 1 }, { ...roomy, projectRevision: 1 }).finally(() => {
      settled++;
    }),
  );
  const database = new URL(url).pathname.slice(1);
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '${database}'`;
  while ((await cluster.sql(waiting)) === '0');
  for (let count = 0; count < 20; count++) t.is((await store.devices.check('door', mac))?.revision, 1);
  await store.ping();
  t.is(settled, 0);
  await other.query('COMMIT');
  t.deepEqual(new Set(await Promise.all(saves)), new Set(['stale']));
});

test('pings the database while many statements wait', async (t) => {
  const url = await newDatabase();
  const store = await opened(t, url);
  await store.catalog.saveProject(project(), auditBy('tester'));
  const other = new pg.Client(url);
  await other.connect();
  t.teardown(() => other.end());
  await other.query('BEGIN; LOCK TABLE devices');
  let settled = 0;
  const checks = Array.from({ length: 20 }, () =>
    store.devices.check('door', mac).finally(() => {
      settled++;
    }),
  );
  await store.ping();
  t.is(settled, 0);
  await other.query('COMMIT');
  await Promise.all(checks);
});

test('continues a transaction soon when the process that holds its lock is cut off', async (t) => {
  const proxy = await startCutProxy(cluster.port);
  t.teardown(() => proxy.end());
  const url = await newDatabase();
  const [store, cutOff] = [
    await opened(t, url),
    await opened(t, cluster.url(new URL(url).pathname.slice(1), proxy.port)),
  ];
  const order: string[] = [];
  let other: Promise<unknown> | undefined;
  const failed = cutOff.seal((before) => {
    proxy.cut('drop');
    other = store.seal(() => ({ id: 'other', seals: 1 })).then(() => order.push('other'));
    return { id: before?.id ?? 'cut-off', seals: 1 };
  });
  await t.throwsAsync(failed, { instanceOf: StoreUnavailableError });
  order.push('cut off');
  await other;
  t.deepEqual(order, ['other', 'cut off']);
  t.deepEqual(await store.identity(), { id: 'other', seals: 1 });
});

test('keeps an upload locked until its blob is removed', async (t) => {
  const store = await opened(t, await newDatabase());
  const sent = { token: 'someone', sha256: 'ab'.repeat(32), sizeBytes: 1 };
  await store.uploads.add({ ...sent, at: 1 });
  let renewed: Promise<unknown> | undefined;
  const wasRemoved = await store.uploads.removeUnpublished(sent.sha256, 2, async () => {
    renewed = t.throwsAsync(store.uploads.add({ ...sent, at: 3 }), { instanceOf: StoreUnavailableError });
    await renewed;
  });
  t.true(wasRemoved);
  t.false(await store.uploads.has(sent.token, sent.sha256));
});

test('replaces idle connections that were lost unnoticed', async (t) => {
  const proxy = await startCutProxy(cluster.port);
  t.teardown(() => proxy.end());
  const url = await newDatabase();
  const database = new URL(url).pathname.slice(1);
  const store = await opened(t, cluster.url(database, proxy.port));
  await store.catalog.saveProject(project(), auditBy('tester'));
  t.is(await store.devices.save(newRecord('door', mac), roomy), 'saved');
  const checks = () => Promise.all(Array.from({ length: 10 }, () => store.devices.check('door', mac)));
  await checks();
  await proxy.cut('drop');
  await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`);
  await proxy.restore();
  t.deepEqual(new Set((await checks()).map((checked) => checked?.record?.revision)), new Set([1]));
  t.is(await store.devices.save({ ...newRecord('door', mac), revision: 1 }, roomy), 'saved');
});

test('reports a database that accepts no writes as an outage', async (t) => {
  const url = await newDatabase();
  const store = await opened(t, url);
  const database = new URL(url).pathname.slice(1);
  await cluster.sql(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
  await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`);
  // Each connection of the pool that was terminated fails one statement. The store has fewer than 20 of them.
  const errors: string[] = [];
  while (errors.length <= 20 && !errors.at(-1)?.includes('read-only')) {
    const error = await t.throwsAsync(store.ping(), { instanceOf: StoreUnavailableError });
    errors.push(error?.message ?? '');
  }
  t.regex(errors.at(-1) ?? '', /read-only/);
  const error = await expectOtaError(t, 'DATABASE_READ_ONLY', () => openPostgresStore(url));
  t.true(error.message.endsWith(`/${database} is read-only`));
});

test('rejects a database that it cannot use, without its password in the error', async (t) => {
  const url = await newDatabase();
  const database = new URL(url).pathname.slice(1);
  const hostAndPort = `127.0.0.1:${cluster.port}`;
  const wrong = await expectOtaError(t, 'DATABASE_LOGIN_REJECTED', () =>
    openPostgresStore(`postgres://ota:hidden-password@${hostAndPort}/${database}`),
  );
  t.is(
    wrong.message,
    `The database postgres://ota@${hostAndPort}/${database} rejected the login: password authentication failed for user "ota"`,
  );
  const without = await expectOtaError(t, 'DATABASE_LOGIN_REJECTED', () =>
    openPostgresStore(`postgres://ota@${hostAndPort}/${database}`),
  );
  t.true(without.message.endsWith('no password was given'));
  await expectOtaError(t, 'DATABASE_MISSING', () => openPostgresStore(cluster.url('no_such_database')));
  await cluster.sql("CREATE ROLE guest LOGIN PASSWORD 'hidden-password'");
  const guest = await expectOtaError(t, 'DATABASE_REJECTED', () =>
    openPostgresStore(`postgres://guest:hidden-password@${hostAndPort}/${database}`),
  );
  t.regex(guest.message, /permission denied for schema public$/);
  t.is(await cluster.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database), '0');
  await cluster.sql('CREATE TABLE customers (id int)', database);
  const foreign = await expectOtaError(t, 'SERVER_DATABASE_FOREIGN', () => openPostgresStore(url));
  t.regex(foreign.message, /belongs to another program: it has the table customers/);
  t.is(await cluster.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database), '1');
});
