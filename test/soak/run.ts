/**
 * Runs a server for hours with a fixed set of releases, and checks that its memory, its handles and its journal stay flat:
 * `npm run soak -- --minutes 720`. The artifact cache is full after the first minutes, because the releases do not change.
 */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { sketchMd5Of, testBuild, testSigner } from '../server/builds.ts';
import { requestAsDevice } from '../server/raw-device.ts';
import { releaseRequest, upload } from '../server/running-server.ts';
import { growthPerMinute, type Sample } from './growth.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes must be a positive number');
const releases = 5;
const devices = 200;
const sampleEveryMs = 10_000;
const mostMbPerMinute = 0.1;

const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-soak-'));
const data = join(folder, 'data');
const port = await freePort();
const argv = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--log-level', 'warn', '--json'];
const server = execa(process.execPath, ['dist/cli.js', ...argv], { reject: false, stderr: 'inherit' });
const url = `http://127.0.0.1:${port}`;
const counts = { checks: 0, downloads: 0, publications: 0, errors: 0 };
const samples: Sample[] = [];
try {
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) await pause(100);
  let token = '';
  while (token === '') token = (await readFile(join(data, 'first-admin.token'), 'utf8').catch(() => '')).trim();
  await work(token);
} finally {
  server.kill('SIGTERM');
  await server;
  await rm(folder, { recursive: true, force: true });
}
report();

async function work(token: string): Promise<void> {
  const signer = testSigner();
  const seeds = Array.from({ length: releases }, (_, index) => index + 1);
  const build = (seed: number) =>
    testBuild({ version: `1.${seed}`, project: 'door', signer, seed, sizeBytes: 300_000 });
  const builds = await Promise.all(seeds.map(build));
  const end = performance.now() + minutes * 60_000;
  let sampledAt = Number.NEGATIVE_INFINITY;
  for (let round = 0; performance.now() < end; round++) {
    const current = builds[round % builds.length];
    if (current === undefined) break;
    await publish(current, token);
    for (let device = 0; device < devices; device++) {
      const mac = `5C:CF:7F:00:${hex(device >> 8)}:${hex(device & 0xff)}`;
      // A device runs one of the releases, so that some receive an update and others nothing.
      const running = builds[(round + device) % builds.length] ?? current;
      const { status } = await requestAsDevice(port, '/update/door', { mac, sketchMd5: sketchMd5Of(running.manifest) });
      counts.checks++;
      if (status === 200) counts.downloads++;
      else if (status !== 304) counts.errors++;
    }
    if (performance.now() - sampledAt < sampleEveryMs) continue;
    sampledAt = performance.now();
    samples.push(await sample());
  }
}

async function publish(build: Awaited<ReturnType<typeof testBuild>>, token: string): Promise<void> {
  for (const bytes of build.files.values()) await upload(url, bytes, token);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify(releaseRequest(build.manifest));
  const published = await fetch(`${url}/api/v1/projects/door/releases`, { method: 'POST', headers, body });
  const promoted = await fetch(`${url}/api/v1/projects/door/channels/stable`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ version: build.manifest.version }),
  });
  const texts = await Promise.all([published.text(), promoted.text()]);
  if (!published.ok || !promoted.ok) console.error(texts.join('\n'));
  counts.publications++;
  if (!published.ok || !promoted.ok) counts.errors++;
}

async function sample(): Promise<Sample> {
  const { pid } = server;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const memoryMb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  const handles = (await readdir(`/proc/${pid}/fd`)).length;
  const journalMb = (await stat(join(data, 'ota.db-wal'))).size / 1024 ** 2;
  return { atMinutes: performance.now() / 60_000, memoryMb, handles, journalMb };
}

function report(): void {
  const later = samples.slice(samples.length >> 1);
  const growth = growthPerMinute(later);
  const rangeOf = (values: readonly number[]) =>
    `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;
  console.log(
    [
      `${counts.checks} checks, ${counts.downloads} downloads, ${counts.publications} publications, ${counts.errors} errors`,
      `second half: memory ${rangeOf(later.map(({ memoryMb }) => memoryMb))} MB, ${growth.memoryMb.toFixed(3)} MB/minute`,
      `handles ${rangeOf(later.map(({ handles }) => handles))}, ${growth.handles.toFixed(3)}/minute`,
      `journal ${rangeOf(later.map(({ journalMb }) => journalMb))} MB, ${growth.journalMb.toFixed(3)} MB/minute`,
    ].join('\n'),
  );
  const isFlat = growth.memoryMb < mostMbPerMinute && growth.handles < 0.1 && growth.journalMb < mostMbPerMinute;
  if (counts.errors > 0 || !isFlat) process.exitCode = 1;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase();
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
