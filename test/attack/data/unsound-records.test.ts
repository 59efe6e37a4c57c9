/** Records that can be read but are unsound: a backup with them is rejected, and `server check` finds them. */
import test, { type ExecutionContext } from 'ava';
import { sealData, useData } from '../../../src/server/index.ts';
import type { DataProblem } from '../../../src/server/storage/check/findings.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { inParallel } from '../support/in-parallel.ts';
import { exists } from './data-folder.ts';
import { changed, doc, type Line, row, type Sound, soundBackup, withMore, without } from './sound-backup.ts';

type Craft = (sound: Sound) => string;
type Kind = DataProblem['kind'];

interface Unsound {
  readonly craft: Craft;
  /** Kind of problem that `server check` finds; undefined if opening a data folder removes the record. */
  readonly kind: Kind | undefined;
  /** True if `--repair` can repair it without changing what devices receive, except that a channel may serve nothing. */
  readonly isRepairable?: boolean;
}

const clearScreen = '\u001b[2J';
const otherPem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';

const manifest = (sound: Sound) =>
  JSON.parse(String(sound.lines.find(({ table }) => table === 'releases')?.row?.['manifest']));
const inManifest =
  (change: (found: ReturnType<typeof manifest>) => Readonly<Record<string, unknown>>) => (sound: Sound) =>
    doc('releases', 'manifest', change(manifest(sound)))(sound);
/** Changes the artifact with an index. */
const artifact = (index: number, fields: object) =>
  inManifest(({ artifacts }) => ({
    artifacts: artifacts.map((each: object, at: number) => (at === index ? { ...each, ...fields } : each)),
  }));
const image = (fields: object) => inManifest((found) => ({ image: { ...found.image, ...fields } }));

const limit = (craft: Craft): Unsound => ({ craft, kind: 'record-beyond-limits' });
const alias = (path: string, ...more: string[]): Unsound => ({
  craft: doc('projects', 'doc', { aliases: [path, ...more].map((each) => ({ path: each, channel: 'stable' })) }),
  kind: 'record-beyond-limits',
  isRepairable: true,
});
const manifestLie = (craft: Craft): Unsound => ({ craft, kind: 'manifest-mismatch' });
const stages = (...shares: number[]) => ({ stages: shares.map((share) => ({ share, canaries: [], groups: [] })) });

const serverPaths = [
  '/',
  '/login',
  '/logout',
  '/metrics',
  '/healthz',
  '/readyz',
  '/events',
  '/api',
  '/api/v1/tokens',
  '/projects',
  '/projects/door/devices',
  '/assets/x',
  '/files/door/1.0/door.bin',
  '/update/door',
  '//evil',
  '/a b',
  '/x?y',
  `/${'a'.repeat(201)}`,
];

