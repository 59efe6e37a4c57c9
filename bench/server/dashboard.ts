import { setTimeout } from 'node:timers/promises';
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
const api = '/api/v1/projects/door';
const countedEveryMs = 500;

/** Response time of dashboard pages for a large fleet: the whole response, over loopback. */
export async function benchDashboard(folder: string, open: OpenPeer, engines: OpenEngines): Promise<Row[]> {
  const rows: Row[] = [];
  for (const storage of await bothStorages(folder, 'dashboard', engines)) rows.push(...(await pagesOn(storage, open)));
  return rows;
}

async function pagesOn(storage: Storage, open: OpenPeer): Promise<Row[]> {
  await fillData(storage, { devices, releases: 3, sizeBytes: 64 * 1024, rollout: true });
  const token = await addToken(storage);
  const startedAt = performance.now();
  const peer = open(await ownPeer(storage, 'ours'));
  const { origin } = new URL(peer.url);
  const cookie = await logIn(origin, token);
  const request = async (path: string): Promise<{ text: string; ms: number }> => {
    const began = performance.now();
    const headers = path.startsWith(api) ? { authorization: `Bearer ${token}` } : { cookie };
    const response = await fetch(origin + path, { headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    return { text, ms: performance.now() - began };
  };
  const row = (what: string, figure: string, limit = ''): Row => [
    `${storage.name}, ${devices.toLocaleString('en')} devices: ${what}`,
    figure,
    '',
    '',
    limit,
  ];
  // The server starts to count the devices of the rollout at the same time.
  const first = await request(fleet);
  const rows = [row('the first page after a restart, while a rollout is counted', milliseconds(first.ms), target)];
  while (!(await isCounted(request))) await setTimeout(countedEveryMs);
  rows.push(row('counting the devices of a new rollout', `${((performance.now() - startedAt) / 1000).toFixed(0)} s`));
  for (const [what, path] of [
    ['the first page', fleet],
    ['a page in the middle', `${fleet}?after=18:FE:34:07:A1:20`],
    ['a filter without matches', `${fleet}?state=failed`],
    ['two filters without matches', `${fleet}?state=failed&runs=1.2.0`],
    ['a search by name without matches', `${fleet}?q=nobody`],
    ['a search by a part of a MAC without matches', `${fleet}?q=FFFFF`],
    ['a search by MAC', `${fleet}?q=18FE340ABCDE`],
    ['the list of projects', '/'],
    ['the page of a rollout', '/projects/door/rollouts/1'],
    ['the number of devices on a channel (API)', `${api}/channels/stable`],
    ['a list of 1000 devices (API)', `${api}/devices?limit=1000&after=18:FE:34:07:A1:20`],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push((await request(path)).ms);
    rows.push(row(what, milliseconds(median(times)), target));
  }
  const memoryMb = peer.servers.reduce((sum, server) => sum + server.memoryMb(), 0);
  for (const server of peer.servers) await server.stop();
  const sizeBytes = await storage.sizeBytes();
  rows.push(
    row('memory of the server', `${memoryMb.toFixed(0)} MB`, '< 300 MB'),
    row('size of the database', `${(sizeBytes / 1e6).toFixed(0)} MB`),
  );
  return rows;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}

async function isCounted(request: (path: string) => Promise<{ text: string }>): Promise<boolean> {
  const { text } = await request(`${api}/rollouts/1`);
  return JSON.parse(text).tally.members === devices;
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
