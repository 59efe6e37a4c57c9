import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fillData } from './fleet.ts';
import type { LoadResult } from './load.ts';
import { ownPeer, type Peer, securePeer } from './peers.ts';
import { type Cost, race } from './race.ts';
import { sqliteStorage } from './storage.ts';
import { microseconds, perSecond, type Row, ratio } from './table.ts';

const run = promisify(execFile);
const clients = 4;
const secondsOfEach = 3;
const rounds = 5;

/** Performs handshakes like a device: TLS 1.2, with sessions resumed by ID. */
export async function benchHandshakes(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const data = join(folder, 'handshakes');
  await fillData(sqliteStorage(data), { devices: 1, releases: 1, sizeBytes: 64 * 1024 });
  const own = open(await ownPeer(sqliteStorage(data), 'ours', ['--tls', 'self-signed']));
  const nginx = open(await securePeer(folder, join(data, 'tls')));
  const config = join(folder, 'without-tickets.cnf');
  await writeFile(
    config,
    'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -SessionTicket\n',
  );
  const rows: Row[] = [];
  for (const [what, option] of [
    ['full handshake', '-new'],
    ['resumed handshake', '-reuse'],
  ] as const) {
    const contenders = [own, nginx].map((peer) => ({ peer, load: () => handshakes(peer, option, config) }));
    const costs = await race(contenders, rounds);
    const [ours, theirs] = [own, nginx].map(({ name }) => costs.get(name)) as [Cost, Cost];
    rows.push(
      [`${what}s/s`, perSecond(ours), ratio(ours.perSecond, theirs.perSecond), `nginx ${perSecond(theirs)}`, '>= 0.4x'],
      [
        `${what}, CPU`,
        microseconds(ours),
        ratio(ours.cpuMicros, theirs.cpuMicros),
        `nginx ${microseconds(theirs)}`,
        '',
      ],
    );
  }
  return rows;
}

/** Runs several `openssl s_time` processes concurrently. */
async function handshakes({ url }: Peer, option: '-new' | '-reuse', config: string): Promise<LoadResult> {
  const how = [option, '-time', String(secondsOfEach), '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'];
  const argv = ['s_time', '-connect', new URL(url).host, ...how];
  const env = { ...process.env, OPENSSL_CONF: config };
  const startedAt = performance.now();
  const counts = await Promise.all(
    Array.from({ length: clients }, async () => {
      const { stdout } = await run('openssl', argv, { env });
      const count = /^(\d+) connections in \d+ real seconds/m.exec(stdout)?.[1];
      if (count === undefined || count === '0') throw new Error(`no handshakes:\n${stdout}`);
      return Number(count);
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return { requests: counts.reduce((sum, count) => sum + count, 0), seconds, latencyMs: () => Number.NaN };
}