const unsound: Readonly<Record<string, Unsound>> = {
  ...Object.fromEntries(serverPaths.map((path) => [`an alias ${path.slice(0, 30)}`, alias(path)])),
  'a server path among sound aliases': alias('/esp/a.php', '/login', '/esp/b.php'),
  'more than 32 aliases': limit(
    doc('projects', 'doc', {
      aliases: Array.from({ length: 33 }, (_, index) => ({ path: `/esp/${index}`, channel: 'stable' })),
    }),
  ),
  'an alias twice': {
    craft: doc('projects', 'doc', { aliases: ['stable', 'beta'].map((channel) => ({ path: '/esp', channel })) }),
    kind: 'alias-mismatch',
  },
  'a key that is not a public key': limit(
    doc('projects', 'doc', { keys: [{ fingerprint: 'a'.repeat(64), pem: otherPem }] }),
  ),
  'a key with the fingerprint of a different key': limit((sound) => {
    const keys = [{ fingerprint: 'a'.repeat(64), pem: manifest(sound).signing.publicKey.pem }];
    return doc('projects', 'doc', { keys })(sound);
  }),
  'a project that permits no downloads': limit(doc('projects', 'doc', { mostSends: 0 })),
  'a project with a confirmation time of zero': limit(doc('projects', 'doc', { confirmWithinMs: 0 })),
  'a password with a wrong salt': limit(
    doc('projects', 'doc', { credential: { user: 'door', salt: '!!', hash: 'a'.repeat(43) } }),
  ),
  'a release with the invalid trust value 2': limit(row('releases', { trusted: 2 })),
  'a release with an escape sequence in its reason': limit(row('releases', { yanked: clearScreen })),
  'a release with nine artifacts': limit(
    inManifest(({ artifacts }) => ({
      artifacts: Array.from({ length: 9 }, (_, index) => ({ ...artifacts[0], file: `${index}.bin` })),
    })),
  ),
  'two artifacts with one name': limit(
    inManifest(({ artifacts }) => ({ artifacts: artifacts.map((each: object) => ({ ...each, file: 'door.bin' })) })),
  ),
  'a device that allows a rule about keys': limit(doc('devices', 'doc', { allow: ['wrong-key'] })),
  'a device with a MAC in lower case': limit((sound) =>
    changed(sound.lines, ({ table, row }) =>
      table === 'devices' ? { table, row: { ...row, mac: String(row?.['mac']).toLowerCase() } } : undefined,
    ),
  ),
  'a device with another name in its list column': limit(row('devices', { name: 'front' })),
  'a device with another group in its list column': limit(row('devices', { device_group: 'other' })),
  'a device with a name of 65 characters': limit(doc('devices', 'doc', { name: 'a'.repeat(65) })),
  'a rollout whose last stage is for 5%': limit(doc('rollouts', 'doc', stages(1, 5))),
  'a rollout with shrinking stages': limit(doc('rollouts', 'doc', stages(50, 20, 100))),
  'a rollout with no open stage': limit(doc('rollouts', 'doc', { openStages: 0 })),
  'a rollout that halts after 1e308 failures': {
    craft: doc('rollouts', 'doc', {
      halt: { failures: 1e308, failurePercent: 10, minimumSample: 10, notConfirmed: 2 },
    }),
    kind: 'record-invalid',
  },
  'a rollout with an escape sequence in its history': limit(
    doc('rollouts', 'doc', { history: [{ at: 1, event: 'started', by: clearScreen }] }),
  ),
  'a token with the role root': limit(row('tokens', { roles: 'root' })),
  'a token without a role': limit(row('tokens', { roles: '' })),
  'a token with a path as its channel': limit(row('tokens', { channels: 'stable ../x' })),
  'a token with a path as its project': limit(row('tokens', { project: '../x' })),
  'a token with a path as its ID': limit(row('tokens', { id: '../x' })),
  'a token with a short hash': limit(row('tokens', { hash: 'ab' })),
  'an upload of 1 GB': {
    craft: withMore(() => [
      { table: 'uploads', row: { token: 'a'.repeat(12), sha256: 'a'.repeat(64), size_bytes: 2 ** 30, at: 0 } },
    ]),
    kind: undefined,
  },
  'an audit entry with an escape sequence in its actor': limit(row('audit', { actor: clearScreen })),
  'an audit entry with a text direction mark in its action': limit(row('audit', { action: 'x\u202ey' })),
  'an audit entry with a control character in its project': limit(row('audit', { project: 'door\u009b' })),
  'an audit entry with an escape sequence as a key': limit(doc('audit', 'detail', { [clearScreen]: 1 })),
  'an audit entry with an escape sequence in a nested value': limit(
    doc('audit', 'detail', { a: [{ b: clearScreen }] }),
  ),

  'a release whose version differs from its manifest': {
    craft: row('releases', { version: '9.9' }),
    kind: 'release-mismatch',
  },
  'a release whose project differs from its manifest': {
    craft: inManifest(() => ({ project: 'gate' })),
    kind: 'release-mismatch',
  },
  'a release whose board differs from its manifest': {
    craft: inManifest(() => ({ board: 'nodemcu' })),
    kind: 'release-mismatch',
  },
  'a release whose kind differs from its manifest': {
    craft: row('releases', { kind: 'filesystem' }),
    kind: 'release-mismatch',
  },
  'a release marked as a reference build': {
    craft: row('releases', { reference_image: 'x' }),
    kind: 'release-mismatch',
  },
  'a release without its files': { craft: without(({ table }) => table === 'release_blobs'), kind: 'release-mismatch' },
  'a release with the artifacts of a different release': {
    craft: (sound) => {
      const [, second] = sound.lines.filter(({ table }) => table === 'releases');
      const { artifacts } = JSON.parse(String(second?.row?.['manifest']));
      return doc('releases', 'manifest', { artifacts })(sound);
    },
    kind: 'release-mismatch',
  },

  'a manifest with another MD5': manifestLie(artifact(0, { md5: '0'.repeat(32) })),
  'a manifest with another size': manifestLie(artifact(0, { sizeBytes: 5 })),
  'a manifest with another payload size': manifestLie(artifact(0, { payloadBytes: 5 })),
  'a manifest with another encoding': manifestLie(artifact(0, { encoding: 'gzip' })),
  'a manifest that claims a signature': manifestLie((sound) => {
    const { fingerprint } = manifest(sound).signing.publicKey;
    const index = manifest(sound).artifacts.findIndex(({ signature }: { signature: string }) => signature === 'none');
    return artifact(index, { signature: 'current', keyFingerprint: fingerprint })(sound);
  }),
  'a manifest that hides a signature': manifestLie((sound) => {
    const index = manifest(sound).artifacts.findIndex(({ signature }: { signature: string }) => signature !== 'none');
    return artifact(index, { signature: 'none', keyFingerprint: undefined })(sound);
  }),
  'a manifest with other decompression facts': manifestLie((sound) => {
    const index = manifest(sound).artifacts.findIndex(({ encoding }: { encoding: string }) => encoding === 'gzip');
    return artifact(index, { inflate: { sizeBytes: 1 } })(sound);
  }),
  'a manifest with another flash mode': manifestLie(image({ flashMode: 'qout' })),
  'a manifest with another core': manifestLie(image({ coreGitHash: '0badc0de' })),
  'a manifest with another image digest': manifestLie(image({ md5: '0'.repeat(32) })),
  'a manifest with another content size': manifestLie(image({ contentBytes: 7 })),
  'a manifest with a key that is not in the image': manifestLie(inManifest(() => ({ embeddedKeys: ['a'.repeat(64)] }))),
  'a manifest with another public key': manifestLie(
    inManifest(({ signing }) => ({
      signing: { ...signing, publicKey: { ...signing.publicKey, fingerprint: 'a'.repeat(64) } },
    })),
  ),

  'MD5s that point to the other release': {
    craft: ({ lines }) => swapped(lines),
    kind: 'sketch-md5-mismatch',
  },
  'an invented MD5': {
    craft: withMore(() => [{ table: 'sketch_md5s', row: { md5: '0'.repeat(32), release_id: 1, flash_mode: 2 } }]),
    kind: 'sketch-md5-mismatch',
    isRepairable: true,
  },
  'an MD5 for another flash mode': {
    craft: (sound) =>
      changed(sound.lines, ({ table, row }) =>
        table === 'sketch_md5s' ? { table, row: { ...row, flash_mode: 3 - Number(row?.['flash_mode']) } } : undefined,
      ),
    kind: 'sketch-md5-mismatch',
  },
  'no MD5s': { craft: without(({ table }) => table === 'sketch_md5s'), kind: 'sketch-md5-mismatch' },

  'a current release of another kind': {
    craft: row('current_releases', { kind: 'filesystem' }),
    kind: 'current-release-mismatch',
    isRepairable: true,
  },
  'a current release for another board': {
    craft: row('current_releases', { board: 'nodemcu' }),
    kind: 'current-release-mismatch',
    isRepairable: true,
  },
  'a current release on a channel that it was never promoted to': {
    craft: row('current_releases', { channel: 'canary' }),
    kind: 'current-release-mismatch',
    isRepairable: true,
  },
  'a current release that was yanked': {
    craft: (sound) => {
      const current = sound.lines.find(({ table }) => table === 'current_releases')?.row?.['release_id'];
      return changed(sound.lines, ({ table, row }) =>
        table === 'releases' && row?.['id'] === current ? { table, row: { ...row, yanked: 'bad' } } : undefined,
      );
    },
    kind: 'current-release-mismatch',
    isRepairable: true,
  },
  'a current release whose rollout is not complete': {
    craft: withMore(() => [
      { table: 'current_releases', row: { project_id: 1, channel: 'beta', kind: 'sketch', board: '', release_id: 2 } },
      { table: 'promotions', row: { id: 70, project_id: 1, channel: 'beta', release_id: 2, at: 1 } },
    ]),
    kind: 'current-release-mismatch',
    isRepairable: true,
  },

  'a rollout without a release': {
    craft: doc('rollouts', 'doc', { releaseIds: [] }),
    kind: 'rollout-mismatch',
    isRepairable: false,
  },
  'a rollout of a missing release': { craft: doc('rollouts', 'doc', { releaseIds: [99] }), kind: 'rollout-mismatch' },
  'a rollout whose previous release is missing': {
    craft: doc('rollouts', 'doc', { previousIds: [99] }),
    kind: 'rollout-mismatch',
  },
  'a rollout of another version': { craft: doc('rollouts', 'doc', { releaseIds: [1] }), kind: 'rollout-mismatch' },
  'two active rollouts on one channel': {
    craft: withMore(({ lines }) =>
      lines
        .filter(({ table, row }) => table === 'rollouts' && row?.['state'] === 'active')
        .map(({ row }) => ({ table: 'rollouts', row: { ...row, id: 77 } })),
    ),
    kind: 'rollout-mismatch',
    isRepairable: true,
  },
};

