/** Crafted backups: each is rejected with a named error and no part of it is stored, or the restored server works and its data is sound. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createToken } from '../../../src/server/services/tokens.ts';
import { tableNames } from '../../../src/server/storage/sql/tables.ts';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { hosts } from '../../server/tls/authority.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { variantsOf } from '../readers/mutations.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { changedValue, hostileValues } from '../support/changed-value.ts';
import { inParallel } from '../support/in-parallel.ts';
import { exists } from './data-folder.ts';
import {
  backupOf,
  changed,
  doc,
  type Line,
  mac,
  row,
  type Sound,
  soundBackup,
  withMore,
  without,
} from './sound-backup.ts';

const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

const header = (fields: object) => (sound: Sound) =>
  backupOf([{ ...sound.lines[0], ...fields }, ...sound.lines.slice(1)]);
const twice = (isIt: (line: Line) => boolean) => withMore(({ lines }) => lines.filter(isIt).slice(0, 1));
const tls = (name: string, content: string) => (sound: Sound) =>
  changed(sound.lines, (line) =>
    line.tls === name ? { tls: name, base64: Buffer.from(content).toString('base64') } : undefined,
  );
const blobOf = (content: string): Line => ({
  blob: createHash('sha256').update(content).digest('hex'),
  base64: Buffer.from(content).toString('base64'),
});
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});

type Craft = (sound: Sound) => string | Uint8Array;

const documents = [
  ['projects', 'doc'],
  ['releases', 'manifest'],
  ['devices', 'doc'],
  ['devices', 'report'],
  ['rollouts', 'doc'],
  ['audit', 'detail'],
] as const;
const tables = ['projects', 'releases', 'devices', 'rollouts', 'tokens', 'audit', 'current_releases', 'promotions'];

const crafted: Readonly<Record<string, Craft>> = {
  ...Object.fromEntries(
    documents.flatMap(([table, column]) => [
      [`${table}.${column} is not JSON`, row(table, { [column]: '{"half' })],
      [`${table}.${column} is null`, row(table, { [column]: 'null' })],
      [`${table}.${column} is a list`, row(table, { [column]: '[]' })],
      [`${table}.${column} is empty`, row(table, { [column]: '{}' })],
      [`${table}.${column} is a number instead of text`, row(table, { [column]: 7 })],
      [`${table}.${column} is nested 100,000 levels`, row(table, { [column]: deep })],
      [
        `${table}.${column} contains a deep field`,
        (sound: Sound) => {
          const text = doc(table, column, { mark: '@' })(sound);
          return text.replace('\\"mark\\":\\"@\\"', `\\"mark\\":${deep.replaceAll('"', '\\"')}`);
        },
      ],
    ]),
  ),
  ...Object.fromEntries(tables.map((table) => [`${table} is missing`, without((line) => line.table === table)])),
  ...Object.fromEntries(tables.map((table) => [`${table} has a row twice`, twice((line) => line.table === table)])),
  ...Object.fromEntries(
    [0, 0.02, 0.2, 0.4, 0.6, 0.8, 0.99].map((part) => [
      `ends after ${part * 100}%`,
      ({ text }: Sound) => text.slice(0, Math.floor(text.length * part)),
    ]),
  ),
  'ends after the header': ({ lines }) => `${JSON.stringify(lines[0])}\n`,
  'ends before the end marker': ({ text }) => text.slice(0, text.lastIndexOf('{"end"')),
  'format 0': header({ format: 0 }),
  'format -1': header({ format: -1 }),
  'format 2': header({ format: 2 }),
  'format 1e308': header({ format: 1e308 }),
  'format as text': header({ format: '1' }),
  'another program': header({ backup: 'other' }),
  'no header': ({ lines }) => backupOf(lines.slice(1)),
  'two headers': ({ lines }) => backupOf([lines[0] ?? {}, ...lines]),
  'more lines after the end': ({ text }) => `${text}${text}`,
  'a wrong count': ({ lines, text }) => text.replace(`"lines":${lines.length}}`, `"lines":${lines.length + 1}}`),
  'a huge count': ({ lines, text }) => text.replace(`"lines":${lines.length}}`, '"lines":1e308}'),
  'a negative count': ({ lines, text }) => text.replace(`"lines":${lines.length}}`, '"lines":-1}'),
  'empty lines': ({ text }) => text.replaceAll('\n', '\n\n'),
  'CRLF line ends': ({ text }) => text.replaceAll('\n', '\r\n'),
  'a byte order mark': ({ text }) => `\ufeff${text}`,
  'UTF-16': ({ text }) => Buffer.from(text, 'utf16le'),
  gzip: ({ text }) => gzipSync(text),
  'a gzip bomb': () => gzipSync(Buffer.alloc(20_000_000)),
  'a SQLite database': ({ database }) => database,
  'NUL bytes': () => Buffer.alloc(100_000),
  'a list': () => '[]\n',
  'a nested list': () => '['.repeat(1_000_000),
  'nested objects as the header': () => `${deep}\n`,
  'a line of 40 MB': ({ text }) => `${text.slice(0, text.indexOf('\n') + 1)}"${'a'.repeat(40_000_000)}`,
  'an unknown kind of line': withMore(() => [{ file: '/etc/passwd', base64: '' }]),
  'an unknown table': withMore(() => [{ table: 'sqlite_schema', row: { name: 'x' } }]),
  'an unknown column': row('projects', { owner: 'x' }),
  'a missing column': ({ lines }) =>
    changed(lines, (line) =>
      line.table === 'projects' ? { table: 'projects', row: { id: 1, name: 'door' } } : undefined,
    ),
  'a column with SQL in its name': row('projects', { 'name") VALUES (1); DROP TABLE audit; --': 'x' }),
  'a row as a list': withMore(() => [{ table: 'meta', row: [] as never }]),
  'an empty row': withMore(() => [{ table: 'meta', row: {} }]),
  'the prototype as a table': withMore(() => [{ table: '__proto__', row: { a: 1 } }]),
  'a setting as text': row('meta', { value: 'many' }),
  'a negative time': withMore(() => [{ table: 'meta', row: { key: 'served-ms', value: '-1e300' } }]),
  'an identity of its own': withMore(() => [{ table: 'meta', row: { key: 'identity', value: '{}' } }]),
  'a negative ID': row('projects', { id: -1 }),
  'a fraction as an ID': row('projects', { id: 1.5 }),
  'the largest ID': row('audit', { id: Number.MAX_SAFE_INTEGER }),
  'an ID beyond 64 bits': row('audit', { id: 1e30 }),
  'an infinite time': ({ text }) => text.replace(/"published_at":\d+/, '"published_at":1e999'),
  'a negative publication time': row('releases', { published_at: -1 }),
  'a time beyond the calendar': row('releases', { published_at: Number.MAX_SAFE_INTEGER }),
  'a negative creation time': doc('projects', 'doc', { createdAt: -1e15 }),
  'a creation time beyond the calendar': doc('projects', 'doc', { createdAt: Number.MAX_SAFE_INTEGER }),
  'an audit time beyond the calendar': row('audit', { at: Number.MAX_SAFE_INTEGER }),
  'a token time beyond the calendar': row('tokens', { created_at: Number.MAX_SAFE_INTEGER }),
  'a check-in beyond the calendar': row('devices', { last_seen_at: Number.MAX_SAFE_INTEGER }),
  'a rollout time beyond the calendar': doc('rollouts', 'doc', { startedAt: Number.MAX_SAFE_INTEGER }),
  'a project named ../..': row('projects', { name: '../..' }),
  'a project with an empty name': row('projects', { name: '' }),
  'a project with a NUL in its name': row('projects', { name: 'door\0' }),
  'a project with an escape sequence in its name': row('projects', { name: '\u001b[31m door' }),
  'a project named __proto__': row('projects', { name: '__proto__' }),
  'a project with a name of 1 MB': row('projects', { name: 'a'.repeat(1_000_000) }),
  'a project with a key that is not one': doc('projects', 'doc', { keys: [{ fingerprint: 'x', pem: 'x' }] }),
  'a project with an alias to the API': doc('projects', 'doc', { aliases: [{ path: '/api', channel: '../x' }] }),
  'a project with negative limits': doc('projects', 'doc', { confirmWithinMs: -1, mostSends: -1 }),
  'a project with a negative retry limit': doc('projects', 'doc', { mostSends: -5 }),
  'a release with a version of ../..': row('releases', { version: '../../x' }),
  'a release with another version in its manifest': row('releases', { version: '9.9' }),
  'a release with an escape sequence in its version': row('releases', { version: '\u009b31m' }),
  'a release with an unknown kind': row('releases', { kind: 'bootloader' }),
  'a release with a path in a file name': ({ text }) => text.replaceAll('door.bin', '../../door.bin'),
  'a release with an absolute file name': ({ text }) => text.replaceAll('door.bin', '/etc/door.bin'),
  'a release of a missing project': row('releases', { project_id: 99 }),
  'a release with a channel of ../..': row('current_releases', { channel: '../..' }),
  'a current release that is missing': row('current_releases', { release_id: 99 }),
  'a promotion of a missing release': row('promotions', { release_id: 99 }),
  'a digest that is a path': row('release_blobs', { sha256: '../../../../etc/passwd' }),
  'a digest in upper case': row('release_blobs', { sha256: 'A'.repeat(64) }),
  'an MD5 that is not hex': row('sketch_md5s', { md5: 'x'.repeat(32) }),
  'a flash mode beyond the list': row('sketch_md5s', { flash_mode: 99 }),
  'a negative flash mode': row('sketch_md5s', { flash_mode: -1 }),
  'a device with a wrong MAC': row('devices', { mac: 'x' }),
  'a device with an escape sequence in its name': row('devices', { name: '\u001b]0;x\u0007' }),
  'a device with an unknown status': row('devices', { status: 'flying' }),
  'a device with a negative retention': row('devices', { retention: -1 }),
  'a device with an unknown retention': row('devices', { retention: 99 }),
  'a device with attempts that are not objects': doc('devices', 'doc', { attempts: [1] }),
  'a device with a decision that is text': doc('devices', 'doc', { decisions: { sketch: 'x' } }),
  'a device with a pin that is an object': doc('devices', 'doc', { pin: {} }),
  'a device with secrets that are text': doc('devices', 'doc', { secrets: 'x' }),
  'a device with a name that is a number': doc('devices', 'doc', { name: 7 }),
  'a device with a group that is a list': doc('devices', 'doc', { group: [] }),
  'a device with a report of numbers': doc('devices', 'report', {
    mac: 1,
    mode: 2,
    version: 3,
    freeSpace: 'x',
    address: 4,
  }),
  'a rollout without releases': doc('rollouts', 'doc', { releaseIds: [] }),
  'a rollout of missing releases': doc('rollouts', 'doc', { releaseIds: [99], previousIds: [98] }),
  'a rollout without stages': doc('rollouts', 'doc', { stages: [] }),
  'a rollout with an empty stage': doc('rollouts', 'doc', { stages: [{}] }),
  'a rollout with a negative stage': doc('rollouts', 'doc', { openStages: -1 }),
  'a rollout with a stage beyond the last': doc('rollouts', 'doc', { openStages: 1e9 }),
  'a rollout with samples that are text': doc('rollouts', 'doc', { samples: ['x'] }),
  'a rollout with a halt that is text': doc('rollouts', 'doc', { halt: 'x' }),
  'a rollout with a halt without limits': doc('rollouts', 'doc', { halt: {} }),
  'a rollout with a gate of text': doc('rollouts', 'doc', { gate: { soakMs: 'x', confirmedShare: 'x' } }),
  'a rollout with accepted text': doc('rollouts', 'doc', { accepted: { failures: 'x' } }),
  'a rollout in an unknown state': row('rollouts', { state: 'flying' }),
  'two rollouts under way on one channel': withMore(({ lines }) =>
    lines
      .filter(({ table, row }) => table === 'rollouts' && row?.['state'] === 'active')
      .map(({ row }) => ({ table: 'rollouts', row: { ...row, id: 77 } })),
  ),
  'a token with an unknown role': row('tokens', { roles: 'root' }),
  'a token with a broken hash': row('tokens', { hash: '\0' }),
  'a token with an escape sequence in its name': row('tokens', { name: '\u001b[2J' }),
  'a token of a missing project': row('tokens', { project: '../x' }),
  'an upload of negative size': withMore(() => [
    { table: 'uploads', row: { token: 'x', sha256: 'x', size_bytes: -1, at: 0 } },
  ]),
  'an audit entry with control characters': row('audit', { actor: '\u001b[2J', action: '\0', project: '\u202e' }),
  'no blobs': without(({ blob }) => blob !== undefined),
  'a blob twice': twice(({ blob }) => blob !== undefined),
  'an additional blob': withMore(() => [blobOf('not firmware')]),
  'an empty blob': withMore(() => [blobOf('')]),
  'a blob with other content': withMore(() => [{ blob: '0'.repeat(64), base64: 'AAAA' }]),
  'a truncated blob': ({ lines }) =>
    changed(lines, (line) =>
      line.blob === undefined ? undefined : { ...line, base64: (line.base64 ?? '').slice(0, 400) },
    ),
  'a longer blob': ({ lines }) =>
    changed(lines, (line) => (line.blob === undefined ? undefined : { ...line, base64: `AAAA${line.base64}` })),
  'a blob that is not base64': withMore(() => [{ blob: '0'.repeat(64), base64: '\0%%%' }]),
  'a blob with a path as its name': withMore(() => [{ blob: '../../../../tmp/evil', base64: '' }]),
  'a blob with a NUL in its name': withMore(() => [{ blob: `${'0'.repeat(63)}\0`, base64: '' }]),
  'a TLS file with a path as its name': withMore(() => [{ tls: '../../evil', base64: '' }]),
  'a TLS key that is not one': tls('ca.key', 'x'),
  'a TLS certificate that is not one': tls('ca.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
  'an empty server certificate': tls('server.pem', ''),
  'a TLS key of another certificate': tls('ca.key', otherKey.toString()),
  'a server key of another certificate': tls('server.key', otherKey.toString()),
  'a TLS file twice': twice(({ tls: name }) => name !== undefined),
  'a TLS certificate without its key': without(({ tls: name }) => name === 'ca.key'),
  'a TLS key without its certificate': without(({ tls: name }) => name === 'ca.pem'),
};

async function check(
  data: string,
): Promise<CommandRun & { output: { problems: unknown; records: object; blobs: object } }> {
  const run = await runCommand(['server', 'check', '--data', data, '--json'], { cwd: '/' });
  return { ...run, output: run.stdout === '' ? {} : JSON.parse(run.stdout) };
}

/** Checks that no part of the backup is in the folder, and that the sound backup can still be restored into it. */
async function leftNothing(folder: TestFolder, data: string): Promise<string | undefined> {
  const left = (await folder.list()).filter((name) => /^data\/(blobs|uploads|tls)\//.test(name));
  if (left.length > 0) return `leaves ${left.join(', ')}`;
  const { output, error } = (await exists(join(data, 'ota.db'))) ? await check(data) : { output: {}, error: undefined };
  if ('records' in output && Object.values(output.records).some((count) => count > 0)) {
    return `leaves records: ${JSON.stringify(output.records)} ${error?.message}`;
  }
  const again = await runCommand(['server', 'restore', 'sound', '--data', 'data'], { cwd: folder.path });
  return again.exitCode === 0 ? undefined : `blocks the sound backup: ${again.error?.message}`;
}

/** Paths of the API that together read all data. */
const lists = ['/projects', '/tokens', '/audit'];
const listsOfProject = ['', '/releases', '/devices', `/devices/${mac}`, '/rollouts', '/channels/stable'];

/** Checks that the server starts and reads all data without a fault, and that the data is sound. */
async function works(t: ExecutionContext, data: string): Promise<string | undefined> {
  const found = await check(data);
  if (found.exitCode !== 0) return `server check: ${JSON.stringify(found.output.problems)}`;
  // A server with its own authority uses the restored authority.
  if (await exists(join(data, 'tls'))) await selfSigned(join(data, 'tls'), hosts).read();
  const server = await startTestServer(t, { data });
  try {
    const { token } = await createToken(server.parts, { roles: ['admin'], project: undefined, name: 'test' }, 'test');
    const projects = (await server.parts.store.catalog.projects()).map(({ project }) => project.name);
    const paths = [...lists, ...projects.flatMap((name) => listsOfProject.map((path) => `/projects/${name}${path}`))];
    for (const path of paths) {
      const { status } = await server.api('GET', path, undefined, token);
      if (status >= 500) return `${path}: ${status} ${JSON.stringify(server.logged.at(-1))}`;
    }
    for (const device of [mac, '18:FE:34:00:00:99']) {
      const { status } = await requestAsDevice(server.port, '/update/door', { mac: device });
      if (status >= 500) return `the device ${device}: ${status} ${JSON.stringify(server.logged.at(-1))}`;
    }
    const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    if (metrics.status !== 200) return `metrics: ${metrics.status}`;
  } finally {
    await server.close(0);
  }
  const after = await check(data);
  return after.exitCode === 0 ? undefined : `server check afterwards: ${JSON.stringify(after.output.problems)}`;
}

async function problemOf(t: ExecutionContext, sound: Sound, craft: Craft): Promise<string | undefined> {
  const folder = await testFolder(t, { crafted: craft(sound), sound: sound.text });
  const data = folder.at('data');
  try {
    const run = await runCommand(['server', 'restore', 'crafted', '--data', 'data'], { cwd: folder.path });
    if (run.exitCode === 0) return await works(t, data);
    if (run.exitCode !== 1) return `exit code ${run.exitCode}`;
    if (!['BACKUP_INVALID', 'BACKUP_INCOMPLETE', 'FORMAT_TOO_NEW'].includes(run.error?.code ?? ''))
      return `${run.error?.message}`;
    return await leftNothing(folder, data);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
  }
}

const kinds = Object.entries(crafted);
/** Created once, because generating its content is slow. */
let made: Promise<Sound> | undefined;

test.serial('restores the sound backup without changes', async (t) => {
  made ??= soundBackup(t);
  t.is(await problemOf(t, await made, ({ text }) => text), undefined);
  const { lines } = await made;
  for (const table of tableNames.filter((name) => name !== 'uploads')) {
    t.true(
      lines.some((line) => line.table === table),
      table,
    );
  }
});

test.serial('restores a backup without release files if --accept-missing-files is set', async (t) => {
  made ??= soundBackup(t);
  const crafted = without(({ blob }) => blob !== undefined)(await made);
  const folder = await testFolder(t, { crafted });
  const argv = ['server', 'restore', 'crafted', '--data', 'data'];
  t.is((await runCommand(argv, { cwd: folder.path })).error?.code, 'BACKUP_INCOMPLETE');
  t.is((await runCommand([...argv, '--accept-missing-files'], { cwd: folder.path })).exitCode, 0);
  const server = await startTestServer(t, { data: folder.at('data') });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 503, 'a device tries again later');
});

