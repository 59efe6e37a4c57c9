/** A model device with the guard, and updates for it. */
import { gzipSync } from 'node:zlib';
import { alignGzip } from '../../../src/core/compression/alignment.ts';
import { modelGuard } from '../../../src/core/device-model/guard.ts';
import { runUpdate, type UpdateOptions } from '../../../src/core/device-model/run-update.ts';
import { productDigest, withGzipMetadata, withRawMetadata } from '../../../src/core/firmware/update-metadata.ts';
import { productHash } from '../../../src/core/keys/guard-record.ts';
import type { FlashMode } from '../../../src/core/model/artifact.ts';
import { guardRejections } from '../../../src/core/model/guard-rejection.ts';
import type { UpdateMetadata } from '../../../src/core/model/manifest.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { makeKeyPair, signFile, type TestKeyPair } from '../../support/signed-file.ts';
import { deviceOf, sketchOf } from './recipes.ts';

export const [first, second, unknown] = [makeKeyPair(), makeKeyPair(2048), makeKeyPair()] as const;
export const guard = (require: 'signature' | 'metadata') =>
  modelGuard({
    keys: [first.publicKey, second.publicKey],
    product: productHash('door'),
    securityVersion: 2,
    require,
  });
export const guardedCores = ['2.6.0', '2.6.3', '2.7.0', '2.7.4', '3.0.2', '3.1.2', '3.1.3'] as const;

export const image = sketchOf({ mode: 'dio' });
export const filesystem = buildLittleFs({ blockCount: 16 });
const metadata: UpdateMetadata = {
  format: 1,
  kind: 'sketch',
  flashModeByte: 2,
  flashSizeByte: 0x20,
  memberBytes: 0,
  lowestStart: 0,
  securityVersion: 2,
  product: productDigest('door'),
};

export function sign(payload: Uint8Array, { privateKey }: TestKeyPair = first): Uint8Array {
  return signFile(payload, privateKey, 'current');
}

export function raw(changes: Partial<UpdateMetadata> = {}, content: Uint8Array = image): Uint8Array {
  return withRawMetadata(content, { ...metadata, ...changes });
}

export function gzip(changes: Partial<UpdateMetadata> = {}, content: Uint8Array = image): Uint8Array {
  const aligned = alignGzip(withGzipMetadata(Uint8Array.from(gzipSync(content)), metadata));
  return withGzipMetadata(aligned, { ...metadata, memberBytes: aligned.length, ...changes });
}

interface Wishes {
  readonly core?: string;
  readonly require?: 'signature' | 'metadata';
  readonly flashMode?: FlashMode;
  readonly options?: Partial<UpdateOptions>;
  readonly atomicFs?: boolean;
}

/** Sends an update to a device with the guard. Returns the outcome, or the code of the rejection. */
export function outcomeOf(bytes: Uint8Array, wishes: Wishes = {}): string | number {
  const { core = '3.1.2', require = 'signature', flashMode = 'dio', atomicFs = false, options = {} } = wishes;
  const device = deviceOf({ core, flashMode, atomicFs, guard: guard(require) });
  const result = runUpdate(device, bytes, { transport: 'espota', kind: 'sketch', expected: image, ...options });
  if (result.outcome !== 'rejected') return result.outcome;
  if (result.error.code !== 12) return result.error.printed;
  return result.rejection === undefined ? 'no code' : guardRejections[result.rejection];
}
