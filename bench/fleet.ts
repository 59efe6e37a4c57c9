import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { syntheticSketch } from '../src/simulator/index.ts';
import type { Place } from './place.ts';

const deviceCount = 100;

interface Run {
  readonly seconds: number;
  /** Duration of the slowest device. */
  readonly slowestSeconds: number;
  readonly peakMiB: number;
}

/** One upload to a hundred virtual devices at 50 ms: duration relative to the slowest device, and peak memory. */
export async function* benchFleet({ cli, folder }: Place) {
  const project = join(folder, 'fleet');
  mkdirSync(project);
  writeFileSync(join(project, 'fleet.bin'), syntheticSketch({ sizeBytes: 400 * 1024, seed: 4 }));
  const devices = spawn(
    process.execPath,
    ['--import=tsx', fileURLToPath(new URL('fleet-devices.ts', import.meta.url)), String(deviceCount)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const ports = await portsOf(devices);
    const inventory = Object.fromEntries(ports.map((port, index) => [`door-${index}`, { address: '127.0.0.1', port }]));
    writeFileSync(join(project, 'ota.config.json'), JSON.stringify({ devices: inventory }));
    const { seconds, slowestSeconds, peakMiB } = upload(cli, project);
    yield [
      `upload of 400 KB to ${deviceCount} devices, RTT 50 ms`,
      `${seconds.toFixed(1)} s = ${(seconds / slowestSeconds).toFixed(2)}x`,
      `slowest device: ${slowestSeconds.toFixed(1)} s`,
      '<= 1.5x',
    ];
    yield ['the same, peak memory', `${peakMiB.toFixed(0)} MiB`, '', '< 200 MB'];
  } finally {
    devices.kill();
  }
}

function portsOf({ stdout }: ChildProcess): Promise<number[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      // fleet-devices.ts prints a JSON array of ports.
      if (text.endsWith('\n')) resolve(JSON.parse(text) as number[]);
    });
    stdout?.on('close', () => reject(new Error('the virtual devices ended')));
  });
}

function upload(cli: string, project: string): Run {
  const preload = new URL('peak-memory.mjs', import.meta.url).href;
  const argv = [`--import=${preload}`, cli, 'upload', 'fleet.bin', '--all', '--json', '--quiet'];
  const startedAt = performance.now();
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, { cwd: project, encoding: 'utf8' });
  const seconds = (performance.now() - startedAt) / 1000;
  const kibibytes = /peak (\d+)/.exec(stderr)?.[1];
  if (status !== 0 || kibibytes === undefined) throw new Error(stderr);
  // Output of `upload --json`.
  const { devices } = JSON.parse(stdout) as { devices: { durationMs: number }[] };
  return {
    seconds,
    slowestSeconds: Math.max(...devices.map(({ durationMs }) => durationMs)) / 1000,
    peakMiB: Number(kibibytes) / 1024,
  };
}