test.serial(
  'restores no part of a crafted backup that it rejects, and never reports an unknown error or stops the server',
  async (t) => {
    t.timeout(10 * 60_000);
    made ??= soundBackup(t);
    const sound = await made;
    const problems: string[] = [];
    const withstood = await inParallel(kinds, async ([name, craft]) => {
      const problem = await problemOf(t, sound, craft);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
      return problem === undefined;
    });
    t.deepEqual(problems.sort(), []);
    countAttacks({ kind: 'crafted backups', tried: kinds.length, withstood });
  },
);

/** Changes one column of a row, or a value inside a column that is a document. */
const changedRow = fc
  .tuple(fc.nat(), fc.nat(), fc.array(fc.nat(), { maxLength: 4 }), fc.constantFrom(undefined, ...hostileValues))
  .map(([at, column, steps, hostile]) => (sound: Sound) => {
    const rows = sound.lines.filter(({ row }) => row !== undefined);
    const line = rows[at % rows.length] ?? {};
    const columns = Object.entries(line.row ?? {});
    const [name = '', value] = columns[column % columns.length] ?? [];
    const document = typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : undefined;
    const next = document === undefined ? hostile : JSON.stringify(changedValue(document, steps, hostile));
    return changed(sound.lines, (found) =>
      found === line ? { ...line, row: { ...line.row, [name]: next } } : undefined,
    );
  });

test.serial(
  'restores no part of a mutated backup that it rejects, and never reports an unknown error or stops the server',
  async (t) => {
    t.timeout(110 * 60_000);
    made ??= soundBackup(t);
    const sound = await made;
    const bytes = variantsOf([Buffer.from(sound.text)]).map((variant) => () => variant);
    const mutation: fc.Arbitrary<Craft> = fc.oneof(
      { weight: 3, arbitrary: changedRow },
      { weight: 1, arbitrary: bytes },
    );
    const { numRuns, seed } = propertyRuns(30, 5000);
    const problems: string[] = [];
    const withstood = await inParallel(
      fc.sample(mutation, { numRuns, ...(seed !== undefined && { seed }) }),
      async (craft) => {
        const problem = await problemOf(t, sound, craft);
        if (problem === undefined) return true;
        const text = Buffer.from(craft(sound)).toString('latin1').split('\n');
        const line = text.find(
          (found, index) => found !== Buffer.from(sound.text).toString('latin1').split('\n')[index],
        );
        problems.push(`${problem}: ${line?.slice(0, 2000)}`);
        return false;
      },
    );
    t.deepEqual(problems, []);
    countAttacks({ kind: 'mutated backups', tried: numRuns, withstood });
  },
);
