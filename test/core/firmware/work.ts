import crypto from 'node:crypto';
import { Session } from 'node:inspector';
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';

/** Work that a function does, in units that do not depend on the machine. */
export interface Work {
  /**
   * Number of JavaScript blocks of this project that were executed, plus the number of bytes that Node.js functions searched, decoded,
   * inflated or hashed.
   */
  readonly steps: number;
  /** Number of keys that OpenSSL parsed. */
  readonly keysRead: number;
  /** Number of RSA operations. */
  readonly decryptions: number;
}

/** Counts the work done by a synchronous function. */
export function workOf(run: () => void): Work {
  const counts = { bytes: 0, keysRead: 0, decryptions: 0 };
  const restore = countNative(counts);
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  try {
    run();
    return { steps: counts.bytes + blocksIn(session), keysRead: counts.keysRead, decryptions: counts.decryptions };
  } finally {
    session.post('Profiler.stopPreciseCoverage');
    session.disconnect();
    restore();
  }
}

function blocksIn(session: Session): number {
  let blocks = 0;
  // An inspector session in the same thread invokes its callbacks synchronously.
  session.post('Profiler.takePreciseCoverage', (_, { result }) => {
    const ours = result.filter(({ url }) => url.startsWith('file:') && !url.includes('/node_modules/'));
    for (const { functions } of ours) {
      for (const { ranges } of functions) for (const { count } of ranges) blocks += count;
    }
  });
  return blocks;
}

/** Wraps Node.js functions to count their work. @returns a function that restores the originals */
function countNative(counts: { bytes: number; keysRead: number; decryptions: number }): () => void {
  const originals: (() => void)[] = [];
  const wrap = (
    owner: object,
    name: string,
    count: (self: unknown, args: readonly unknown[], result: unknown) => void,
  ) => {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== 'function') throw new Error(`node has no ${name}`);
    originals.push(() => Reflect.set(owner, name, original));
    Reflect.set(owner, name, function counted(this: unknown, ...args: unknown[]) {
      const result: unknown = Reflect.apply(original, this, args);
      count(this, args, result);
      return result;
    });
  };
  const lengthOf = (value: unknown) => (value as { length: number }).length;
  const searched = (self: unknown, [, from]: readonly unknown[], at: unknown) => {
    const end = at === -1 ? lengthOf(self) : Number(at);
    counts.bytes += Math.max(1, end - Number(from ?? 0));
  };
  for (const owner of [Buffer.prototype, Uint8Array.prototype, String.prototype]) wrap(owner, 'indexOf', searched);
  wrap(Buffer.prototype, 'toString', (_self, _args, text) => {
    counts.bytes += lengthOf(text);
  });
  wrap(zlib, 'inflateRawSync', (_self, _args, result) => {
    counts.bytes += lengthOf((result as { buffer?: unknown }).buffer ?? result);
  });
  wrap(zlib, 'crc32', (_self, [bytes]) => {
    counts.bytes += lengthOf(bytes);
  });
  wrap(crypto.Hash.prototype, 'update', (_self, [bytes]) => {
    counts.bytes += lengthOf(bytes);
  });
  wrap(crypto, 'verify', (_self, [, bytes]) => {
    counts.bytes += lengthOf(bytes);
    counts.decryptions += 1;
  });
  const calls = { createPublicKey: 'keysRead', publicDecrypt: 'decryptions' } as const;
  for (const [name, kind] of Object.entries(calls)) {
    wrap(crypto, name, () => {
      counts[kind] += 1;
    });
  }
  syncBuiltinESMExports();
  return () => {
    for (const restore of originals) restore();
    syncBuiltinESMExports();
  };
}
