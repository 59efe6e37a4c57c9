/** From a compiled image to signed artifacts: `import { packImage } from 'ota-hooks/pack'`. */
export { alignGzip } from '../compression/alignment.ts';
export type { Compressor } from '../compression/compressor.ts';
export type { CompressionName } from '../compression/names.ts';
export { compressors } from '../compression/registry.ts';
export type { Build } from '../pack/build.ts';
export { type PackRequest, type PackResult, packImage } from '../pack/pack-image.ts';
export { signBuild } from '../pack/sign-build.ts';
export type { Signer } from '../signing/signer.ts';
export type * from './manifest-types.ts';
