import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type DeviceWords, deviceHeaders } from './device-request.ts';
import type { Peer } from './peers.ts';

const script = fileURLToPath(new URL('slow-devices.py', import.meta.url));
const longestMs = 180_000;

export interface SlowDevices {
  /** Number of devices with a download in progress. */
  readonly receiving: number;
  stop(): Promise<void>;
}

/** Starts devices that download slowly, and waits until all of them are receiving. */
export async function slowDevices(
  peer: Peer,
  devices: readonly DeviceWords[],
  bytesPerSecond: number,
): Promise<SlowDevices> {
  const child = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { port, pathname: path } = new URL(peer.url);
  const lines = devices.map((words) =>
    Object.entries(deviceHeaders(words))
      .map(([name, value]) => `${name}: ${value}`)
      .join('\r\n'),
  );
  child.stdin.write(`${JSON.stringify({ port: Number(port), path, bytesPerSecond, devices: lines })}\n`);
  try {
    return { receiving: await untilAllReceive(child, devices.length), stop: () => stop(child) };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function untilAllReceive(child: ChildProcess, count: number): Promise<number> {
  if (child.stdout === null) throw new Error('no output');
  const startedAt = performance.now();
  let receiving = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    receiving = JSON.parse(line).receiving;
    if (receiving >= count) return receiving;
    if (performance.now() - startedAt > longestMs) break;
  }
  throw new Error(`only ${receiving} of ${count} devices are receiving`);
}

/** The script ends when its stdin closes. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdout?.resume();
  child.stdin?.end();
  const last = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(last);
}
