/** Packs a compiled image into signed artifacts: `import { packImage } from 'ota-hooks/pack'`. */
export { alignGzip } from '../compression/alignment.ts';
export type { Compressor } from '../compression/compressor.ts';
export type { CompressionName } from '../compression/names.ts';
export { compressors } from '../compression/registry.ts';
export type * from '../model/types.ts';
export type { Signer } from '../signing/signer.ts';
export type { Build } from './build.ts';
export { checkedPackImage as packImage, checkedSignBuild as signBuild } from './checked.ts';
export type { PackRequest, PackResult } from './pack-image.ts';
