import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type DeviceWords, deviceHeaders } from './device-request.ts';

const run = promisify(execFile);
const longestMs = 300_000;

/** Result of `ab`. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Percentile of the request latency, including the connection. */
  readonly latencyMs: (percent: number) => number;
}

export interface LoadQuestion {
  readonly url: string;
  /** One `ab` process per device, all at the same time. */
  readonly devices: readonly DeviceWords[];
  /** Number of requests per device. */
  readonly requests: number;
  /** Required status of every response; a benchmark must not measure errors. */
  readonly status: 200 | 304;
}

/** Sends requests as devices do: HTTP/1.0, one connection per request. */
export async function load({ url, devices, requests, status }: LoadQuestion): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-ab-'));
  try {
    const startedAt = performance.now();
    const outputs = await Promise.all(
      devices.map(async (words, index) => {
        const headers = Object.entries(deviceHeaders(words)).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
        const argv = ['-q', '-n', String(requests), '-c', '1', '-e', join(folder, `${index}.csv`), ...headers, url];
        const { stdout } = await run('ab', argv, { timeout: longestMs });
        requireStatus(stdout, requests, status);
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const tables = await Promise.all(outputs.map((_, index) => readFile(join(folder, `${index}.csv`), 'utf8')));
    return { requests: requests * devices.length, seconds, latencyMs: (percent) => worstOf(tables, percent) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function requireStatus(output: string, requests: number, status: 200 | 304): void {
  const figure = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(output)?.[1] ?? 0);
  const isWhole = figure('Complete requests') === requests && figure('Failed requests') === 0;
  const expected = status === 200 ? 0 : requests;
  if (isWhole && figure('Non-2xx responses') === expected) return;
  throw new Error(`not all responses were ${status}:\n${output}`);
}

/** Percentile for the slowest device. */
function worstOf(tables: readonly string[], percent: number): number {
  return Math.max(
    ...tables.map((table) => Number(new RegExp(`^${percent},([\\d.]+)`, 'm').exec(table)?.[1] ?? Number.NaN)),
  );
}
