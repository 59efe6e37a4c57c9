/**
 * `npm run bench:server`: compares the update server with the servers that it replaces, in one run on one machine, over loopback.
 * Linux only; needs Debian's nginx, php-fpm, apache2-utils and postgresql, and installs them as root when missing. Arguments select parts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall } from '../../test/e2e/provision/apt.ts';
import { installMoto } from '../../test/e2e/provision/moto.ts';
import { benchChecks } from './checks.ts';
import { benchCrowd } from './crowd.ts';
import { benchDashboard } from './dashboard.ts';
import { benchDownloads } from './downloads.ts';
import { benchHandshakes } from './handshakes.ts';
import type { Peer } from './peers.ts';
import { benchPostgres } from './postgres.ts';
import { benchRollout } from './rollout.ts';
import { benchScale } from './scale.ts';
import { type BenchEngines, startBenchEngines } from './storage.ts';
import { formatTable, type Row } from './table.ts';

const parts = {
  checks: benchChecks,
  downloads: benchDownloads,
  postgres: benchPostgres,
  crowd: benchCrowd,
  scale: benchScale,
  dashboard: benchDashboard,
  rollout: benchRollout,
  handshakes: benchHandshakes,
};
const wanted = process.argv.slice(2);

await aptInstall(['nginx-light', 'php-fpm', 'php-pgsql', 'apache2-utils', 'python3', 'postgresql']);
await installMoto();
const rows: Row[] = [];
for (const [name, bench] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-bench-'));
  const peers: Peer[] = [];
  let engines: Promise<BenchEngines> | undefined;
  const openEngines = () => {
    engines ??= startBenchEngines();
    return engines;
  };
  try {
    const open = (peer: Peer) => {
      peers.push(peer);
      return peer;
    };
    const found = await bench(folder, open, openEngines);
    rows.push(...found);
    for (const row of found) process.stderr.write(`${row.join('  ')}\n`);
  } finally {
    for (const { servers } of peers) for (const server of servers) await server.stop();
    await (await engines)?.end();
    await rm(folder, { recursive: true, force: true });
  }
}
const [cpu] = cpus();
console.log(`Node ${process.version}, ${cpus().length} x ${cpu?.model ?? 'unknown'}\n\n${formatTable(rows)}`);
