import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CutProxy, startCutProxy } from '../engines/cut-proxy.ts';
import { type LoadBalancer, startHaproxy } from '../engines/haproxy.ts';
import { type PostgresCluster, startPostgres } from '../engines/postgres.ts';
import { type S3Server, startS3 } from '../engines/s3.ts';
import { freePort } from '../support/free-port.ts';
import { ServerProcess } from './server-process.ts';

export const database = 'ota';

/** Two servers behind a load balancer, on PostgreSQL and S3. The network between the second server and the database can be cut. */
export interface World {
  readonly cluster: PostgresCluster;
  readonly s3: S3Server;
  readonly network: CutProxy;
  readonly servers: readonly [ServerProcess, ServerProcess];
  readonly balancer: LoadBalancer;
  end(): Promise<void>;
}

export async function startWorld(cli: string, report: (text: string) => void): Promise<World> {
  // Commits must be on disk, and each has a time, which orders sends and halts.
  const settings = { track_commit_timestamp: 'on', shared_buffers: '512MB', max_wal_size: '4GB' };
  const [cluster, s3, folder] = await Promise.all([
    startPostgres({ fsync: true, settings }),
    startS3(),
    mkdtemp(join(tmpdir(), 'ota-hooks-chaos-')),
  ]);
  await cluster.createDatabase(database);
  const network = await startCutProxy(cluster.port);
  const ports = [await freePort(), await freePort()] as const;
  const server = (index: 0 | 1, databasePort: number) =>
    new ServerProcess({
      name: `s${index + 1}`,
      port: ports[index],
      cli,
      onEnd: report,
      argv: [
        ...['--data', join(folder, `s${index + 1}`), '--blobs', `s3://${s3.bucket}/chaos`],
        ...['--trust-proxy', '127.0.0.1', '--connections-per-address', '20000'],
      ],
      env: { ...s3.env, OTA_DATABASE_URL: cluster.url(database, databasePort) },
    });
  const first = server(0, cluster.port);
  await first.untilReady();
  const second = server(1, network.port);
  await second.untilReady();
  const balancer = await startHaproxy(ports);
  return {
    cluster,
    s3,
    network,
    servers: [first, second],
    balancer,
    async end() {
      await Promise.all([first.stop(), second.stop()]);
      await balancer.end();
      await network.end();
      await Promise.all([cluster.end(), s3.end()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
