/** The password of a database in the file that PGPASSFILE names, as PostgreSQL's own programs read it. */
import { chmod } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { testFolder } from '../../support/test-folder.ts';
import { cli } from '../server/serving-process.ts';

let cluster: PostgresCluster;

test.before(async () => {
  cluster = await startPostgres();
});

test.after.always(() => cluster?.end());

test('serve takes the password of the database from PGPASSFILE, and rejects a wrong one without printing it', async (t) => {
  await cluster.createDatabase('ota');
  const { port, user, password } = cluster;
  const folder = await testFolder(t, {
    right: `# comment\nother.example.com:*:*:*:wrong\n127.0.0.1:${port}:ota:${user}:${password}\n`,
    wrong: `127.0.0.1:${port}:ota:${user}:wrong-password\n`,
  });
  const serve = (file: string) => {
    const url = `postgres://${user}@127.0.0.1:${port}/ota`;
    const argv = ['serve', '--data', folder.at('data'), '--listen', '127.0.0.1:0', '--database', url, '--json'];
    return execa(process.execPath, [cli, ...argv], { env: { PGPASSFILE: folder.at(file) }, reject: false });
  };
  for (const file of ['right', 'wrong']) await chmod(folder.at(file), 0o600);

  const served = serve('right');
  const ready = await new Promise<string>((resolve) => served.stdout.once('data', (line) => resolve(String(line))));
  t.regex(ready, /"url":/);
  served.kill('SIGTERM');
  const { exitCode, stderr } = await served;
  t.is(exitCode, 0);
  t.notRegex(stderr, /deprecated|warning/i);

  const refused = await serve('wrong');
  t.is(refused.exitCode, 1, refused.stderr);
  t.regex(refused.stdout, /DATABASE_LOGIN_REJECTED/);
  t.notRegex(refused.stdout + refused.stderr, /wrong-password/);
});
