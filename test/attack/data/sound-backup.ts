import type { ExecutionContext } from 'ava';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { usedAuthority } from '../../server/tls/authority.ts';
import { runCommand } from '../../support/run-command.ts';
import { firstBuild, secondBuild } from './data-folder.ts';

export interface Line {
  readonly table?: string;
  readonly row?: Readonly<Record<string, unknown>>;
  readonly blob?: string;
  readonly tls?: string;
  readonly base64?: string;
  readonly [key: string]: unknown;
}

export interface Sound {
  /** Lines without the end marker. */
  readonly lines: readonly Line[];
  readonly text: string;
  /** SQLite database of the same server. */
  readonly database: Buffer;
}

export const mac = '18:FE:34:AA:BB:CC';
/** Backup with at least one record of each table, a certificate authority and two releases. */
export async function soundBackup(t: ExecutionContext): Promise<Sound> {
  const folder = await usedAuthority(t);
  const server = await startTestServer(t, { data: folder.path });
  for (const build of [firstBuild, secondBuild]) t.is((await server.publish(build)).status, 201);
  t.is(
    (await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true, name: 'hall', channel: 'beta' }))
      .status,
    200,
  );
  const notes = { version: '2.0', notes: 'Fixes **Wi-Fi**.' };
  t.is((await server.api('PUT', '/projects/door/releases/notes', notes)).status, 200);
  t.is((await requestAsDevice(server.port, '/update/door', { mac: '18:FE:34:00:00:01' })).status, 200);
  const rollout = { version: '2.0', channel: 'beta', stages: [{ share: 50, canaries: ['hall'] }, { share: 100 }] };
  const started = await server.api('POST', '/projects/door/rollouts', rollout);
  t.is(started.status, 201, JSON.stringify(started.body));
  await server.api('PUT', '/projects/door/devices/18:FE:34:AA:BB:CD', { enrolled: true, channel: 'edge' });
  const ended = await server.api('POST', '/projects/door/rollouts', {
    ...rollout,
    channel: 'edge',
    stages: [{ share: 100 }],
  });
  t.is(ended.status, 201, JSON.stringify(ended.body));
  t.is((await server.api('POST', `/projects/door/rollouts/${ended.body['id']}/abort`, {})).status, 200);
  await server.parts.store.charts.takeSample(Date.now(), 0);
  await server.close(0);
  const run = await runCommand(['server', 'backup', '--data', folder.path, '--out', 'b'], { cwd: folder.path });
  t.is(run.exitCode, 0, run.error?.message);
  const text = await folder.text('b');
  const lines = text.trimEnd().split('\n').slice(0, -1);
  return { text, lines: lines.map((line) => JSON.parse(line)), database: await folder.read('ota.db') };
}

/** Text of a backup with a matching end marker. */
export function backupOf(lines: readonly Line[]): string {
  return [...lines, { end: true, lines: lines.length }].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Changes the first line for which `change` returns a different line. */
export function changed(lines: readonly Line[], change: (line: Line) => Line | undefined): string {
  const index = lines.findIndex((line) => change(line) !== undefined);
  if (index === -1) throw new Error('the backup contains no such line');
  const line = lines[index] ?? {};
  return backupOf(lines.with(index, change(line) ?? line));
}

/** Changes columns of the first row of a table. */
export const row = (table: string, columns: Readonly<Record<string, unknown>>) => (sound: Sound) =>
  changed(sound.lines, (line) => (line.table === table ? { table, row: { ...line.row, ...columns } } : undefined));

/** Changes fields of the document in the first row of a table. */
export const doc = (table: string, column: string, fields: Readonly<Record<string, unknown>>) => (sound: Sound) =>
  changed(sound.lines, ({ table: name, row }) =>
    name === table
      ? { table, row: { ...row, [column]: JSON.stringify({ ...JSON.parse(String(row?.[column])), ...fields }) } }
      : undefined,
  );

export const without = (isGone: (line: Line) => boolean) => (sound: Sound) =>
  backupOf(sound.lines.filter((line) => !isGone(line)));
export const withMore = (make: (sound: Sound) => readonly Line[]) => (sound: Sound) =>
  backupOf([...sound.lines, ...make(sound)]);