function swapped(lines: readonly Line[]): string {
  const text = lines.map((line) =>
    line.table === 'sketch_md5s'
      ? { ...line, row: { ...line.row, release_id: 3 - Number(line.row?.['release_id']) } }
      : line,
  );
  return [...text, { end: true, lines: text.length }].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Writes the records of a backup into a data folder without any check, as an attacker who can write to the folder would. */
async function unchecked(text: string, data: string): Promise<void> {
  const lines: Line[] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  await useData({ data, holder: 'a test', acceptsLoss: true }, async ({ store, blobs }) => {
    for (const { blob, base64 = '' } of lines) {
      if (blob === undefined) continue;
      const bytes = Buffer.from(base64, 'base64');
      await blobs.append(blob, { offset: 0, totalBytes: bytes.length, chunks: chunksOf(bytes) });
    }
    const rows = lines.flatMap(({ table, row }) => (table === undefined || row === undefined ? [] : [{ table, row }]));
    await store.restore(rows as Parameters<typeof store.restore>[0]);
    await sealData({ store, blobs }, { acceptsLoss: true });
  });
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function check(data: string, ...more: string[]) {
  const run = await runCommand(['server', 'check', '--data', data, '--json', ...more], { cwd: '/' });
  const problems: readonly DataProblem[] = run.stdout === '' ? [] : JSON.parse(run.stdout).problems;
  return { ...run, problems, kinds: [...new Set(problems.map(({ kind }) => kind))] };
}

async function problemOf(
  t: ExecutionContext,
  text: string,
  { kind, isRepairable }: Unsound,
): Promise<string | undefined> {
  const folder = await testFolder(t, { crafted: text });
  const run = await runCommand(['server', 'restore', 'crafted', '--data', 'restored'], { cwd: folder.path });
  if (run.error?.code !== 'BACKUP_INVALID') return `restore: ${run.exitCode} ${run.error?.message}`;
  if (await exists(folder.at('restored'))) return 'restore left a data folder behind';
  if (kind === undefined) return undefined;
  const data = folder.at('unchecked');
  await unchecked(text, data);
  const found = await check(data);
  if (found.error?.code !== 'SERVER_DATA_DAMAGED' || !found.kinds.includes(kind)) {
    return `check: ${found.exitCode} ${JSON.stringify(found.problems)}`;
  }
  if (isRepairable !== true) return undefined;
  const repaired = await check(data, '--repair');
  return repaired.exitCode === 0 ? undefined : `repair: ${JSON.stringify(repaired.problems)} ${repaired.stderr}`;
}

test('rejects backups whose records are unsound, and finds the same records in a data folder', async (t) => {
  t.timeout(10 * 60_000);
  const sound = await soundBackup(t);
  const problems: string[] = [];
  const cases = Object.entries(unsound);
  const withstood = await inParallel(cases, async ([name, each]) => {
    const problem = await problemOf(t, each.craft(sound), each);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
    return problem === undefined;
  });
  t.deepEqual(problems.sort(), []);
  countAttacks({ kind: 'unsound records', tried: cases.length, withstood });
});
