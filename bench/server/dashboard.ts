import { join } from 'node:path';
import { makeToken } from '../../src/server/auth/tokens.ts';
import { openData } from '../../src/server/compose.ts';
import { benchAudit, fillData } from './fleet.ts';
import { ownPeer, type Peer } from './peers.ts';
import { median } from './race.ts';
import type { Row } from './table.ts';

const devices = 100_000;
const rounds = 15;
const target = '< 200 ms';
const fleet = '/projects/door/devices';

/** Response time of dashboard pages for a large fleet: the whole response, over loopback. */
export async function benchDashboard(folder: string, open: (peer: Peer) => Peer): Promise<Row[]> {
  const data = join(folder, 'dashboard');
  await fillData(data, { devices, releases: 3, sizeBytes: 64 * 1024 });
  const token = await addToken(data);
  const peer = open(await ownPeer(data, 'ours'));
  const { origin } = new URL(peer.url);
  const cookie = await logIn(origin, token);
  const request = async (path: string): Promise<number> => {
    const began = performance.now();
    const response = await fetch(origin + path, { headers: { cookie } });
    const text = await response.text();
    const durationMs = performance.now() - began;
    if (response.status !== 200 || !text.includes('<h1>Devices</h1>')) throw new Error(`${path}: ${response.status}`);
    return durationMs;
  };
  const row = (what: string, ms: number): Row => [
    `${devices.toLocaleString('en')} devices on the dashboard: ${what}`,
    `${ms.toFixed(0)} ms`,
    '',
    '',
    target,
  ];
  const rows = [row('the first page after a restart', await request(fleet))];
  for (const [what, path] of [
    ['the first page', fleet],
    ['a page in the middle', `${fleet}?after=5C:CF:7F:51:80:00`],
    ['a search without matches', `${fleet}?q=nobody`],
    ['a filter without matches', `${fleet}?state=failed`],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await request(path));
    rows.push(row(what, median(times)));
  }
  for (const server of peer.servers) await server.stop();
  return rows;
}

async function addToken(data: string): Promise<string> {
  const { store } = await openData({ data }, 'bench');
  const { record, token } = makeToken({ roles: ['read'], project: undefined, name: 'bench' });
  await store.tokens.create(record, benchAudit);
  await store.close();
  return token;
}

async function logIn(origin: string, token: string): Promise<string> {
  const body = new URLSearchParams({ token });
  const response = await fetch(`${origin}/login`, { method: 'POST', body, headers: { origin }, redirect: 'manual' });
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`the login returned ${response.status}`);
  return cookie;
}
