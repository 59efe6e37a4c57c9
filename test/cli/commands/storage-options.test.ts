import { chmod } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const secret = 'correct-horse';

function requireNoSecret(t: ExecutionContext, { stdout, stderr, error }: CommandRun): void {
  t.notRegex([stdout, stderr, error?.message, error?.hint, error?.stack].join('\n'), new RegExp(secret));
}

const commands = [
  ['serve', '--data', 'data'],
  ['server', 'backup', '--data', 'data', '--out', 'backup.ndjson'],
  ['server', 'restore', 'backup.ndjson', '--data', 'data'],
  ['server', 'tokens', 'create', '--data', 'data'],
];

for (const argv of commands) {
  const name = argv.filter((word) => /^[a-z]+$/.test(word) && word !== 'data').join(' ');

  test(`${name} rejects a URL with a password, and does not repeat it`, async (t) => {
    const folder = await testFolder(t);
    const exposed = [
      ['--database', `postgres://ota:${secret}@db.example.com/ota`],
      ['--database', `postgres://ota:a/b@${secret}@db/ota`],
      ['--database', `postgres://db.example.com/ota?user=ota&password=${secret}`],
      ['--blobs', `s3://key:${secret}@firmware`],
    ];
    for (const words of exposed) {
      const run = await runCommand([...argv, ...words, '--json'], { cwd: folder.path });
      t.is(run.error?.code, 'URL_PASSWORD_EXPOSED', run.error?.message);
      requireNoSecret(t, run);
    }
    t.deepEqual(await folder.list(), []);
  });

  test(`${name} reads the URLs from the environment or a file, and does not repeat them`, async (t) => {
    // No store has this scheme, so each URL that is used causes an error.
    const url = `mysql://ota:${secret}@db.example.com/ota`;
    const folder = await testFolder(t, { 'database.url': `${url}\n`, 'backup.ndjson': '{}' });
    await chmod(folder.at('database.url'), 0o600);
    for (const [words, env] of [
      [[], { OTA_DATABASE_URL: url }],
      [['--database-file', 'database.url'], {}],
      [['--database-file', 'database.url'], { OTA_DATABASE_URL: 'sqlite:data/ota.db' }],
      [['--database', 'mysql:ota'], { OTA_DATABASE_URL: 'sqlite:data/ota.db' }],
      [[], { OTA_BLOBS_URL: `mysql://ota:${secret}@firmware` }],
      [['--blobs', 'mysql:firmware'], { OTA_BLOBS_URL: 'file:data' }],
    ] as const) {
      const run = await runCommand([...argv, ...words, '--json'], { cwd: folder.path, env });
      t.is(run.error?.code, 'STORAGE_URL_UNKNOWN', run.error?.message);
      requireNoSecret(t, run);
    }
  });
}

test('rejects a database file that does not contain a URL', async (t) => {
  const folder = await testFolder(t, { empty: '\n', lines: `${secret}\nmore` });
  for (const file of ['empty', 'lines']) {
    const run = await runCommand(['serve', '--data', 'data', '--database-file', file], { cwd: folder.path });
    t.is(run.error?.code, 'OPTION_INVALID');
    requireNoSecret(t, run);
  }
  const missing = await runCommand(['serve', '--data', 'data', '--database-file', 'none'], { cwd: folder.path });
  t.is(missing.error?.code, 'FILE_NOT_FOUND');
  const both = ['--database', 'postgres://db/ota', '--database-file', 'lines'];
  const conflict = await runCommand(['serve', '--data', 'data', ...both], { cwd: folder.path });
  t.is(conflict.error?.code, 'OPTIONS_CONFLICT');
});

const modeTest = process.platform === 'win32' ? test.skip : test;

modeTest('warns if other users can read the database file', async (t) => {
  const folder = await testFolder(t, { 'database.url': 'mysql://ota:x@db.example.com/ota\n' });
  await chmod(folder.at('database.url'), 0o644);
  const argv = ['serve', '--data', 'data', '--database-file', 'database.url'];
  const { stderr } = await runCommand(argv, { cwd: folder.path });
  t.regex(stderr, /database\.url can be read by other users; run: chmod 600/);
});

test('backup and tokens create open stores only with a data folder', async (t) => {
  const { path } = await testFolder(t);
  for (const argv of [
    ['server', 'backup', '--out', 'backup.ndjson', '--database', 'postgres://db/ota'],
    ['server', 'tokens', 'create', '--blobs', 's3://firmware'],
  ]) {
    const { error } = await runCommand(argv, { cwd: path });
    t.is(error?.code, 'OPTION_MISSING');
    t.is(error?.hint, 'Add --data DIR.');
  }
});
