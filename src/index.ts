/** The public API: the stages of the command line as functions of bytes and plain data. */
export { alignGzip } from './compression/alignment.ts';
export { type CompressionName, compressors } from './compression/registry.ts';
export type { Config } from './config/schema.ts';
export { type Artefact, formatManifest, type Manifest, parseManifest } from './domain/manifest.ts';
export { type ErrorCode, OtaError } from './errors.ts';
export { deviceVerdict } from './firmware/device-verdict.ts';
export { type Firmware, readFirmware } from './firmware/firmware.ts';
export { generateRsaKeyPair } from './keys/generate.ts';
export { readPrivateKey } from './keys/private-key.ts';
export { type RsaPublicKey, readPublicKey } from './keys/public-key.ts';
export { signingHeader, unsignedHeader } from './keys/signing-header.ts';
export { verifySignature } from './keys/verify.ts';
export type { Build } from './pack/build.ts';
export { type PackRequest, packImage } from './pack/pack-image.ts';
export { signBuild } from './pack/sign-build.ts';
export { keyFileSigner } from './signing/key-file-signer.ts';
export { signImage } from './signing/signed-image.ts';
export type { Signer } from './signing/signer.ts';
