import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildToVerify } from '../src/server/services/releases/verify-build.ts';
import { startServer } from '../src/server/start.ts';
import { testBuild, testSigner } from '../test/server/builds.ts';
import { hostileContents, hostileGzips, questionOf } from '../test/server/hostile-content.ts';
import { requestAsDevice } from '../test/server/raw-device.ts';

const sizeBytes = 16 * 1024 * 1024;
const shown = 5;
const silent = () => undefined;

interface Cost {
  readonly name: string;
  readonly cpuSeconds: number;
  /** Longest response time for a device during the verification. */
  readonly longestWaitMs: number;
}

/** Cost of verifying uploads: files crafted to keep the server busy, a normal sketch, and device response times during verification. */
export async function* benchVerification(): AsyncGenerator<string[]> {
  const data = await mkdtemp(join(tmpdir(), 'ota-hooks-bench-'));
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const server = await startServer({ host: '127.0.0.1', port: 0, log, data, limits: { failuresPerAddress: 1e9 } });
  try {
    const signer = testSigner();
    const honest = await testBuild({ version: '1.0', signer, sizeBytes: 3_500_000 });
    const like = honest.manifest;
    const question = (files: readonly Uint8Array[]) => questionOf(data, { key: signer.publicKey, like, files });
    const measure = (name: string, build: BuildToVerify) =>
      costOf(name, Number(new URL(server.url).port), () => server.parts.verifier.verify('door', build));
    // Warm-up: starts the thread and compiles functions.
    await measure('first', await question([...honest.files.values()]));
    const costs: Cost[] = [];
    for (const [name, make] of Object.entries(hostileContents)) {
      const content = make(sizeBytes);
      costs.push(await measure(name, await question([content, gzipSync(content)])));
    }
    for (const [name, make] of Object.entries(hostileGzips)) {
      costs.push(await measure(name, await question([make(sizeBytes)])));
    }
    costs.sort((a, b) => b.cpuSeconds - a.cpuSeconds);
    for (const { name, cpuSeconds } of costs.slice(0, shown)) {
      yield [`verify 16 MiB: ${name}, CPU`, `${cpuSeconds.toFixed(2)} s`, '', '<= 5 s'];
    }
    const sketch = await measure('a normal sketch', {
      ...(await question([...honest.files.values()])),
      manifest: like,
    });
    yield ['verify a normal sketch of 3.5 MB, CPU', `${sketch.cpuSeconds.toFixed(2)} s`, '', ''];
    const longest = Math.max(...costs.map(({ longestWaitMs }) => longestWaitMs));
    yield [
      `longest wait of a device during ${costs.length} verifications`,
      `${longest.toFixed(0)} ms`,
      '',
      '<= 250 ms',
    ];
  } finally {
    await server.close(0);
    rmSync(data, { recursive: true, force: true });
  }
}

/** CPU time of the whole process. It includes device requests every 20 ms, which cost little compared with a verification. */
async function costOf(name: string, port: number, verify: () => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  let isVerified = false;
  const verification = verify().finally(() => {
    isVerified = true;
  });
  let longestWaitMs = 0;
  while (!isVerified) {
    const began = performance.now();
    await requestAsDevice(port, '/update/nothing');
    longestWaitMs = Math.max(longestWaitMs, performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await verification;
  const { user, system } = process.cpuUsage(before);
  return { name, cpuSeconds: (user + system) / 1e6, longestWaitMs };
}
