import { makeToken } from '../../src/server/auth/tokens.ts';
import { openData } from '../../src/server/compose.ts';
import { benchAudit, fillData } from './fleet.ts';
import { type OpenPeer, ownPeer } from './peers.ts';
import { median } from './race.ts';
import { bothStorages, type OpenEngines, type Storage } from './storage.ts';
import type { Row } from './table.ts';

const devices = 1_000_000;
const rounds = 15;
const target = '< 300 ms';
const fleet = '/projects/door/devices';

/** Response time of dashboard pages for a large fleet: the whole response, over loopback. */
export async function benchDashboard(folder: string, open: OpenPeer, engines: OpenEngines): Promise<Row[]> {
  const rows: Row[] = [];
  for (const storage of await bothStorages(folder, 'dashboard', engines)) rows.push(...(await pagesOn(storage, open)));
  return rows;
}

async function pagesOn(storage: Storage, open: OpenPeer): Promise<Row[]> {
  await fillData(storage, { devices, releases: 3, sizeBytes: 64 * 1024 });
  const token = await addToken(storage);
  const peer = open(await ownPeer(storage, 'ours'));
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
  const row = (what: string, ms: number, limit: string): Row => [
    `${storage.name}, ${devices.toLocaleString('en')} devices on the dashboard: ${what}`,
    `${ms.toFixed(0)} ms`,
    '',
    '',
    limit,
  ];
  const rows = [row('the first page after a restart', await request(fleet), target)];
  for (const [what, path, limit] of [
    ['the first page', fleet, target],
    ['a page in the middle', `${fleet}?after=18:FE:34:07:A1:20`, target],
    ['a filter without matches', `${fleet}?state=failed`, target],
    // A search reads the whole fleet.
    ['a search without matches', `${fleet}?q=nobody`, ''],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await request(path));
    rows.push(row(what, median(times), limit));
  }
  for (const server of peer.servers) await server.stop();
  return rows;
}

async function addToken(storage: Storage): Promise<string> {
  const { store } = await openData(storage.options, 'bench');
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
