/** The tables in docs/server.md, compared with a database. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { defaultHistory } from '../../src/api/release-admin.ts';
import { chooseDriver } from '../../src/server/storage/sql/sqlite/drivers/choose.ts';
import { openSqliteStore } from '../../src/server/storage/sql/sqlite/open-sqlite.ts';
import { startTestServer } from '../server/running-server.ts';
import { serverCommands } from '../support/server-commands.ts';
import { testFolder } from '../support/test-folder.ts';
import { sectionsOf } from './acts.ts';

const page = await readFile('docs/server.md', 'utf8');
const section = page.slice(page.indexOf('## What the server stores')).split(/\n## /, 1).join();

test('docs/server.md lists every table of the database', async (t) => {
  const path = (await testFolder(t)).at('ota.db');
  await (await openSqliteStore(path, 'a test')).close();
  const database = (await chooseDriver()).open(path);
  const query = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  const tables = (query.all([]) as { name: string }[]).map(({ name }) => name);
  database.close();
  const firstCells = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, cell = '']) => cell);
  const listed = firstCells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
  t.deepEqual(listed.sort(), tables.sort());
});

test('the commands in docs/server.md change and show the limits of a project', async (t) => {
  const server = await startTestServer(t);
  const { run } = serverCommands(server, server.folder);
  const acts = sectionsOf('docs/server.md').find(({ heading }) => heading === 'What the server stores')?.acts ?? [];
  const outputs: string[] = [];
  for (const act of acts) {
    if (act.act !== 'run') continue;
    const { exitCode, stdout, stderr } = await run(...act.command.replace('npx ota-hooks server ', '').split(' '));
    t.is(exitCode, 0, stderr);
    outputs.push(stdout);
  }
  t.regex(outputs[1] ?? '', /^keeps +check-ins 7 days, attempts 90 days, audit for ever$/m);
  for (const limit of ['check-ins=0d', 'attempts=1y', 'webhooks=3d', 'audit=36501d', 'audit']) {
    const { exitCode, error } = await run('projects', 'set', 'door', '--keep-history', limit);
    t.is(exitCode, 2);
    t.regex(error?.message ?? '', /--keep-history .*must be check-ins=DAYS, attempts=DAYS or audit=DAYS/, limit);
  }
});

test('docs/server.md states the default limits', (t) => {
  t.deepEqual(defaultHistory, { checkInDays: 30, attemptDays: 365, auditDays: undefined });
  t.regex(section, /`check-ins` \(30 days/);
  t.regex(section, /`attempts` \(one year/);
  t.regex(section, /`audit` \(for ever\)/);
});
