/**
 * Runs the tests of the server on PostgreSQL and S3: each test server is two servers on a database and a bucket of their own, and
 * connections go to them in turn. Arguments name test files:
 *
 *     npm run test:several
 *     npm run test:several -- test/server/publish.test.ts
 */
import { execa } from 'execa';
import { startPostgres } from '../engines/postgres.ts';
import { startS3 } from '../engines/s3.ts';
import { enginesVariable, type SharedEngines } from '../engines/shared-engines.ts';

const commands = ['server', 'server-rollout', 'device-credentials', 'device-migration', 'publish-permissions', 'https'];
const suites = [
  'test/server/*.test.ts',
  'test/server/{dashboard,events,rollout,tls}/*.test.ts',
  ...commands.map((name) => `test/cli/commands/${name}.test.ts`),
];
const argv = process.argv.slice(2);

const settings = { max_connections: '900', shared_buffers: '128MB', max_wal_size: '256MB' };
const [cluster, s3] = await Promise.all([startPostgres({ settings }), startS3()]);
try {
  const engines: SharedEngines = { databaseUrl: cluster.url('postgres'), bucket: s3.bucket, env: s3.env };
  const { exitCode = 1 } = await execa('node', ['test/ava.mjs', ...(argv.length > 0 ? argv : suites)], {
    env: { [enginesVariable]: JSON.stringify(engines) },
    stdio: 'inherit',
    reject: false,
  });
  process.exitCode = exitCode;
} finally {
  await Promise.all([cluster.end(), s3.end()]);
}
